"""The job that finds out what a module is about, once for all modules of its owner with the same text."""

import asyncio
import random
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from functools import partial
from itertools import count
from uuid import UUID

import structlog

from jobs.batch import JobContext
from jobs.governor.governor import Turn, Wish
from jobs.providers.base import AnswerMalformed, ProviderError, RateLimits, Source, TopicDraft, TopicsRequest, Usage
from jobs.topic_checks import settled
from jobs.workshop import Workshop
from schemas.states import ErrorCode
from schemas.topics import IdentificationClaim, IdentificationFailure, Topic, TopicsUsage
from service.errors import LeaseLost, Unavailable
from service.rules import retries
from service.store import topics

TRIES_MAX = 3
PAUSE_SECONDS_MAX = 20.0
"""A provider that wants to be left alone for longer fails the identification: a user waits for it."""

QUESTIONS_WORTH = 2
"""An answer is about as long as so many questions."""

log = structlog.get_logger()


async def identify_topics(context: JobContext, identification_id: str, fence: int) -> None:
    """Identify a module's topics unless someone else does. Running it twice is harmless: the second claims nothing."""
    workshop = context["workshop"]
    lease_seconds = workshop.settings.lease_seconds
    claim = await workshop.persist(
        partial(topics.claim, identification_id=UUID(identification_id), fence=fence, lease_seconds=lease_seconds)
    )
    if claim is None:
        return
    work = asyncio.create_task(_work(workshop, claim))
    workshop.begin(work)
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        work.cancel()
        await asyncio.wait({work})
        raise


async def _work(workshop: Workshop, claim: IdentificationClaim) -> None:
    keeping = asyncio.create_task(_keep_lease(workshop, claim))
    try:
        await _attempt(workshop, claim)
    except LeaseLost as lost:
        log.info("stopped: the topics are not ours any more", reason=str(lost))
    except Unavailable as away:
        log.warning("stopped: the database is away, and the lease will run out", reason=str(away))
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep_lease(workshop: Workshop, claim: IdentificationClaim) -> None:
    """The heartbeat, until it is cancelled or the claim is lost; what is written under a lost one is refused."""
    settings = workshop.settings
    while True:
        await asyncio.sleep(settings.heartbeat_seconds)
        try:
            async with workshop.database.write() as tx:
                await topics.renew(tx, claim, lease_seconds=settings.lease_seconds)
        except LeaseLost:
            return
        except Unavailable as error:
            log.warning("could not renew a lease", error=str(error))


async def _attempt(workshop: Workshop, claim: IdentificationClaim) -> None:
    """One claim. However it ends, it ends in exactly one step. Raises LeaseLost, Unavailable."""
    asking = TopicsAsking(workshop, claim)
    try:
        outcome = await _outcome(asking, claim)
    except asyncio.CancelledError:
        await workshop.persist(partial(topics.release, claim=claim, spent=asking.spent))
        raise
    if isinstance(outcome, IdentificationFailure):
        await workshop.persist(partial(topics.fail, claim=claim, failure=outcome, spent=asking.spent))
    else:
        await workshop.persist(partial(topics.keep, claim=claim, found=outcome, spent=asking.spent))
    await workshop.broadcast.announce_identified(claim.module_id)


async def _outcome(asking: "TopicsAsking", claim: IdentificationClaim) -> tuple[Topic, ...] | IdentificationFailure:
    bound = log.bind(module_id=str(claim.module_id))
    if claim.tries > TRIES_MAX:
        return IdentificationFailure(code=ErrorCode.POISONED, message=f"It took its worker down {TRIES_MAX} times.")
    try:
        found = await asking.found()
    except ProviderError as error:
        failure = IdentificationFailure(code=error.code, message=str(error))
        bound.warning("topics not identified", code=failure.code, reason=failure.message, **asking.spent.model_dump())
        return failure
    except Exception as error:  # the outermost loop of the job: it records what nobody foresaw
        log.exception("topics failed unexpectedly", module_id=str(claim.module_id), **asking.spent.model_dump())
        return IdentificationFailure(code=ErrorCode.INTERNAL, message=f"internal error: {type(error).__name__}")
    bound.info("topics identified", count=len(found), **asking.spent.model_dump())
    return found


class TopicsAsking:
    """The calls about one module, and what they have cost."""

    def __init__(self, workshop: Workshop, claim: IdentificationClaim) -> None:
        self.spent = TopicsUsage()
        self._owner = claim.owner
        self._workshop = workshop
        self._source = Source(
            module_id=claim.module_id, name=claim.module_name, text=claim.text, language=claim.language
        )

    async def found(self) -> tuple[Topic, ...]:
        """A failure that may pass is tried again, GENERATION_RETRIES_MAX times in all. Raises ProviderError."""
        settings = self._workshop.settings
        for attempt in count(1):
            model = settings.models[min(attempt, len(settings.models)) - 1]
            try:
                return await self._call(TopicsRequest(source=self._source, model=model))
            except ProviderError as error:
                delay_seconds = retries.delay_seconds(attempt, jitter=random.random())  # noqa: S311 # no secret
                delay_seconds = max(delay_seconds, error.retry_after_seconds or 0)
                is_last = attempt >= settings.generation_retries_max or delay_seconds > PAUSE_SECONDS_MAX
                if is_last or not error.is_transient:
                    raise
                log.info("topics are asked for again", reason=str(error), delay_seconds=delay_seconds)
            await asyncio.sleep(delay_seconds)
        raise AssertionError("the loop ends by itself")

    async def _call(self, request: TopicsRequest) -> tuple[Topic, ...]:
        """One call through the governor. Raises ProviderError."""
        drafts: list[TopicDraft] = []
        async with self._turn(request) as turn, aclosing(self._workshop.provider.topics(request)) as answers:
            async for answer in answers:
                match answer:
                    case TopicDraft():
                        drafts.append(answer)
                        turn.has_brought = True
                    case RateLimits():
                        await self._workshop.governor.hear(turn, answer)
                    case Usage():
                        turn.usage = answer
                        self._add(answer, is_wasted=not drafts)
        found = settled(drafts, request.source.text)
        if drafts and not found:
            raise AnswerMalformed("None of the topics in the answer quotes the module.")
        return found

    def _turn(self, request: TopicsRequest) -> AbstractAsyncContextManager[Turn]:
        """What costs nothing waits for nobody."""
        provider = self._workshop.provider
        if not provider.is_metered:
            return nullcontext(Turn())
        assert request.model, "there is always a model to ask"
        weight = provider.weigh(request.source, QUESTIONS_WORTH)
        return self._workshop.governor.turn(Wish(model=request.model, weight=weight, owner=self._owner))

    def _add(self, usage: Usage, *, is_wasted: bool) -> None:
        self.spent = TopicsUsage(
            llm_calls=self.spent.llm_calls + 1,
            wasted_calls=self.spent.wasted_calls + is_wasted,
            input_tokens=self.spent.input_tokens + usage.input_tokens,
            output_tokens=self.spent.output_tokens + usage.output_tokens,
            cache_read_tokens=self.spent.cache_read_tokens + usage.cache_read_tokens,
            cost_usd=self.spent.cost_usd + (usage.cost_usd or 0),
        )
