"""When the next call may start, for many workers that share one Redis."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from arq.connections import ArqRedis

from jobs.governor.governor import Governor, Turn, Wish
from jobs.governor.shared import Ended, Rules, SharedState, Taken
from jobs.providers.base import (
    Allowance,
    AnswerMalformed,
    ProviderError,
    ProviderOverloaded,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    RateLimits,
    Usage,
    WaitedTooLong,
    Weight,
)
from schemas.states import ErrorCode, Priority
from tests.scripted import Gate
from tests.workbench import WAIT_SECONDS, eventually

MODEL = "scripted-1"
WISH = Wish(model=MODEL, weight=Weight(input_tokens=100, output_tokens=50))
WARM = RateLimits(requests=Allowance(limit=60_000, remaining=59_000))
UNAVAILABLE = ProviderUnavailable("the connection broke")


def governor(
    redis: ArqRedis,
    *,
    worker: str = "worker-1",
    calls_max: int = 50,
    wait_seconds_max: float = 60,
    lease_seconds: float = 15,
    **limits: int,
) -> Governor:
    rules = Rules(account="account", calls_max=calls_max, limits=limits, lease_seconds=lease_seconds)
    return Governor(SharedState(redis, rules), worker=worker, wait_seconds_max=wait_seconds_max)


async def call(governor: Governor, *, error: Exception | None = None, told: RateLimits | None = None) -> Turn:
    """One call, over at once."""
    turn = Turn()
    try:
        async with asyncio.timeout(WAIT_SECONDS), governor.turn(WISH) as turn:
            if told:
                await governor.hear(turn, told)
            if error:
                raise error
    except ProviderError:
        return turn
    return turn


class Calls:
    """Calls in flight, each held at a gate of its own; `begun` names them in the order they began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.running = 0
        self.most_running = 0
        self._opened = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, governor: Governor, count: int = 1, *, name: str = "", wish: Wish = WISH) -> None:
        self._tasks += [asyncio.create_task(self._call(governor, name, wish)) for _ in range(count)]

    async def _call(self, governor: Governor, name: str, wish: Wish) -> None:
        async with governor.turn(wish):
            self.begun.append(name)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                await self._opened.wait()
            finally:
                self.running -= 1

    async def finish(self) -> None:
        """Let all of them go, also those that still wait."""
        self._opened.set()
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*self._tasks)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


@pytest.fixture
async def broker(connect_redis: Callable[[], ArqRedis]) -> AsyncIterator[ArqRedis]:
    client = connect_redis()
    yield client
    await client.aclose(close_connection_pool=True)


async def test_no_more_calls_are_in_flight_than_allowed_whatever_the_number_of_workers(broker: ArqRedis) -> None:
    first = governor(broker, calls_max=5)
    second = governor(broker, worker="worker-2", calls_max=5)
    await call(first, told=WARM)
    calls = Calls()
    for number in range(20):
        calls.start(first if number % 2 else second)
    await eventually(lambda: calls.running == 5)
    await calls.finish()
    assert calls.most_running == 5


async def test_until_the_first_headers_only_a_few_calls_start_and_then_all_that_may(broker: ArqRedis) -> None:
    ours, calls = governor(broker), Calls()
    calls.start(ours, 40)
    await eventually(lambda: calls.running == 8)
    async with ours.turn(WISH.model_copy(update={"model": "another"})):
        assert calls.running == 8, "each model has limits of its own"
    calls.cancel()
    await eventually(lambda: calls.running == 0)
    await call(ours, told=WARM)
    again = Calls()
    again.start(ours, 40)
    await eventually(lambda: again.running == 40)
    await again.finish()


async def test_without_headers_good_answers_open_the_window(broker: ArqRedis) -> None:
    ours = governor(broker)
    for _ in range(20):
        await call(ours)
    calls = Calls()
    calls.start(ours, 40)
    await eventually(lambda: calls.running == 28)
    await calls.finish()


