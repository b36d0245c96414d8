"""The customer of the simulated provider: limits, cache, tally, and the clock that they go by."""

import asyncio
from collections.abc import Callable

from bench.simulator.buckets import Buckets
from bench.simulator.scenario import Scenario
from bench.simulator.tally import Tally


class Account:
    """As at the start: full buckets, an empty cache, nothing counted."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.tally = Tally()
        self.buckets = Buckets(scenario)
        self.warm: set[str] = set()
        """The prefixes that can be read from the cache."""
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time()

    @property
    def now(self) -> float:
        return self._loop.time() - self._zero

    def headers(self) -> str:
        return self.buckets.headers(self.now)

    def later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, act)
