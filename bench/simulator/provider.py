"""The provider behind the sockets: admits calls or turns them away, and has its outages."""

import asyncio
import math

from bench.simulator import plans, tally, wire
from bench.simulator.account import Account
from bench.simulator.course import Course, Line
from bench.simulator.plans import Call
from bench.simulator.scenario import Scenario
from bench.simulator.tally import Spent


class Provider:
    """Serves one account, on whatever number of connections."""

    def __init__(self, scenario: Scenario) -> None:
        self.account = Account(scenario)
        self._courses: set[Course] = set()
        self._outage_begins: asyncio.TimerHandle | None = None

    def restart(self) -> None:
        """As at the start. Calls in flight break off and are not counted."""
        self._break_all()
        if self._outage_begins:
            self._outage_begins.cancel()
            self._outage_begins = None
        self.account = Account(self.account.scenario)

    def take(self, line: Line, body: object, sdk_retry_count: int) -> Course | None:
        """Answer a request. A course goes on by itself; None: it is answered already."""
        account = self.account
        now = account.now
        account.tally.arrive(now, sdk_retry_count)
        self._plan_outage()
        if self._is_out(now):
            self._turn_away(line)
            return None
        call = plans.read(body) if isinstance(body, dict) else None
        if call is None:
            self._chat(line)
            return None
        spent = self._spent(call)
        seconds = account.buckets.wait_seconds(now, spent.input_tokens)
        if seconds > 0:
            self._limit(line, seconds)
            return None
        account.buckets.admit(spent.input_tokens)
        plan = plans.plan(account.scenario, call, attempt=account.tally.admit(spent))
        course = Course(account, line, call, plan, spent, on_end=self._courses.discard)
        self._courses.add(course)
        return course

    def _spent(self, call: Call) -> Spent:
        is_read = call.prefix in self.account.warm
        return Spent(
            key=call.key,
            count=call.count,
            input_tokens=call.task_tokens + (0 if is_read else call.prefix_tokens),
            cache_read_tokens=call.prefix_tokens if is_read else 0,
        )

    def _chat(self, line: Line) -> None:
        """What is no task of ours gets a word at once: some libraries begin with a call to see the headers."""
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = wire.message("simulated", usage, "Hello.", "end_turn")
        self._refuse(line, tally.OTHER, wire.answer(200, message, self.account.headers()))

    def _limit(self, line: Line, seconds: float) -> None:
        headers = f"retry-after: {max(1, math.ceil(seconds))}\r\n{self.account.headers()}"
        words = "This request would exceed your rate limit"
        self._refuse(line, tally.RATE_LIMITED, wire.error(429, "rate_limit_error", words, headers))

    def _refuse(self, line: Line, outcome: str, answer: bytes) -> None:
        self.account.tally.refuse(self.account.now, outcome)
        line.send(answer)
        line.finish()

    def _plan_outage(self) -> None:
        outage = self.account.scenario.outage
        if outage and self._outage_begins is None:
            self._outage_begins = self.account.later(outage.start_seconds, self._break_all)

    def _break_all(self) -> None:
        for course in tuple(self._courses):
            course.break_off()

    def _is_out(self, now: float) -> bool:
        outage, begun_at = self.account.scenario.outage, self.account.tally.begun_at
        if outage is None or begun_at is None:
            return False
        return outage.start_seconds <= now - begun_at < outage.start_seconds + outage.seconds

    def _turn_away(self, line: Line) -> None:
        outage = self.account.scenario.outage
        assert outage, "only an outage turns calls away"
        if outage.is_refusing:
            self.account.tally.refuse(self.account.now, tally.OUTAGE)
            line.reset()
        else:
            self._refuse(line, tally.OUTAGE, wire.error(529, "overloaded_error", "Overloaded", self.account.headers()))