async def test_calls_are_paced_by_the_headers_and_not_refused(broker: ArqRedis) -> None:
    ours = governor(broker)
    await call(ours, told=RateLimits(requests=Allowance(limit=1200, remaining=4)))
    started = time.monotonic()
    for _ in range(12):
        await call(ours)
    assert time.monotonic() - started >= 0.35, "four at once, then twenty a second"


async def test_limits_set_by_hand_hold_without_headers(broker: ArqRedis) -> None:
    ours = governor(broker, requests=600)
    started = time.monotonic()
    for _ in range(14):
        await call(ours)
    assert time.monotonic() - started >= 0.35, "ten at once, then ten a second"


async def test_tokens_are_reserved_and_what_was_not_used_comes_back(broker: ArqRedis) -> None:
    ours = governor(broker, output_tokens=6000)
    started = time.monotonic()
    for _ in range(10):
        async with ours.turn(WISH) as turn:
            turn.usage = Usage(model=MODEL, input_tokens=1, output_tokens=1)
    assert time.monotonic() - started < 1.0, "a second's worth is a hundred tokens: two calls, unless given back"
    async with ours.turn(WISH) as turn:
        turn.usage = Usage(model=MODEL, input_tokens=1, output_tokens=130)
    started = time.monotonic()
    await call(ours)
    assert time.monotonic() - started >= 0.5, "what was used beyond the estimate is waited for"


async def test_what_is_held_back_for_a_call_is_learned_from_what_calls_took(broker: ArqRedis) -> None:
    """The estimate is 50 tokens of output, and calls take ten: more of them fit into the hundred of a second."""
    ours = governor(broker, output_tokens=6000)
    for _ in range(3):
        async with ours.turn(WISH) as turn:
            turn.usage = Usage(model=MODEL, input_tokens=1, output_tokens=10)
    calls = Calls()
    calls.start(ours, 4)
    await eventually(lambda: calls.running == 4)
    reserved = [taken.reserved["output_tokens"] for taken in ours._in_flight.values()]
    assert all(10 <= tokens < 15 for tokens in reserved)
    await calls.finish()


async def test_what_was_read_from_the_cache_counts_for_the_next_call_whose_module_is_not_there(
    broker: ArqRedis,
) -> None:
    ours = governor(broker, input_tokens=60_000)
    async with ours.turn(WISH) as turn:
        turn.usage = Usage(model=MODEL, input_tokens=1, output_tokens=1, cache_read_tokens=WISH.weight.input_tokens - 1)
    async with ours.turn(WISH):
        [taken] = ours._in_flight.values()
        assert taken.reserved["input_tokens"] >= WISH.weight.input_tokens


@pytest.mark.parametrize("error", [UNAVAILABLE, ProviderRejected("the key is wrong")])
async def test_a_call_that_failed_says_nothing_about_what_calls_take(broker: ArqRedis, error: ProviderError) -> None:
    ours = governor(broker, output_tokens=6000)
    with suppress(ProviderError):
        async with ours.turn(WISH) as turn:
            turn.usage = Usage(model=MODEL, input_tokens=0, output_tokens=0)
            raise error
    async with ours.turn(WISH):
        assert [taken.reserved["output_tokens"] for taken in ours._in_flight.values()] == [50]


async def test_a_call_heavier_than_the_limit_of_a_second_starts_all_the_same(broker: ArqRedis) -> None:
    ours = governor(broker, input_tokens=60)
    await call(ours)


async def test_a_rate_limit_that_one_worker_meets_holds_back_all(broker: ArqRedis) -> None:
    first, second = governor(broker), governor(broker, worker="worker-2")
    await call(first, error=ProviderRateLimited("too many", retry_after_seconds=0.4))
    started = time.monotonic()
    await call(second)
    assert time.monotonic() - started >= 0.35


async def test_a_shorter_block_does_not_end_a_longer_one(broker: ArqRedis) -> None:
    ours = governor(broker)
    async with ours.turn(WISH):
        await call(ours, error=ProviderRateLimited("too many", retry_after_seconds=0.4))
        await ours._shared.leave(
            Taken(call="worker-2/1", model=MODEL, weight=Weight()),
            Ended(outcome="limited", retry_after_seconds=0.01),
            since=None,
            jitter=0,
        )
    started = time.monotonic()
    await call(ours)
    assert time.monotonic() - started >= 0.35


