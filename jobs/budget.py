"""Lets a call of a generation with a cost limit begin only when it will probably stay below that limit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from jobs.checkpoint import Checkpoint
from jobs.workshop import Workshop
from schemas.calls import Spending
from service.errors import LeaseLost
from service.rules import estimate
from service.store import budget, calls


@asynccontextmanager
async def room(workshop: Workshop, checkpoint: Checkpoint, *, model: str, count: int) -> AsyncIterator[None]:
    """Wait until the call fits below the limit beside those in flight on this worker; alone, it always does.

    So the limit is exceeded by what one call for each worker turns out to cost, at most. Raises LeaseLost when the
    limit is reached: the generation is paused.
    """
    claim = checkpoint.claim
    if claim.cost_max_usd is None or not workshop.provider.is_metered:
        yield
        return
    expected_usd = estimate.call_cost_usd(model, claim.question_type, len(checkpoint.source.text), count) or 0.0
    commitments = workshop.commitments
    while not _fits(await _spending(workshop, checkpoint), commitments.usd(claim.generation_id), expected_usd):
        await commitments.freed(claim.generation_id)
    with commitments.of(claim.generation_id, expected_usd):
        try:
            yield
        finally:
            # Its cost is in the database before the next call looks there.
            await checkpoint.settle()


def _fits(spent: Spending, in_flight_usd: float | None, expected_usd: float) -> bool:
    if in_flight_usd is None or spent.cost_max_usd is None:
        return True
    return spent.cost_usd + in_flight_usd + expected_usd <= spent.cost_max_usd


async def _spending(workshop: Workshop, checkpoint: Checkpoint) -> Spending:
    generation_id = checkpoint.claim.generation_id
    async with workshop.database.read() as tx:
        spent = await calls.spending(tx, generation_id)
    if not spent.is_reached:
        return spent
    wakeup = await workshop.persist(partial(budget.pause_if_reached, generation_id=generation_id))
    if wakeup:
        await workshop.broadcast.announce_stopped(generation_id)
        await workshop.broadcast.announce(wakeup)
    raise LeaseLost(f"generation {generation_id} has cost what it may")
