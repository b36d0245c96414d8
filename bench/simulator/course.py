"""One admitted call on its way: its planned answer, question after question, or what becomes of it instead."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from bench.simulator import plans, tally, wire
from bench.simulator.account import Account
from bench.simulator.plans import Call, Plan
from bench.simulator.scenario import Fault
from bench.simulator.tally import Spent

MIDWAY = {Fault.STALL_MIDWAY, Fault.ERROR_MIDWAY, Fault.BREAK_MIDWAY}

OnEnd = Callable[["Course"], None]


class Line(Protocol):
    """What an answer needs of its connection."""

    def send(self, data: bytes) -> None: ...
    def finish(self) -> None:
        """The answer is complete; the next request may come."""

    def reset(self) -> None:
        """What the client has not read yet is lost."""

    def close(self) -> None:
        """In the middle of an answer."""


class Course:
    """One admitted call on its way. Every step sets the timer of the next."""

    def __init__(self, account: Account, line: Line, call: Call, plan: Plan, spent: Spent, *, on_end: "OnEnd") -> None:
        self._account = account
        self._on_end = on_end
        self._line = line
        self._call = call
        self._plan = plan
        self._spent = spent
        self._timer: asyncio.TimerHandle | None = None
        self._sent = 0
        self._is_open = False
        self._begin()

    def leave(self) -> None:
        """The client has gone."""
        self._end(str(self._plan.fault or tally.LEFT))

    def break_off(self) -> None:
        """An outage has begun, or the provider is set back."""
        self._end(tally.OUTAGE)
        if self._is_open:
            self._line.send(wire.error_event())
            self._line.finish()
        else:
            self._line.send(wire.error(529, "overloaded_error", "Overloaded"))
            self._line.finish()

    def _begin(self) -> None:
        plan = self._plan
        match plan.fault:
            case Fault.SERVER_ERROR | Fault.OVERLOADED | Fault.RESET:
                self._after(plan.first_byte_seconds * plans.REFUSING_SHARE, self._fail_at_once)
            case Fault.STALL:
                pass  # until the client has had enough
            case _ if self._call.is_streamed:
                self._after(plan.first_byte_seconds, self._open)
            case _:
                self._account.later(plan.first_byte_seconds, self._warm)
                self._after(self._silent_seconds(), self._answer_whole)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._timer = self._account.later(seconds, act)

    def _fail_at_once(self) -> None:
        fault = self._plan.fault
        assert fault, "there is something to fail with"
        self._end(fault)
        if fault is Fault.RESET:
            self._line.reset()
            return
        kinds = {Fault.SERVER_ERROR: (500, "api_error", "Internal server error")}
        status, kind, words = kinds.get(fault, (529, "overloaded_error", "Overloaded"))
        self._line.send(wire.error(status, kind, words, self._account.headers()))
        self._line.finish()

    def _open(self) -> None:
        self._is_open = True
        self._warm()
        self._line.send(wire.stream_head(self._account.headers()) + wire.opening(self._call.model, self._usage()))
        self._line.send(wire.pieces(wire.BEGIN))
        self._next()

    def _warm(self) -> None:
        """What is cached can be read from the first byte of the first answer on, as at Anthropic."""
        if self._call.prefix:
            self._account.warm.add(self._call.prefix)

    def _next(self) -> None:
        if self._sent < self._plan.good_count:
            self._after(self._plan.question_seconds(self._plan.texts[self._sent]), self._question)
        elif self._plan.fault in MIDWAY:
            self._after(self._half_a_question_seconds(), self._break)
        else:
            self._finish_stream()

    def _question(self) -> None:
        text = self._plan.texts[self._sent]
        self._line.send(wire.pieces((wire.BETWEEN if self._sent else "") + text))
        self._sent += 1
        self._generate(text)
        self._next()

    def _half_a_question_seconds(self) -> float:
        return self._plan.question_seconds(self._plan.texts[self._plan.good_count]) / 2

    def _break(self) -> None:
        """Half of a question has been written, and paid for."""
        text = self._plan.texts[self._plan.good_count]
        half = text[: len(text) // 2]
        self._line.send(wire.pieces((wire.BETWEEN if self._sent else "") + half))
        self._charge(plans.tokens_in(half))
        if self._plan.fault is Fault.STALL_MIDWAY:
            return
        self._end(str(self._plan.fault))
        if self._plan.fault is Fault.ERROR_MIDWAY:
            self._line.send(wire.error_event())
            self._line.finish()
        else:
            self._line.close()

    def _finish_stream(self) -> None:
        fault = self._plan.fault
        if fault is Fault.MALFORMED:
            self._line.send(wire.pieces((wire.BETWEEN if self._sent else "") + wire.BROKEN_JSON))
        if fault is not Fault.REFUSAL:
            self._line.send(wire.pieces(wire.END))
        self._line.send(wire.closing(self._stop_reason(), self._spent.output_tokens))
        self._end(fault or tally.GOOD)
        self._line.finish()

    def _stop_reason(self) -> str:
        return "refusal" if self._plan.fault is Fault.REFUSAL else "end_turn"

    def _silent_seconds(self) -> float:
        """How long an answer that is not streamed takes: what it would have streamed, in silence."""
        good = self._plan.texts[: self._plan.good_count]
        seconds = self._plan.first_byte_seconds + sum(map(self._plan.question_seconds, good))
        return seconds + (self._half_a_question_seconds() if self._plan.fault in MIDWAY else 0)

    def _answer_whole(self) -> None:
        fault = self._plan.fault
        good = self._plan.texts[: self._plan.good_count]
        if fault in MIDWAY:
            self._break_whole(good)
            return
        is_readable = fault is not Fault.MALFORMED
        for text in good:
            self._generate(text, is_delivered=is_readable)
        text = "" if fault is Fault.REFUSAL else wire.whole(good, is_broken=not is_readable)
        message = wire.message(self._call.model, self._usage(), text, self._stop_reason())
        self._line.send(wire.answer(200, message, self._account.headers()))
        self._end(fault or tally.GOOD)
        self._line.finish()

    def _break_whole(self, good: tuple[str, ...]) -> None:
        """In the middle of an answer that is not streamed the client only sees a refusal, an end, or nothing."""
        for text in good:
            self._generate(text, is_delivered=False)
        if self._plan.fault is Fault.STALL_MIDWAY:
            return
        self._end(str(self._plan.fault))
        if self._plan.fault is Fault.ERROR_MIDWAY:
            self._line.send(wire.error(529, "overloaded_error", "Overloaded", self._account.headers()))
            self._line.finish()
        else:
            self._line.send(wire.answer(200, {"type": "message"})[:-8])
            self._line.close()

    def _generate(self, text: str, *, is_delivered: bool = True) -> None:
        tokens = plans.tokens_in(text)
        self._charge(tokens)
        if is_delivered:
            self._account.tally.deliver(self._account.now, self._spent, tokens)

    def _charge(self, tokens: int) -> None:
        self._account.buckets.generate(self._account.now, tokens)
        self._spent.output_tokens += tokens

    def _usage(self) -> dict[str, int]:
        is_read = self._spent.cache_read_tokens > 0
        return {
            "input_tokens": self._call.task_tokens,
            "cache_creation_input_tokens": 0 if is_read else self._call.prefix_tokens,
            "cache_read_input_tokens": self._spent.cache_read_tokens,
            "output_tokens": max(1, self._spent.output_tokens),
        }

    def _end(self, outcome: str) -> None:
        if self._timer:
            self._timer.cancel()
        self._on_end(self)
        self._account.tally.end(self._account.now, self._spent, outcome)