async def test_a_call_that_fails_or_is_cancelled_makes_room(broker: ArqRedis) -> None:
    ours = governor(broker, calls_max=1)
    await call(ours, error=AnswerMalformed("no JSON"))
    held, waiting = Calls(), Calls()
    held.start(ours)
    await eventually(lambda: held.running == 1)
    waiting.start(ours)
    await asyncio.sleep(0)
    waiting.cancel()
    held.cancel()
    await call(ours)


async def test_a_call_that_another_worker_ends_makes_room_when_told(broker: ArqRedis) -> None:
    first, second = governor(broker, calls_max=1), governor(broker, worker="worker-2", calls_max=1)
    held, waiting = Calls(), Calls()
    held.start(first)
    await eventually(lambda: held.running == 1)
    waiting.start(second)
    await held.finish()
    second.wake()
    await eventually(lambda: waiting.running == 1)
    await waiting.finish()


async def test_the_calls_of_a_dead_worker_make_room_after_its_lease(broker: ArqRedis) -> None:
    dead = governor(broker, worker="dead", calls_max=1, lease_seconds=0.3)
    calls = Calls()
    calls.start(dead)
    await eventually(lambda: calls.running == 1)
    started = time.monotonic()
    await call(governor(broker, calls_max=1, lease_seconds=0.3))
    assert time.monotonic() - started >= 0.2
    await calls.finish()


async def test_who_says_that_its_calls_run_keeps_their_places_even_in_an_empty_redis(broker: ArqRedis) -> None:
    ours, other = governor(broker, calls_max=1), governor(broker, worker="worker-2", calls_max=1)
    calls, waiting = Calls(), Calls()
    calls.start(ours)
    await eventually(lambda: calls.running == 1)
    await broker.flushall()
    await ours.renew()
    waiting.start(other)
    await call(governor(broker, worker="worker-3", calls_max=2))
    assert waiting.running == 0
    await calls.finish()
    other.wake()
    await waiting.finish()


async def test_higher_priority_goes_first_then_the_owner_with_the_fewest_then_what_has_begun(broker: ArqRedis) -> None:
    ours, calls, held = governor(broker, calls_max=1), Calls(), Calls()
    mine = WISH.model_copy(update={"owner": "busy"})
    held.start(ours, wish=mine)
    await eventually(lambda: held.running == 1)
    wishes = {
        "busy": mine,
        "begun": mine.model_copy(update={"is_begun": True}),
        "low": WISH.model_copy(update={"owner": "other", "priority": Priority.LOW}),
        "other": WISH.model_copy(update={"owner": "other"}),
        "high": mine.model_copy(update={"priority": Priority.HIGH}),
    }
    for name, wish in wishes.items():
        calls.start(ours, name=name, wish=wish)
    await eventually(lambda: len(ours._lanes[MODEL].waiters) == len(wishes))
    await held.finish()
    await calls.finish()
    assert calls.begun == ["high", "begun", "busy", "other", "low"], "the busy owner had none in flight any more"


async def test_of_two_owners_none_waits_for_all_calls_of_the_other(broker: ArqRedis) -> None:
    ours, calls = governor(broker, calls_max=4), Calls()
    await call(ours, told=WARM)
    for owner in ("many", "few"):
        calls.start(ours, 10, name=owner, wish=WISH.model_copy(update={"owner": owner}))
    await eventually(lambda: calls.running == 4)
    assert sorted(calls.begun) == ["few", "few", "many", "many"]
    await calls.finish()


