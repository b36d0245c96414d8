"""Asks a provider until a batch is full: remainder requests, corrections, waiting at rate limits."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from functools import partial

from jobs import budget, calls
from jobs.calls import NEAR_DUPLICATE, OpenCall
from jobs.checkpoint import Checkpoint
from jobs.governor.governor import Turn, Wish
from jobs.providers.base import (
    AnswerMalformed,
    ProviderError,
    ProviderRateLimited,
    RateLimits,
    Request,
    Unreadable,
    Usage,
)
from jobs.waiting import Waiting
from jobs.workshop import Workshop
from schemas.base import Frozen
from schemas.events import BatchRetrying
from schemas.plans import Claim
from schemas.questions import Draft
from schemas.states import ErrorCode
from service import failpoints
from service.failpoints import Place
from service.store import steps

QUESTIONS_PER_CALL_MAX = 10
"""So that the first ones come early, and a call that breaks or is not wanted any more costs little."""

AVOID_MAX = 2000
AVOID_MAX_METERED = 200
"""Questions that a call is told not to ask again: a prompt that is paid for names the newest."""

CORRECTIONS_SENT_MAX = 5

TOLD_SECONDS_MIN = 1.0
"""A stray failure is over before anybody reads of it, and to write it down may take longer."""


class TooFewValid(ProviderError):
    """Answers came, but too few passed the checks."""

    code = ErrorCode.TOO_FEW_VALID
    is_transient = True


class AllDuplicates(TooFewValid):
    """What came was there already."""

    code = ErrorCode.DUPLICATE_QUESTIONS


class Portion(Frozen):
    """What one call asks for: `count` questions, as part `place` of `places` that are asked for at the same time."""

    count: int
    place: int = 0
    places: int = 1
    is_hedge: bool = False


class Asking:
    """The calls of one attempt at one batch."""

    def __init__(self, workshop: Workshop, checkpoint: Checkpoint) -> None:
        self._workshop = workshop
        self._checkpoint = checkpoint
        self._claim = checkpoint.claim
        self._corrections: list[str] = []
        self._rejection_codes: set[str] = set()
        self._model = _model(checkpoint.claim, workshop.settings.models)
        self._told_until = 0.0

    async def fill(self) -> None:
        """Ask until nothing is missing: in parallel calls first, then for the rest.

        A round that brings nothing is corrected CORRECTIONS_MAX times in a row. Raises ProviderError (also TooFewValid,
        AllDuplicates), LeaseLost, Unavailable.
        """
        fruitless = 0
        while (missing := self._checkpoint.missing_count) > 0:
            malformed = await self._round(self._portions())
            await self._checkpoint.settle()
            if self._checkpoint.missing_count < missing:
                fruitless = 0
                continue
            fruitless += 1
            if fruitless > self._workshop.settings.corrections_max:
                raise malformed or self._too_few()

    def _portions(self) -> list[Portion]:
        """What costs nothing is asked for in one go."""
        missing = self._checkpoint.missing_count
        places = math.ceil(missing / QUESTIONS_PER_CALL_MAX) if self._workshop.provider.is_metered else 1
        return [
            Portion(count=missing // places + (place < missing % places), place=place, places=places)
            for place in range(places)
        ]

    async def _round(self, portions: Sequence[Portion]) -> AnswerMalformed | None:
        """Calls at the same time; each may end in its own way. A malformed answer is returned: it may be corrected."""
        corrections, self._corrections = self._corrections[-CORRECTIONS_SENT_MAX:], []
        calls = [asyncio.create_task(self._ask_for(portion, corrections)) for portion in portions]
        hedge = asyncio.create_task(self._hedge(corrections))
        try:
            await self._until_full(calls, hedge)
        finally:
            for call in (*calls, hedge):
                call.cancel()
            ended = await asyncio.gather(*calls, hedge, return_exceptions=True)
        failures = [end for end in ended[:-1] if end and not isinstance(end, asyncio.CancelledError)]
        malformed = [failure for failure in failures if isinstance(failure, AnswerMalformed)]
        others = [failure for failure in failures if not isinstance(failure, AnswerMalformed)]
        if others:
            raise max(others, key=_lasting)
        return malformed[0] if malformed else None

    async def _until_full(self, calls: Sequence[asyncio.Task[None]], hedge: asyncio.Task[None]) -> None:
        """Until all calls have ended, or there is nothing left that those which still run could bring."""
        while self._checkpoint.missing_count > 0 and (running := [call for call in calls if not call.done()]):
            waited_for = running if hedge.done() else [*running, hedge]
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)

    async def _hedge(self, corrections: Sequence[str]) -> None:
        """Ask a second time for what the slowest call of all has not brought yet, if the user pays for that."""
        if not (self._workshop.settings.hedge and self._workshop.provider.is_metered):
            return
        await self._workshop.governor.tail(self._model, lambda: self._checkpoint.missing_count > 0)
        missing = min(self._checkpoint.missing_count, QUESTIONS_PER_CALL_MAX)
        await self._ask_for(Portion(count=missing, is_hedge=True), corrections)

    async def _ask_for(self, portion: Portion, corrections: Sequence[str]) -> None:
        """One call, and again while the provider is the reason that it brought nothing.

        Raises ProviderError when only another attempt may help, or nothing.
        """
        waiting = Waiting(
            self._workshop.settings.provider_wait_seconds,
            has_fallback=self._claim.run_attempt < len(self._workshop.settings.models),
        )
        since: float | None = None
        while True:
            turn = Turn()
            try:
                async with self._cached() as is_cached, self._room(portion), self._turn(portion, since) as turn:
                    await self._call(portion, corrections, turn, is_cached)
            except ProviderError as error:
                if not await self._wait_after(error, turn, waiting):
                    return
            else:
                return
            if turn.was_answered:
                since = None  # that counts against this call once: later failures may be everybody's
            elif since is None and turn.taken:
                since = turn.taken.taken_at

    async def _wait_after(self, error: ProviderError, turn: Turn, waiting: Waiting) -> bool:
        """Whether the same call is worth making again; it is waited for until then. Raises the error if not."""
        if isinstance(error, AnswerMalformed):
            self._note("malformed_answer", str(error))
        is_limited = isinstance(error, ProviderRateLimited)
        if turn.has_brought and error.is_transient and not is_limited:
            return False
        seconds = waiting.pause_seconds(error, was_answered=turn.was_answered)
        until = time.monotonic() + seconds
        if is_limited or not turn.was_answered or seconds >= TOLD_SECONDS_MIN:
            await self._tell_of_wait(error.code, seconds)
        if error.is_outage:
            # Time is what is waited for; at a rate limit the governor does it.
            await asyncio.sleep(until - time.monotonic())
        return not turn.has_brought

    def _turn(self, portion: Portion, since: float | None) -> AbstractAsyncContextManager[Turn]:
        """What costs nothing waits for nobody."""
        provider = self._workshop.provider
        if not provider.is_metered:
            return nullcontext(Turn())
        wish = Wish(
            model=self._model,
            weight=provider.weigh(self._checkpoint.source, portion.count),
            owner=self._claim.owner,
            priority=self._claim.priority,
            is_begun=self._claim.number > 1 or self._checkpoint.held_count > 0,
            since=since,
        )
        return self._workshop.governor.turn(wish)

    def _cached(self) -> AbstractAsyncContextManager[Callable[[], None]]:
        return self._workshop.prefixes.turn(self._checkpoint.source, self._model)

    def _room(self, portion: Portion) -> AbstractAsyncContextManager[None]:
        return budget.room(self._workshop, self._checkpoint, model=self._model, count=portion.count)

    async def _call(
        self, portion: Portion, corrections: Sequence[str], turn: Turn, is_cached: Callable[[], None]
    ) -> None:
        request = await self._request(portion, corrections)
        failpoints.reach(Place.BEFORE_CALL)
        with calls.recorded(self._checkpoint, request, is_hedge=portion.is_hedge) as call:
            await self._listen(request, call, turn, is_cached)

    async def _listen(self, request: Request, call: OpenCall, turn: Turn, is_cached: Callable[[], None]) -> None:
        """Take what the call brings, until it ends or the batch is full and the cost is known."""
        is_metered = self._workshop.provider.is_metered
        async with aclosing(self._workshop.provider.ask(request)) as answers:
            async for answer in answers:
                if isinstance(answer, RateLimits):
                    is_cached()
                    await self._workshop.governor.hear(turn, answer)
                    continue
                failpoints.reach(Place.AFTER_ANSWER)
                if isinstance(answer, Usage):
                    turn.usage = answer
                    call.used(answer)
                elif isinstance(answer, Unreadable):
                    self._checkpoint.reject("schema", answer.message)
                    call.rejected("schema")
                    self._note("schema", answer.message)
                elif await self._is_full():
                    call.came_too_late()
                else:
                    self._offer(answer, call)
                    turn.has_brought = call.accepted_count > 0
                if (isinstance(answer, Usage) or not is_metered) and await self._is_full():
                    return

    def _offer(self, draft: Draft, call: OpenCall) -> None:
        rejection = self._checkpoint.offer(draft)
        if rejection is None:
            call.accepted()
            return
        call.rejected(rejection.code)
        self._note(rejection.code, rejection.message)

    async def _is_full(self) -> bool:
        """Only what is written counts: another batch may have entered the same question first."""
        if self._checkpoint.missing_count > 0:
            return False
        await self._checkpoint.settle()
        return self._checkpoint.missing_count <= 0

    async def _request(self, portion: Portion, corrections: Sequence[str]) -> Request:
        """Raises LeaseLost: no call is made for a batch that is known not to be ours any more."""
        claim = self._claim
        lane, lanes = claim.lane * portion.places + portion.place, claim.lanes * portion.places
        await self._checkpoint.look_around()
        topics = self._checkpoint.topics_for(lane, lanes)
        return Request(
            source=self._checkpoint.source,
            question_type=claim.question_type,
            difficulty=claim.difficulty,
            count=portion.count,
            avoid=self._avoided(),
            corrections=tuple(corrections),
            instructions=claim.instructions,
            lane=lane,
            lanes=lanes,
            topics=topics.own,
            other_topics=topics.others,
            model=self._model,
        )

    def _avoided(self) -> tuple[str, ...]:
        """What is asked already about the module, the newest last; in all the quiz where it was repeated or is free.

        A long quiz would cost more than its modules, and other modules hardly ask the same.
        """
        claim, is_metered = self._claim, self._workshop.provider.is_metered
        is_wide = not is_metered or NEAR_DUPLICATE in self._rejection_codes
        return self._checkpoint.asked(
            module_id=None if is_wide else claim.module_id, most=AVOID_MAX_METERED if is_metered else AVOID_MAX
        )

    async def _tell_of_wait(self, code: ErrorCode, seconds: float) -> None:
        """Once for all calls of the batch that wait for the same."""
        until = time.monotonic() + seconds
        if until <= self._told_until:
            return
        self._told_until = until
        waiting = BatchRetrying(batch_id=self._claim.batch_id, code=code, delay_seconds=round(seconds, 3))
        lease_seconds = self._workshop.settings.lease_seconds
        wakeup = await self._workshop.persist(
            partial(steps.wait, claim=self._claim, waiting=waiting, lease_seconds=lease_seconds),
            about=self._claim.generation_id,
        )
        await self._workshop.broadcast.announce(wakeup)

    def _note(self, code: str, message: str) -> None:
        self._rejection_codes.add(code)
        self._corrections.append(message)

    def _too_few(self) -> TooFewValid:
        held, target = self._checkpoint.held_count, self._claim.target_count
        if self._rejection_codes == {NEAR_DUPLICATE}:
            return AllDuplicates(
                f"only {held} of {target} questions are new: the rest repeats what the quiz asks already"
            )
        last = f"; the last problem: {self._corrections[-1]}" if self._corrections else ""
        return TooFewValid(f"only {held} of {target} questions passed the checks{last}")


def _model(claim: Claim, models: tuple[str, ...]) -> str:
    """The model asked for, else the configured one; later attempts try the fallbacks in order."""
    tried = (claim.model or models[0], *models[1:])
    return tried[min(claim.run_attempt, len(tried)) - 1]


def _lasting(failure: BaseException) -> int:
    """Of several failures the batch has the one that lasts: what no call can change, then what no attempt can."""
    if not isinstance(failure, ProviderError):
        return 2
    return 0 if failure.is_transient else 1
