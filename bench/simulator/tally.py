"""Counts what happened: calls by outcome, what of them was of use, and what was paid for nothing."""

import time
from collections import Counter
from dataclasses import dataclass, field

from schemas.base import Frozen

# Outcomes beside the names of the faults.
GOOD = "good"
RATE_LIMITED = "rate_limited"
OUTAGE = "outage"
LEFT = "left"  # the client went away before the end
OTHER = "other"  # no task about one of our modules


class Stats(Frozen):
    """What /stats tells. Seconds count from the first request; those of `cpu_seconds` from the simulator's start.

    A call is of use if at least one question of its is counted; everything else of it is waste. A question counts when
    it has been sent and no later call asks for it again: a client that keeps the first three of five asks for two.
    """

    requests: int
    outcomes: dict[str, int]
    in_flight: int
    in_flight_max: int
    sdk_retries: int
    keys: int
    keys_complete: int
    duplicate_calls: int
    """Answered well for a key that was complete already."""
    wasted_calls: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    input_tokens_wasted: int
    output_tokens_wasted: int
    first_question_seconds: float | None
    wall_seconds: float | None
    cpu_seconds: float


@dataclass
class Spent:
    """One call and what it has cost so far."""

    key: str
    count: int
    input_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    is_repeat: bool = False
    """The key was complete already when the call came."""


@dataclass
class Credit:
    """A question that was delivered, and the call that brought it."""

    call: Spent
    tokens: int


@dataclass
class Key:
    """What was asked for in the first call, and the delivered questions that count towards it."""

    target: int
    attempts: int = 0
    credits: list[Credit] = field(default_factory=list)
    was_complete: bool = False


@dataclass
class Tally:
    """Of everything since the start or the last reset. Times are seconds of the simulator's clock."""

    requests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    in_flight_max: int = 0
    sdk_retries: int = 0
    duplicate_calls: int = 0
    keys: dict[str, Key] = field(default_factory=dict)
    calls: list[Spent] = field(default_factory=list)
    begun_at: float | None = None
    first_question_at: float | None = None
    ended_at: float | None = None

    def arrive(self, now: float, sdk_retry_count: int) -> None:
        self.requests += 1
        self.sdk_retries += sdk_retry_count > 0
        if self.begun_at is None:
            self.begun_at = now

    def admit(self, spent: Spent) -> int:
        """Returns which attempt at its key this is, from 1. A call asks again for what its client has not kept."""
        key = self.keys.setdefault(spent.key, Key(spent.count))
        key.attempts += 1
        spent.is_repeat = key.was_complete
        if spent.count <= key.target:
            del key.credits[key.target - spent.count :]
        self.calls.append(spent)
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        return key.attempts

    def deliver(self, now: float, spent: Spent, tokens: int) -> None:
        """A whole question has reached the client."""
        if self.first_question_at is None:
            self.first_question_at = now
        key = self.keys[spent.key]
        if len(key.credits) < key.target:
            key.credits.append(Credit(spent, tokens))
            key.was_complete = key.was_complete or len(key.credits) == key.target

    def end(self, now: float, spent: Spent, outcome: str) -> None:
        self.in_flight -= 1
        self.outcomes[outcome] += 1
        self.ended_at = now
        if outcome == GOOD:
            was_needed = any(credit.call is spent for credit in self.keys[spent.key].credits)
            self.duplicate_calls += spent.is_repeat or not was_needed

    def refuse(self, now: float, outcome: str) -> None:
        """Answered without having been admitted."""
        self.outcomes[outcome] += 1
        self.ended_at = now

    def stats(self) -> Stats:
        useful = {id(credit.call) for key in self.keys.values() for credit in key.credits}
        output_tokens = sum(call.output_tokens for call in self.calls)
        useful_output_tokens = sum(credit.tokens for key in self.keys.values() for credit in key.credits)
        return Stats(
            requests=self.requests,
            outcomes=dict(self.outcomes),
            in_flight=self.in_flight,
            in_flight_max=self.in_flight_max,
            sdk_retries=self.sdk_retries,
            keys=len(self.keys),
            keys_complete=sum(len(key.credits) == key.target for key in self.keys.values()),
            duplicate_calls=self.duplicate_calls,
            wasted_calls=self.requests - self.outcomes[OTHER] - len(useful),
            input_tokens=sum(call.input_tokens for call in self.calls),
            cache_read_tokens=sum(call.cache_read_tokens for call in self.calls),
            output_tokens=output_tokens,
            input_tokens_wasted=sum(call.input_tokens for call in self.calls if id(call) not in useful),
            output_tokens_wasted=output_tokens - useful_output_tokens,
            first_question_seconds=self._since_begin(self.first_question_at),
            wall_seconds=self._since_begin(self.ended_at),
            cpu_seconds=time.process_time(),
        )

    def _since_begin(self, moment: float | None) -> float | None:
        return None if moment is None or self.begun_at is None else moment - self.begun_at