async def test_a_stray_failure_does_not_make_the_window_smaller_but_many_overloads_do(broker: ArqRedis) -> None:
    ours, calls = governor(broker), Calls()
    await call(ours, told=WARM)
    for _ in range(3):
        await call(ours, error=UNAVAILABLE)
        await call(ours)
    calls.start(ours, 50)
    await eventually(lambda: calls.running == 50)
    await calls.finish()
    for _ in range(4):
        await call(ours, error=ProviderOverloaded("overloaded"))
    await call(ours)
    fewer = Calls()
    fewer.start(ours, 50)
    await eventually(lambda: fewer.running == 25)
    fewer.cancel()


async def test_when_nobody_is_answered_ordering_stops_and_one_call_looks_whether_it_is_over(broker: ArqRedis) -> None:
    ours = governor(broker)
    await call(ours, told=WARM)
    for _ in range(5):
        await call(ours, error=UNAVAILABLE)
    started, calls = time.monotonic(), Calls()
    calls.start(ours, 10)
    await eventually(lambda: calls.running == 1)
    assert time.monotonic() - started >= 0.4, "all of them paused"
    await calls.finish()
    again = Calls()
    again.start(ours, 5)
    await eventually(lambda: again.running == 5)
    await again.finish()


async def test_a_failed_call_learns_whether_anybody_was_answered_since_it_began(broker: ArqRedis) -> None:
    first, second = governor(broker), governor(broker, worker="worker-2")
    await call(second)
    alone = await call(first, error=UNAVAILABLE)
    assert not alone.was_answered
    gate = Gate()

    async def failing() -> Turn:
        turn = Turn()
        try:
            async with first.turn(WISH) as turn:
                await gate.passed()
                raise UNAVAILABLE
        except ProviderUnavailable:
            return turn

    running = asyncio.create_task(failing())
    await gate.reached.wait()
    await call(second)
    gate.opened.set()
    assert (await running).was_answered


async def test_a_provider_that_answers_nobody_is_waited_for_only_so_long(broker: ArqRedis) -> None:
    ours = governor(broker, wait_seconds_max=0.3)
    await call(ours, error=ProviderRateLimited("too many", retry_after_seconds=30))
    with pytest.raises(WaitedTooLong) as raised:
        async with asyncio.timeout(WAIT_SECONDS), ours.turn(WISH):
            raise AssertionError("it may not start")
    assert raised.value.code is ErrorCode.PROVIDER_RATE_LIMITED
    assert not raised.value.is_transient


async def test_a_full_house_is_waited_for_without_a_bound(broker: ArqRedis) -> None:
    ours, held, waiting = governor(broker, calls_max=1, wait_seconds_max=0.05), Calls(), Calls()
    held.start(ours)
    await eventually(lambda: held.running == 1)
    waiting.start(ours)
    started = time.monotonic()
    await eventually(lambda: time.monotonic() - started > 0.2)
    await held.finish()
    await waiting.finish()
    assert waiting.begun == [""]


async def test_no_more_than_the_provider_takes_is_sent_by_three_workers(broker: ArqRedis) -> None:
    """Against a token bucket that refuses, whatever the order in which headers come back."""
    bucket = Bucket(limit=6000, burst=20)
    workers = [governor(broker, worker=f"worker-{number}") for number in range(3)]
    chance = random.Random(7)

    async def one(ours: Governor) -> None:
        is_done = False
        while not is_done:
            with suppress(ProviderRateLimited):
                async with ours.turn(WISH) as turn:
                    remaining = bucket.take()
                    await asyncio.sleep(chance.uniform(0, 0.05))
                    await ours.hear(turn, RateLimits(requests=Allowance(limit=6000, remaining=remaining)))
                    is_done = True

    async with asyncio.timeout(WAIT_SECONDS):
        await asyncio.gather(*(one(workers[number % 3]) for number in range(150)))
    assert bucket.refused <= 3


class Bucket:
    """A provider's own limit of requests."""

    def __init__(self, *, limit: int, burst: int) -> None:
        self.refused = 0
        self._rate = limit / 60
        self._burst = burst
        self._level = float(burst)
        self._at = time.monotonic()

    def take(self) -> int:
        now = time.monotonic()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            self.refused += 1
            raise ProviderRateLimited("too many", retry_after_seconds=0.2)
        self._level -= 1
        return int(self._level)
