"""Decides when the next LLM call may start: the queue of this worker's calls, before the state that all share."""

import asyncio
import itertools
import math
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from statistics import median

import structlog
from redis import RedisError

from jobs.governor.shared import Denied, Ended, SharedState, Spent, Taken
from jobs.providers.base import ProviderError, ProviderRateLimited, RateLimits, Usage, WaitedTooLong, Weight
from schemas.base import Frozen
from schemas.states import ErrorCode, Priority

LOOK_SECONDS_MAX = 1.0
"""How long a lost message that a call of another worker has ended may cost."""

ALONE_PAUSE_SECONDS = 1.0
"""How long a worker without Redis pauses after a call that failed."""

TAKEN_AT_ONCE_MAX = 20
HEAR_SECONDS = 0.1
"""What the provider says of its limits is the same for calls of the same moment."""

SECONDS_KEPT = 100
HEDGE_CALLS_MIN = 10
HEDGE_FACTOR = 2.0
HEDGE_TAIL_SHARE = 0.15
HEDGE_SHARE_MAX = 0.05

RANK_OF = {Priority.HIGH: 0, Priority.NORMAL: 1, Priority.LOW: 2}

log = structlog.get_logger()


class Wish(Frozen):
    """A call that wants to start, and what decides about its turn.

    `since`: when the first call was taken that failed and that this one is made again for.
    """

    model: str
    weight: Weight
    owner: str = ""
    priority: Priority = Priority.NORMAL
    is_begun: bool = False
    since: float | None = None


class Turn:
    """A call in flight. Whoever makes it says what it brings and what it has cost.

    After its end, `was_answered` says whether the provider has answered anybody since it, or its first try, began.
    """

    def __init__(self, taken: Taken | None = None) -> None:
        self.taken = taken
        self.usage: Usage | None = None
        self.has_brought = False
        self.was_answered = False

    def ended(self, error: BaseException | None) -> Ended:
        """What the end of the call says about the provider."""
        known = self.usage
        spent = Spent(**known.model_dump(include=set(Spent.model_fields))) if known else None
        if isinstance(error, ProviderRateLimited):
            wait = error.retry_after_seconds
            return Ended(outcome="limited", code=error.code, retry_after_seconds=wait, told=error.told, spent=Spent())
        if error is None or self.has_brought:
            return Ended(outcome="answered", spent=spent, is_whole=error is None)
        if not isinstance(error, ProviderError):
            return Ended(outcome="cancelled", spent=spent)
        return Ended(outcome="failed" if error.is_outage else "answered", code=error.code, spent=spent)


class _Waiter:
    def __init__(self, wish: Wish, number: int) -> None:
        self.wish = wish
        self.number = number
        self.granted: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()


class _Lane:
    """The calls of one model that wait, and whether the provider is the reason."""

    def __init__(self) -> None:
        self.waiters: list[_Waiter] = []
        self.changed = asyncio.Event()
        self.pump: asyncio.Task[None] | None = None
        self.blocked_by: ErrorCode | None = None
        self.blocked_since = 0.0
        self.alone_until = 0.0
        self.heard_at = -math.inf
        self.ended = asyncio.Event()
        self.in_flight = 0
        self.in_flight_most = 0
        self.calls = 0
        self.hedges = 0
        self._seconds: deque[float] = deque(maxlen=SECONDS_KEPT)

    def enter(self) -> None:
        self.calls += 1
        self.in_flight += 1
        self.in_flight_most = max(self.in_flight_most, self.in_flight)

    def leave(self, seconds: float | None) -> None:
        """`seconds`: what a good call took."""
        self.in_flight -= 1
        if not self.in_flight:
            self.in_flight_most = 0
        if seconds is not None:
            self._seconds.append(seconds)
        self.ended.set()
        self.ended = asyncio.Event()

    @property
    def slow_seconds(self) -> float:
        """A call that takes longer is slow; infinite while too little is known."""
        return HEDGE_FACTOR * median(self._seconds) if len(self._seconds) >= HEDGE_CALLS_MIN else math.inf

    def may_hedge(self) -> bool:
        """Only at the end of a run, where nobody else could use the place, and for few of all calls."""
        is_tail = not self.waiters and self.in_flight <= max(1, HEDGE_TAIL_SHARE * self.in_flight_most)
        return is_tail and self.hedges + 1 <= HEDGE_SHARE_MAX * self.calls

    def block(self, code: ErrorCode | None) -> None:
        if code and not self.blocked_by:
            self.blocked_since = time.monotonic()
        self.blocked_by = code

    def blocked_for(self, seconds: float) -> ErrorCode | None:
        return self.blocked_by if time.monotonic() - self.blocked_since >= seconds else None


