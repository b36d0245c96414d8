"""The least time that a set of calls can take: each answered at its first attempt, without faults."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bench.simulator import plans
from bench.simulator.buckets import Buckets
from bench.simulator.plans import Call, Plan
from bench.simulator.scenario import Scenario

Charge = tuple[float, int]


def ideal_seconds(scenario: Scenario, bodies: Iterable[Mapping[str, object]]) -> float:
    """From the first request to the end of the last answer.

    The longest call is released first, each as soon as the buckets admit it, any number at a time. A client that
    knows all this can't exist. A cached prefix is paid by its first call alone. What an outage breaks or holds up is
    asked for again when it has ended.
    """
    calls = [call for body in bodies if (call := plans.read(body))]
    faultless = replace(scenario, faults={}, scripts=())
    planned = [(plans.plan(faultless, call, 1), call) for call in calls]
    planned.sort(key=lambda pair: -pair[0].seconds)
    return _Release(scenario).until_done(planned)


class _Release:
    """The clock, the buckets, and the output that is still to be charged."""

    def __init__(self, scenario: Scenario) -> None:
        self._outage = scenario.outage
        self._buckets = Buckets(scenario)
        self._charges: list[Charge] = []
        self._warm: set[str] = set()
        self._now = 0.0

    def until_done(self, planned: list[tuple[Plan, Call]]) -> float:
        ends: list[float] = []
        broken: list[tuple[Plan, Call]] = []
        for plan, call in planned:
            end = self._admit(plan, call)
            if self._outage and self._now < self._outage.start_seconds < end:
                broken.append((plan, call))
            else:
                ends.append(end)
        if self._outage and broken:
            self._now = max(self._now, self._outage.start_seconds + self._outage.seconds)
        ends += [self._admit(plan, call) for plan, call in broken]
        return max(ends, default=0.0)

    def _admit(self, plan: Plan, call: Call) -> float:
        """When its answer ends."""
        tokens = call.task_tokens + (0 if call.prefix in self._warm else call.prefix_tokens)
        self._warm.add(call.prefix)
        while (seconds := self._wait_seconds(tokens)) > 0:
            # Output is charged on the way, so the wait is looked at again at each charge.
            due = self._charges[0][0] if self._charges else float("inf")
            self._now = min(self._now + seconds, due)
        self._buckets.admit(tokens)
        moment = self._now + plan.first_byte_seconds
        for text in plan.texts:
            moment += plan.question_seconds(text)
            heapq.heappush(self._charges, (moment, plans.tokens_in(text)))
        return moment

    def _wait_seconds(self, tokens: int) -> float:
        while self._charges and self._charges[0][0] <= self._now:
            moment, output_tokens = heapq.heappop(self._charges)
            self._buckets.generate(moment, output_tokens)
        wait = self._buckets.wait_seconds(self._now, tokens)
        # Rounding must not leave a wait too short to move the clock.
        wait = max(wait, 1e-9) if wait > 0 else 0.0
        outage = self._outage
        if outage and outage.start_seconds <= self._now < outage.start_seconds + outage.seconds:
            wait = max(wait, outage.start_seconds + outage.seconds - self._now)
        return wait
