"""The main job: claim a batch, ask for what is missing, check, keep, complete."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TypedDict
from uuid import UUID

import structlog

from jobs.asking import Asking
from jobs.checkpoint import Checkpoint
from jobs.providers.base import ProviderError
from jobs.workshop import Workshop, outlasted
from schemas.calls import Call
from schemas.generations import BatchError
from schemas.plans import Claim, Place, Wakeup
from schemas.states import ErrorCode
from service import failpoints
from service.errors import LeaseLost, Unavailable
from service.failpoints import Place as Failpoint
from service.rules import retries
from service.store import budget, steps

Step = Callable[..., Coroutine[None, None, Wakeup]]
"""Of service/store/steps.py, without the transaction and the calls that are not written yet."""

log = structlog.get_logger()


class JobContext(TypedDict):
    """What arq hands to a job."""

    workshop: Workshop


async def run_batch(context: JobContext, batch_id: str, fence: int) -> None:
    """Work on a batch unless someone else has it. Running it twice is harmless: the second claim finds nothing."""
    workshop = context["workshop"]
    claim = await workshop.claims.take(Place(UUID(batch_id), fence))
    if claim is None:
        return
    work = asyncio.create_task(_work(workshop, claim))
    workshop.take(claim, work)
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        work.cancel()
        await asyncio.wait({work})
        raise


async def _work(workshop: Workshop, claim: Claim) -> None:
    """One attempt. However it ends, it ends in exactly one step."""
    bound = log.bind(generation_id=str(claim.generation_id), batch_id=str(claim.batch_id), attempt=claim.number)
    try:
        step, unwritten = await _attempt(workshop, claim)
        try:
            await _conclude(workshop, claim, step, unwritten)
        except LeaseLost as lost:
            bound.info("stopped: the batch is not ours any more", reason=str(lost))
            await workshop.persist(partial(budget.charge_late, claim=claim, ended=unwritten))
    except Unavailable as away:
        bound.warning("stopped: the database is away, and the lease will run out", reason=str(away))
    except Exception:  # the end could not be written, for a reason nobody foresaw
        log.exception("stopped: the end could not be written, and the lease will run out", batch_id=str(claim.batch_id))


async def _attempt(workshop: Workshop, claim: Claim) -> tuple[Step | None, Sequence[Call]]:
    """Fill the batch; returns the step that ends the attempt, and what is to be charged even if that is refused.

    None: it is whole, and to be saved. Raises Unavailable.
    """
    checkpoint = None
    step: Step | None = None
    try:
        failpoints.reach(Failpoint.AFTER_CLAIM)
        checkpoint = await Checkpoint.open(workshop, claim)
        try:
            await Asking(workshop, checkpoint).fill()
        finally:
            await checkpoint.settle()
    except (asyncio.CancelledError, LeaseLost):
        # Stopped or paused. If the batch is someone else's by now, this is refused and changes nothing.
        is_whole = checkpoint is not None and checkpoint.held_count == claim.target_count
        step = None if is_whole else partial(steps.release, claim=claim)
    except ProviderError as error:
        reason = BatchError(code=error.code, message=str(error))
        seconds = error.retry_after_seconds or 0
        step = _bad_end(workshop, claim, reason, is_transient=error.is_transient, retry_after_seconds=seconds)
    except Unavailable:
        raise
    except Exception as error:  # the outermost loop of the job: it records what nobody foresaw
        log.exception("batch failed unexpectedly", batch_id=str(claim.batch_id))
        reason = BatchError(code=ErrorCode.INTERNAL, message=f"internal error: {type(error).__name__}")
        step = _bad_end(workshop, claim, reason, is_transient=True)
    return step, checkpoint.unwritten_calls if checkpoint else ()


def _bad_end(
    workshop: Workshop, claim: Claim, reason: BatchError, *, is_transient: bool, retry_after_seconds: float = 0
) -> Step:
    """Another attempt later, not before the provider said; or the end of the batch for this run."""
    if not is_transient or claim.run_attempt >= workshop.settings.generation_retries_max:
        return partial(steps.fail, claim=claim, error=reason)
    delay = retries.delay_seconds(claim.run_attempt, jitter=random.random())  # noqa: S311 # jitter, not a secret
    delay = max(delay, retry_after_seconds)
    return partial(steps.delay, claim=claim, error=reason, delay_seconds=delay)


async def _conclude(workshop: Workshop, claim: Claim, step: Step | None, unwritten: Sequence[Call]) -> None:
    """A stop in the middle waits for this last write."""
    failpoints.reach(Failpoint.BEFORE_COMPLETE)
    generation_id = claim.generation_id
    if step is None:
        end = workshop.persist_together(steps.complete, (claim, unwritten), about=generation_id)
    else:
        end = workshop.persist(partial(step, ended=unwritten), about=generation_id)
    writing = asyncio.create_task(end)
    try:
        wakeup = await outlasted(writing)
    except asyncio.CancelledError:
        wakeup = writing.result()
    failpoints.reach(Failpoint.AFTER_COMPLETE)
    await workshop.broadcast.announce(wakeup)
