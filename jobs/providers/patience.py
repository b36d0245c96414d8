"""How long a silent provider is waited for: twice as long as it was ever silent lately, and never longer than set."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CALLS_MIN = 20
"""Calls that must have ended before their silences say anything."""

SECONDS_MIN = 2.0
FACTOR = 2.0
MEMORY = 0.99

WORTHWHILE = 0.9
"""Those that wait already are told when what holds for them is shorter than this share of what they were told."""


class Silence(Exception):
    """Nothing came for `seconds`, where calls are never silent for so long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came for {seconds:.1f} s")
        self.seconds = seconds


class Patience:
    """Learns from calls that end well; what it has learned holds at once for those that wait already."""

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._longest_seconds = 0.0
        self._calls = 0
        self._promised_seconds = math.inf
        self._waits: dict[asyncio.Timeout, tuple[float, float]] = {}

    @property
    def seconds(self) -> float:
        """Infinite while too little is known: then whoever opened the connection bounds it."""
        learned = max(SECONDS_MIN, FACTOR * self._longest_seconds)
        return learned if self._calls >= CALLS_MIN and learned < self._seconds_max else math.inf

    @asynccontextmanager
    async def wait(self, deadline: float) -> AsyncIterator[None]:
        """For the next sign of life. Raises Silence; TimeoutError at the deadline, in the loop's time."""
        now = asyncio.get_running_loop().time
        began = now()
        self._promised_seconds = max(self._promised_seconds, self.seconds)
        try:
            async with asyncio.timeout_at(min(deadline, began + self.seconds)) as scope:
                self._waits[scope] = (began, deadline)
                try:
                    yield
                finally:
                    del self._waits[scope]
                    self._longest_seconds = max(self._longest_seconds, now() - began)
        except TimeoutError:
            if now() >= deadline:
                raise
            raise Silence(now() - began) from None

    def learn(self) -> None:
        """A call has ended well."""
        self._calls += 1
        self._longest_seconds *= MEMORY
        # Each call makes it a hair shorter: setting the alarms of all that wait each time would not be worth it.
        if self.seconds >= self._promised_seconds * WORTHWHILE:
            return
        self._promised_seconds = self.seconds
        for scope, (began, deadline) in self._waits.items():
            if not scope.expired():
                scope.reschedule(min(deadline, began + self.seconds))
