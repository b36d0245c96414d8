"""The steps about money: a call is charged, and a generation whose cost reaches its limit is paused.

Like store/steps.py, in the caller's transaction.
"""

from collections.abc import Sequence
from uuid import UUID

from schemas.calls import Call
from schemas.events import GenerationPaused
from schemas.plans import Claim, Wakeup
from schemas.states import PauseReason
from service.errors import StateConflict
from service.rules import lifecycle, progress, spending
from service.store import attempts, batches, calls, events, generations
from service.store.database import Tx


async def charge(tx: Tx, ended: Sequence[tuple[Claim, Sequence[Call]]]) -> Wakeup | None:
    """Write calls of one generation, in the transaction that has entered and holds what they brought.

    A Wakeup: that was the limit.
    """
    await calls.insert(tx, ended)
    has_limit = any(claim.cost_max_usd is not None and calls_of_claim for claim, calls_of_claim in ended)
    return await pause_if_reached(tx, ended[0][0].generation_id) if has_limit else None


async def charge_late(tx: Tx, claim: Claim, ended: Sequence[Call]) -> None:
    """Calls that were cut because their batch was ended by others: they were paid for all the same.

    Not of an attempt whose batch was taken over: whoever was frozen meanwhile writes nothing.
    """
    if not ended:
        return
    await generations.lock(tx, claim.generation_id)
    if await attempts.has_let_go(tx, claim):
        await calls.insert(tx, [(claim, ended)])


async def pause_if_reached(tx: Tx, generation_id: UUID) -> Wakeup | None:
    """Pause a generation that has cost what it may, unless nothing more is to be asked for. None: it goes on."""
    if await generations.lock(tx, generation_id) not in lifecycle.CLAIMABLE:
        return None
    if not (await calls.spending(tx, generation_id)).is_reached:
        return None
    if not progress.open_count(await batches.tallies(tx, generation_id)):
        return None
    has_paused = await generations.pause(tx, generation_id)
    assert has_paused, "the lock holds the state that was just read"
    return await events.append(tx, generation_id, [GenerationPaused(reason=PauseReason.COST_CAP)])


async def require_room(
    tx: Tx, generation_id: UUID, *, cost_max_usd: float | None, verb: str, dry_run: bool = False
) -> None:
    """Set a new limit, if one is given; work may go on below it only. Raises StateConflict."""
    spent = await calls.spending(tx, generation_id)
    if cost_max_usd is not None:
        spent = spent.model_copy(update={"cost_max_usd": cost_max_usd})
    if spent.is_reached:
        raise StateConflict(f"generation {generation_id} can't be {verb}: {spending.reached(spent)}")
    if cost_max_usd is not None and not dry_run:
        await generations.limit_cost(tx, generation_id, cost_max_usd)
