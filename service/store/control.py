"""What users may do to a generation: pause, resume, accept. Like store/steps.py, in the caller's transaction."""

from uuid import UUID

from schemas.events import BatchCompleted, GenerationPaused, GenerationResumed
from schemas.generations import Batch
from schemas.plans import Wakeup
from schemas.states import BatchState, GenerationState
from service.errors import NotFound, StateConflict
from service.store import attempts, batches, budget, events, generations, questions, steps, wanted
from service.store.database import Tx


async def pause(tx: Tx, generation_id: UUID) -> Wakeup | None:
    """No batch of it is claimed any more; its workers hold what passed and let go. None: it was paused before.

    Raises StateConflict.
    """
    state = await generations.lock(tx, generation_id)
    if state is GenerationState.PAUSED:
        return None
    if not await generations.pause(tx, generation_id):
        raise StateConflict(f"generation {generation_id} can't be paused: it is {state}")
    return await events.append(tx, generation_id, [GenerationPaused()])


async def resume(tx: Tx, generation_id: UUID, *, cost_max_usd: float | None = None) -> Wakeup:
    """Go on where it was paused, with a new limit of its cost if one is given.

    Raises StateConflict, also while the limit is reached.
    """
    state = await generations.lock(tx, generation_id)
    if state is GenerationState.PAUSED:
        await budget.require_room(tx, generation_id, cost_max_usd=cost_max_usd, verb="resumed")
    paused_at = await events.last_at(tx, generation_id, GenerationPaused)
    if paused_at is None or not await generations.resume(tx, generation_id, paused_at=paused_at):
        raise StateConflict(f"generation {generation_id} can't be resumed: it is {state}")
    await wanted.want_open(tx, generation_id)
    return await events.append(tx, generation_id, [GenerationResumed()])


async def accept(tx: Tx, owner: str, batch_id: UUID, *, generation_id: UUID | None = None) -> tuple[Batch, Wakeup]:
    """Finish a failed batch with what it holds: that becomes its target.

    Raises NotFound, also for a batch of another generation than the one named; StateConflict.
    """
    generation_id = await _generation_of(tx, owner, batch_id, expected=generation_id)
    if await generations.lock(tx, generation_id) is GenerationState.CANCELLED:
        raise StateConflict(f"batch {batch_id} can't be accepted: generation {generation_id} is cancelled")
    batch = await _batch(tx, generation_id, batch_id)
    if batch.status is not BatchState.FAILED or not batch.held_count:
        raise StateConflict(f"batch {batch_id} can't be accepted: it is {batch.status} and holds {batch.held_count}")
    await batches.accept(tx, batch_id)
    saved = await questions.save(tx, [batch_id])
    assert saved == batch.held_count, f"batch {batch_id} counts {batch.held_count} held, but has {saved}"
    await attempts.accept_last(tx, batch_id)
    done = BatchCompleted(batch_id=batch_id, batch_key=batch.batch_key, saved_count=saved, target_count=saved)
    wakeup = await steps.close(tx, generation_id, [done])
    return await _batch(tx, generation_id, batch_id), wakeup


async def _generation_of(tx: Tx, owner: str, batch_id: UUID, *, expected: UUID | None) -> UUID:
    """Raises NotFound for an unknown batch and, in the same words, for another owner's or generation's."""
    generation_id = await batches.generation_of(tx, batch_id)
    if generation_id and expected in {None, generation_id} and await generations.is_of(tx, owner, generation_id):
        return generation_id
    raise NotFound(f"there is no batch {batch_id}")


async def _batch(tx: Tx, generation_id: UUID, batch_id: UUID) -> Batch:
    plan = (await batches.of_generations(tx, [generation_id]))[generation_id]
    return next(batch for batch in plan if batch.id == batch_id)
