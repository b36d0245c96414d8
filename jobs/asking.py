"""Asks a provider until a batch is full: remainder requests, corrections, waiting at rate limits."""

import time
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from jobs import budget, calls
from jobs.calls import NEAR_DUPLICATE, OpenCall
from jobs.checkpoint import Checkpoint
from jobs.providers.base import (
    AnswerMalformed,
    ProviderError,
    ProviderRateLimited,
    Request,
    Unreadable,
    Usage,
)
from jobs.workshop import Workshop
from schemas.events import BatchRetrying
from schemas.plans import Claim
from schemas.questions import Draft, preview_of
from schemas.states import ErrorCode
from service import failpoints
from service.errors import LeaseLost
from service.failpoints import Place
from service.store import batches, questions, steps

QUESTIONS_PER_CALL_MAX = 10
"""So that the first ones come early, a call that breaks costs little, and each is made for a batch still wanted."""

AVOID_MAX = 2000
"""Questions of the quiz that a call is told not to ask again."""

CORRECTIONS_SENT_MAX = 5
RATE_LIMIT_SECONDS_DEFAULT = 5.0


class TooFewValid(ProviderError):
    """Answers came, but too few passed the checks."""

    code = ErrorCode.TOO_FEW_VALID
    is_transient = True


class AllDuplicates(TooFewValid):
    """What came was there already."""

    code = ErrorCode.DUPLICATE_QUESTIONS


class WaitedTooLong(ProviderRateLimited):
    """The provider limited its rate for PROVIDER_WAIT_SECONDS: another attempt would only wait again."""

    is_transient = False


class Asking:
    """The calls of one attempt at one batch."""

    def __init__(self, workshop: Workshop, checkpoint: Checkpoint) -> None:
        self._workshop = workshop
        self._checkpoint = checkpoint
        self._claim = checkpoint.claim
        self._corrections: list[str] = []
        self._rejection_codes: set[str] = set()

    async def fill(self) -> None:
        """Ask until nothing is missing. A call that brings nothing is corrected CORRECTIONS_MAX times in a row.

        Raises ProviderError (also TooFewValid, AllDuplicates), LeaseLost, Unavailable.
        """
        fruitless = 0
        while (missing := self._checkpoint.missing_count) > 0:
            malformed = await self._call_or_wait()
            await self._checkpoint.settle()
            if self._checkpoint.missing_count < missing:
                fruitless = 0
                continue
            fruitless += 1
            if fruitless > self._workshop.settings.corrections_max:
                raise malformed or self._too_few()

    async def _call_or_wait(self) -> AnswerMalformed | None:
        """One call. A malformed answer is returned: it may be corrected. At a rate limit, wait and call again."""
        wait_seconds_max = self._workshop.settings.provider_wait_seconds
        wait_until = time.monotonic() + wait_seconds_max
        corrections, self._corrections = self._corrections[-CORRECTIONS_SENT_MAX:], []
        while True:
            try:
                async with self._workshop.governor.turn():
                    await self._call(corrections)
            except ProviderRateLimited as limited:
                seconds = limited.retry_after_seconds or RATE_LIMIT_SECONDS_DEFAULT
                if time.monotonic() + seconds > wait_until:
                    raise WaitedTooLong(f"{limited} (waited for up to {wait_seconds_max:g} seconds)") from limited
                self._workshop.governor.block(seconds)
                await self._tell_of_wait(limited, seconds)
            except AnswerMalformed as malformed:
                self._note("malformed_answer", str(malformed))
                return malformed
            else:
                return None

    async def _call(self, corrections: Sequence[str]) -> None:
        model = _model(self._claim, self._workshop.settings.models)
        async with budget.room(self._workshop, self._checkpoint, model=model, count=self._portion()):
            request = await self._request(corrections)
            failpoints.reach(Place.BEFORE_CALL)
            with calls.recorded(self._checkpoint, request) as call:
                await self._listen(request, call)

    async def _listen(self, request: Request, call: OpenCall) -> None:
        """Take what the call brings, until it ends or the batch is full and the cost is known."""
        is_metered = self._workshop.provider.is_metered
        async with aclosing(self._workshop.provider.ask(request)) as answers:
            async for answer in answers:
                failpoints.reach(Place.AFTER_ANSWER)
                if isinstance(answer, Usage):
                    call.used(answer)
                elif isinstance(answer, Unreadable):
                    self._checkpoint.reject("schema", answer.message)
                    call.rejected("schema")
                    self._note("schema", answer.message)
                elif await self._is_full():
                    call.came_too_late()
                else:
                    self._offer(answer, call)
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

    async def _request(self, corrections: Sequence[str]) -> Request:
        """Raises LeaseLost: no call is made for a batch that is not ours any more."""
        claim = self._claim
        async with self._workshop.database.read() as tx:
            if (claim.batch_id, claim.fence) not in await batches.valid_claims(tx, claim.worker):
                raise LeaseLost(f"batch {claim.batch_id} was taken over or stopped")
            newest_first = await questions.contents(tx, claim.quiz_id, claim.question_type, limit=AVOID_MAX)
        return Request(
            source=self._checkpoint.source,
            question_type=claim.question_type,
            difficulty=claim.difficulty,
            count=self._portion(),
            avoid=tuple(preview_of(content) for content in reversed(newest_first)),
            corrections=tuple(corrections),
            instructions=claim.instructions,
            lane=claim.lane,
            lanes=claim.lanes,
            model=_model(claim, self._workshop.settings.models),
        )

    def _portion(self) -> int:
        """What costs nothing is asked for in one go."""
        missing = self._checkpoint.missing_count
        return min(missing, QUESTIONS_PER_CALL_MAX) if self._workshop.provider.is_metered else missing

    async def _tell_of_wait(self, limited: ProviderRateLimited, seconds: float) -> None:
        waiting = BatchRetrying(batch_id=self._claim.batch_id, code=limited.code, delay_seconds=seconds)
        lease_seconds = self._workshop.settings.lease_seconds
        wakeup = await self._workshop.persist(
            partial(steps.wait, claim=self._claim, waiting=waiting, lease_seconds=lease_seconds)
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