class Governor:
    """Calls of higher priority first, then of the owner with the fewest in flight, then of batches that have begun.

    Without Redis a worker goes on with as many calls as it had.
    """

    def __init__(self, shared: SharedState, *, worker: str, wait_seconds_max: float) -> None:
        self._shared = shared
        self._worker = worker
        self._wait_seconds_max = wait_seconds_max
        self._numbers = itertools.count(1)
        self._lanes: dict[str, _Lane] = {}
        self._in_flight: dict[str, Taken] = {}
        self._owners: Counter[str] = Counter()
        self._share = 1

    @asynccontextmanager
    async def turn(self, wish: Wish) -> AsyncIterator[Turn]:
        """Wait until the call may start. Raises WaitedTooLong when the provider keeps all from it for too long."""
        lane = self._lanes.setdefault(wish.model, _Lane())
        taken = await self._wait(lane, wish)
        turn = Turn(taken)
        self._owners[wish.owner] += 1
        lane.enter()
        began = time.monotonic()
        error: BaseException | None = None
        try:
            yield turn
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._owners[wish.owner] -= 1
            lane.leave(time.monotonic() - began if error is None else None)
            turn.was_answered = await self._leave(lane, taken, turn.ended(error), since=wish.since)

    async def hear(self, turn: Turn, told: RateLimits) -> None:
        """The provider has begun to answer, and says how much more it will take."""
        assert turn.taken, "a call that did not wait for its turn is not limited"
        lane = self._lanes[turn.taken.model]
        if time.monotonic() - lane.heard_at < HEAR_SECONDS:
            return
        lane.heard_at = time.monotonic()
        try:
            await self._shared.hear(turn.taken, told)
        except (RedisError, OSError) as away:
            log.warning("could not share the provider's limits", error=repr(away))
        self.wake()

    def wake(self) -> None:
        """Something has changed: look whether a call may start."""
        for lane in self._lanes.values():
            lane.changed.set()

    async def tail(self, model: str, is_wanted: Callable[[], bool]) -> None:
        """Returns when a call that begins now is slow, and a second one in its place would keep nobody waiting.

        It counts as one of the few that may be made, so it `is_wanted` still.
        """
        lane = self._lanes.setdefault(model, _Lane())
        began = time.monotonic()
        while True:
            left_seconds = lane.slow_seconds - (time.monotonic() - began)
            if left_seconds <= 0 and is_wanted() and lane.may_hedge():
                lane.hedges += 1
                return
            try:
                async with asyncio.timeout(left_seconds if 0 < left_seconds < math.inf else None):
                    await lane.ended.wait()
            except TimeoutError:
                continue

    async def renew(self) -> None:
        """Say that this worker's calls are still in flight. Raises redis.RedisError, OSError."""
        by_model: dict[str, list[str]] = {}
        for taken in self._in_flight.values():
            by_model.setdefault(taken.model, []).append(taken.call)
        for model, calls in by_model.items():
            await self._shared.renew(model, calls)

    async def _wait(self, lane: _Lane, wish: Wish) -> Taken:
        waiter = _Waiter(wish, next(self._numbers))
        lane.waiters.append(waiter)
        lane.changed.set()
        if lane.pump is None or lane.pump.done():
            lane.pump = asyncio.create_task(self._pump(lane))
        try:
            return await self._granted(lane, waiter)
        except BaseException:  # raised again: a place that was just granted is given back first
            if waiter.granted.done():
                await self._leave(lane, waiter.granted.result(), Ended(outcome="cancelled"))
            else:
                waiter.granted.cancel()
                lane.waiters.remove(waiter)
            raise

    async def _granted(self, lane: _Lane, waiter: _Waiter) -> Taken:
        while True:
            done, _ = await asyncio.wait({waiter.granted}, timeout=self._wait_seconds_max)
            if done:
                return waiter.granted.result()
            if code := lane.blocked_for(self._wait_seconds_max):
                raise WaitedTooLong("The provider answers nobody", code, seconds=self._wait_seconds_max)

    async def _pump(self, lane: _Lane) -> None:
        """Start the first calls, as many as may, while any waits."""
        while lane.waiters:
            lane.changed.clear()
            first = self._first(lane)
            taken, denied = await self._take(lane, first)
            for waiter, call in zip(first, taken, strict=False):
                await self._grant(lane, waiter, call)
            if denied:
                await _pause(lane, denied)

    async def _grant(self, lane: _Lane, waiter: _Waiter, taken: Taken) -> None:
        if waiter.granted.done():
            await self._leave(lane, taken, Ended(outcome="cancelled"))
            return
        lane.waiters.remove(waiter)
        waiter.granted.set_result(taken)

    def _first(self, lane: _Lane) -> list[_Waiter]:
        """Those whose turn it is: of owners in turn, each counted with those before."""
        owners = self._owners.copy()
        queues: dict[tuple[Priority, str], deque[_Waiter]] = {}
        for waiter in sorted(lane.waiters, key=lambda waiter: _rank(waiter, owners)):
            queues.setdefault((waiter.wish.priority, waiter.wish.owner), deque()).append(waiter)
        first: list[_Waiter] = []
        while queues and len(first) < TAKEN_AT_ONCE_MAX:
            queue = min(queues.values(), key=lambda queue: _rank(queue[0], owners))
            next_one = queue.popleft()
            wish = next_one.wish
            owners[wish.owner] += 1
            first.append(next_one)
            if not queue:
                del queues[wish.priority, wish.owner]
        return first

    async def _take(self, lane: _Lane, first: Sequence[_Waiter]) -> tuple[list[Taken], Denied | None]:
        wanted = [(f"{self._worker}/{next(self._numbers)}", waiter.wish.weight) for waiter in first]
        model = first[0].wish.model
        try:
            taken, denied = await self._shared.take(model, wanted)
        except (RedisError, OSError) as away:
            log.warning("redis is away: calls go on as many as they were", error=repr(away))
            taken, denied = self._take_alone(lane, model, wanted)
        else:
            self._share = max(1, len(self._in_flight))
        self._in_flight |= {call.call: call for call in taken}
        if denied:
            lane.block(denied.blocked_by or (lane.blocked_by if denied.is_full else None))
        return taken, denied

    def _take_alone(
        self, lane: _Lane, model: str, wanted: Sequence[tuple[str, Weight]]
    ) -> tuple[list[Taken], Denied | None]:
        left_seconds = lane.alone_until - time.monotonic()
        if left_seconds > 0:
            return [], Denied(wait_seconds=left_seconds, blocked_by=lane.blocked_by)
        free = max(0, self._share - len(self._in_flight))
        taken = [Taken(call=call, model=model, weight=weight) for call, weight in wanted[:free]]
        return taken, Denied(is_full=True) if len(wanted) > free else None

    async def _leave(self, lane: _Lane, taken: Taken, ended: Ended, *, since: float | None = None) -> bool:
        """Returns whether the provider has answered anybody since the call, or its first try, began."""
        self._in_flight.pop(taken.call, None)
        was_answered = ended.outcome == "answered"
        try:
            was_answered |= await self._shared.leave(taken, ended, since=since, jitter=random.random())  # noqa: S311
        except (RedisError, OSError) as away:
            log.warning("redis does not know that a call has ended", error=repr(away))
            if ended.outcome in {"limited", "failed"}:
                lane.block(ended.code)
                lane.alone_until = time.monotonic() + (ended.retry_after_seconds or ALONE_PAUSE_SECONDS)
        if was_answered:
            lane.block(None)
        self.wake()
        return was_answered


def _rank(waiter: _Waiter, owners: Counter[str]) -> tuple[int, int, bool, int]:
    wish = waiter.wish
    return RANK_OF[wish.priority], owners[wish.owner], not wish.is_begun, waiter.number


async def _pause(lane: _Lane, denied: Denied) -> None:
    seconds = LOOK_SECONDS_MAX if denied.wait_seconds is None else denied.wait_seconds
    try:
        async with asyncio.timeout(seconds):
            await lane.changed.wait()
    except TimeoutError:
        return
