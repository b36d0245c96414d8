"""The job that brings a quiz into a course in Canvas. It may die anywhere: the next one goes on where it stands."""

import asyncio
import time
from functools import partial
from uuid import UUID

import structlog
from redis import RedisError

from jobs.batch import JobContext
from jobs.canvas.delivery import Delivery
from jobs.canvas.errors import CanvasError
from jobs.canvas.lease import Lease
from jobs.workshop import Workshop
from schemas.publications import PublicationClaim
from schemas.questions import Question
from service.errors import LeaseLost, Unavailable
from service.rules.canvas import Unsayable
from service.store import publications, questions

TRIES_MAX = 5
REDIS_AGAIN_SECONDS = 5.0
QUESTIONS_MAX = 100_000
TOKEN_GONE = "the token is not kept any longer: publish again"  # noqa: S105 # words, not a token

log = structlog.get_logger()


async def publish_quiz(context: JobContext, publication_id: str, fence: int) -> None:
    """Publish a quiz unless someone else does. Running it twice is harmless: the second claims nothing."""
    workshop = context["workshop"]
    lease_seconds = workshop.settings.lease_seconds
    lease = Lease(lease_seconds)
    claim = await workshop.persist(
        partial(publications.claim, publication_id=UUID(publication_id), fence=fence, lease_seconds=lease_seconds)
    )
    if claim is None:
        return
    work = asyncio.create_task(_work(workshop, claim, lease))
    workshop.begin(work)
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        work.cancel()
        await asyncio.wait({work})
        raise


async def _work(workshop: Workshop, claim: PublicationClaim, lease: Lease) -> None:
    keeping = asyncio.create_task(_keep_lease(workshop, claim, lease))
    try:
        await _attempt(workshop, claim, lease)
    except LeaseLost as lost:
        log.info("stopped: the publication is not ours any more", reason=str(lost))
    except Unavailable as away:
        log.warning("stopped: the database is away, and the lease will run out", reason=str(away))
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep_lease(workshop: Workshop, claim: PublicationClaim, lease: Lease) -> None:
    """The heartbeat, until it is cancelled or the claim is lost; what is written under a lost one is refused."""
    settings = workshop.settings
    while True:
        await asyncio.sleep(settings.heartbeat_seconds)
        at = time.monotonic()
        try:
            async with workshop.database.write() as tx:
                await publications.renew(tx, claim, lease_seconds=settings.lease_seconds)
        except LeaseLost:
            return
        except Unavailable as error:
            log.warning("could not renew a lease", error=str(error))
        else:
            lease.renewed(at)


async def _attempt(workshop: Workshop, claim: PublicationClaim, lease: Lease) -> None:
    """One claim. However it ends, it ends in exactly one step. Raises LeaseLost, Unavailable."""
    try:
        token = await workshop.canvas_tokens.find(claim.publication_id)
    except (RedisError, OSError) as error:
        log.warning("the token can't be read; later", error=repr(error))
        await workshop.persist(partial(publications.release, claim=claim, in_seconds=REDIS_AGAIN_SECONDS))
        return
    try:
        failure = await _failure(workshop, claim, lease, token)
    except asyncio.CancelledError:
        await workshop.persist(partial(publications.release, claim=claim, in_seconds=0.0))
        raise
    if failure is None:
        await workshop.persist(partial(publications.complete, claim=claim))
    else:
        await workshop.persist(partial(publications.fail, claim=claim, message=failure))
    try:
        await workshop.canvas_tokens.forget(claim.publication_id)
    except (RedisError, OSError) as error:
        log.warning("the token ends by itself", error=repr(error))


async def _failure(workshop: Workshop, claim: PublicationClaim, lease: Lease, token: str | None) -> str | None:
    """Publish it. Returns None when that is done, else why not. Raises LeaseLost, Unavailable."""
    bound = log.bind(publication_id=str(claim.publication_id), quiz_id=str(claim.quiz_id))
    if claim.tries > TRIES_MAX:
        return f"it took its worker down {TRIES_MAX} times"
    if token is None:
        return TOKEN_GONE
    try:
        chosen = await _chosen(workshop, claim)
        await Delivery(workshop, claim, lease, token, chosen).run()
    except CanvasError as error:
        bound.warning("not published", reason=str(error))
        return str(error)
    except Unsayable as error:
        return f"a question was changed, and {error}: publish again"
    except (LeaseLost, Unavailable):
        raise
    except Exception as error:  # the outermost loop of the job: it records what nobody foresaw
        log.exception("publishing failed unexpectedly", publication_id=str(claim.publication_id))
        return f"internal error: {type(error).__name__}"
    bound.info("published", questions=len(chosen))
    return None


async def _chosen(workshop: Workshop, claim: PublicationClaim) -> list[Question]:
    """The questions as they are now, in the order in which they were chosen. Raises CanvasError, Unavailable."""
    async with workshop.database.read() as tx:
        found = await questions.of_quiz(tx, claim.quiz_id, review=None, limit=QUESTIONS_MAX)
    by_id = {question.id: question for question in found}
    gone = sum(question_id not in by_id for question_id in claim.question_ids)
    if gone:
        raise CanvasError(f"{gone} of its questions are not there any more: publish again")
    return [by_id[question_id] for question_id in claim.question_ids]
