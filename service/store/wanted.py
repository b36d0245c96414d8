"""Every SQL statement about the batches that must be in the queue: the outbox."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.plans import WantedBatch
from schemas.states import BatchState, Priority
from service.rules import lifecycle
from service.store.database import Tx, db_now, seconds_from_now
from service.store.tables import batches, generations


async def find(tx: Tx, *, limit: int, generation_id: UUID | None = None) -> list[WantedBatch]:
    """The outbox: batches that must be in the queue by now, the longest wanted first."""
    found = (
        sa.select(batches, generations.c.priority, generations.c.requested_at)
        .join(generations, generations.c.id == batches.c.generation_id)
        .where(
            batches.c.state == BatchState.PENDING,
            batches.c.wanted_at <= db_now(),
            generations.c.state.in_(lifecycle.CLAIMABLE),
        )
    )
    if generation_id:
        found = found.where(batches.c.generation_id == generation_id)
    rows = (await tx.execute(found.order_by(batches.c.wanted_at, batches.c.position).limit(limit))).all()
    ahead = await _ahead(tx, {row.generation_id for row in rows})
    return [
        WantedBatch(
            batch_id=row.id,
            fence=row.fence,
            priority=Priority(row.priority),
            requested_at=row.requested_at,
            place=ahead[row.generation_id] + row.position,
            is_begun=row.attempts > 0,
        )
        for row in rows
    ]


async def _ahead(tx: Tx, generation_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many batches of the same owner's earlier orders have not begun yet, by order."""
    older = generations.alias("older")
    waiting = sa.select(sa.func.count()).where(
        batches.c.generation_id == older.c.id, batches.c.state == BatchState.PENDING, batches.c.attempts == 0
    )
    before = (
        sa.select(generations.c.id, sa.func.sum(waiting.scalar_subquery()).label("waiting"))
        .join(older, (older.c.owner == generations.c.owner) & (older.c.requested_at < generations.c.requested_at))
        .where(generations.c.id.in_(generation_ids), older.c.state.in_(lifecycle.CLAIMABLE))
        .group_by(generations.c.id)
    )
    counts = {row.id: row.waiting for row in await tx.execute(before)}
    return {generation_id: counts.get(generation_id, 0) for generation_id in generation_ids}


async def look_again(tx: Tx, queued: Sequence[WantedBatch], *, in_seconds: float) -> None:
    """They were just put into the queue: want them again only when they are still pending after a while.

    Those that someone changes right now are left out: they are looked at again soon enough.
    """
    places = [(batch.batch_id, batch.fence) for batch in queued]
    same = sa.select(batches.c.id).where(
        sa.tuple_(batches.c.id, batches.c.fence).in_(places), batches.c.state == BatchState.PENDING
    )
    moved = sa.update(batches).where(batches.c.id.in_(same.with_for_update(skip_locked=True)))
    await tx.execute(moved.values(wanted_at=seconds_from_now(in_seconds)))


async def want_open(tx: Tx, generation_id: UUID) -> None:
    """What waits must be in the queue again, each when it is due."""
    waiting = sa.update(batches).where(batches.c.generation_id == generation_id, batches.c.state == BatchState.PENDING)
    await tx.execute(waiting.values(wanted_at=sa.func.coalesce(batches.c.not_before, db_now())))
