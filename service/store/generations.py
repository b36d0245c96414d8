"""Every SQL statement about generations."""

import itertools
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from schemas.calls import CallSum, Spending
from schemas.generations import Batch, Generation, Links
from schemas.lists import Page
from schemas.orders import OrderOptions
from schemas.plans import Wakeup
from schemas.states import BatchState, EntityType, ErrorCode, GenerationState, Priority
from service.errors import NotFound
from service.rules import lifecycle, progress, spending
from service.store import batches, calls, cursors, events
from service.store.database import Tx, db_now, seconds_from_now
from service.store.tables import batches as batch_rows
from service.store.tables import generations

# Every change comes through it: it is built once.
_LOCK = sa.select(generations.c.state).where(generations.c.id == sa.bindparam("generation")).with_for_update()

RESUMABLE = frozenset({GenerationState.PARTIAL, GenerationState.FAILED, GenerationState.PAUSED})


async def insert(
    tx: Tx,
    generation_id: UUID,
    *,
    quiz_id: UUID,
    owner: str,
    entity_type: EntityType,
    options: OrderOptions,
) -> None:
    await tx.execute(
        sa.insert(generations).values(
            id=generation_id,
            quiz_id=quiz_id,
            owner=owner,
            state=GenerationState.PENDING,
            entity_type=entity_type,
            priority=options.priority,
            instructions=options.instructions,
            model=options.model,
            cost_max_usd=options.cost_max_usd,
            run=1,
            requested_at=db_now(),
            active_since=db_now(),
        )
    )


async def lock(tx: Tx, generation_id: UUID) -> GenerationState:
    """Lock the generation's row: the first statement of every transaction that changes anything of it.

    So all its changes happen one after another, and its log has no gap. (SQLite's BEGIN IMMEDIATE locks already.)
    """
    return GenerationState((await tx.execute(_LOCK, {"generation": generation_id})).scalar_one())


async def start(tx: Tx, generation_id: UUID) -> bool:
    """The first claim of a run starts the generation. False: it had started."""
    started = _change(generation_id, GenerationState.PROCESSING, from_states={GenerationState.PENDING})
    return (await tx.execute(started.values(started_at=db_now()))).rowcount == 1


async def end(tx: Tx, generation_id: UUID, target: GenerationState) -> bool:
    """Make it terminal. False: the state does not allow it."""
    assert target.is_terminal, f"{target} is no end"
    ended = _change(generation_id, target, from_states=lifecycle.generation_sources(target))
    return (await tx.execute(ended.values(completed_at=db_now()))).rowcount == 1


async def run_again(tx: Tx, generation_id: UUID) -> bool:
    """A retry: the next run begins, for one that ran out of time unclaimed the first. False: the state forbids it."""
    sources = {GenerationState.PARTIAL, GenerationState.FAILED}
    again = _change(generation_id, GenerationState.PROCESSING, from_states=sources)
    started_at = sa.func.coalesce(generations.c.started_at, db_now())
    again = again.values(run=generations.c.run + 1, completed_at=None, active_since=db_now(), started_at=started_at)
    return (await tx.execute(again)).rowcount == 1


async def pause(tx: Tx, generation_id: UUID) -> bool:
    """False: the state does not allow it."""
    paused = _change(generation_id, GenerationState.PAUSED, from_states=lifecycle.CLAIMABLE)
    return (await tx.execute(paused)).rowcount == 1


async def resume(tx: Tx, generation_id: UUID, *, paused_at: datetime) -> bool:
    """Back to where it was; the time since `paused_at` does not count as worked. False: it is not paused."""
    found = sa.select(generations.c.active_since).where(generations.c.id == generation_id)
    active_since: datetime = (await tx.execute(found)).scalar_one()
    worked_seconds = (paused_at - active_since).total_seconds()
    for target, has_started in ((GenerationState.PROCESSING, True), (GenerationState.PENDING, False)):
        resumed = _change(generation_id, target, from_states={GenerationState.PAUSED})
        resumed = resumed.where(generations.c.started_at.is_not(None) == has_started)
        if (await tx.execute(resumed.values(active_since=seconds_from_now(-worked_seconds)))).rowcount == 1:
            return True
    return False


async def model_of(tx: Tx, generation_id: UUID) -> str | None:
    """The model that its order asked for."""
    found = sa.select(generations.c.model).where(generations.c.id == generation_id)
    model: str | None = (await tx.execute(found)).scalar_one()
    return model


async def limit_cost(tx: Tx, generation_id: UUID, cost_max_usd: float) -> None:
    """From now on its calls may cost that much in all."""
    limited = sa.update(generations).where(generations.c.id == generation_id)
    await tx.execute(limited.values(cost_max_usd=cost_max_usd))


async def overdue(tx: Tx, *, after_seconds: float, limit: int) -> list[UUID]:
    """Generations whose run has worked for longer than `after_seconds`."""
    found = sa.select(generations.c.id).where(
        generations.c.state.in_(lifecycle.CLAIMABLE), generations.c.active_since < seconds_from_now(-after_seconds)
    )
    return list((await tx.execute(found.limit(limit))).scalars())


async def growing(tx: Tx, *, limit: int) -> list[Wakeup]:
    """How far the logs of active generations go."""
    found = sa.select(generations.c.id, generations.c.last_seq).where(generations.c.state.in_(lifecycle.CLAIMABLE))
    return [Wakeup(generation_id=row.id, seq=row.last_seq) for row in await tx.execute(found.limit(limit))]


async def is_of(tx: Tx, owner: str, generation_id: UUID) -> bool:
    found = sa.select(generations.c.id).where(generations.c.id == generation_id, generations.c.owner == owner)
    return (await tx.execute(found)).first() is not None


async def require(tx: Tx, owner: str, generation_id: UUID) -> None:
    """Raises NotFound for an unknown id and for another owner's."""
    if not await is_of(tx, owner, generation_id):
        raise NotFound(f"there is no generation {generation_id}")


async def watched(tx: Tx, generation_id: UUID) -> tuple[str, int, GenerationState]:
    """Whose it is, how far its log goes, its state. Raises NotFound."""
    found = sa.select(generations.c.owner, generations.c.last_seq, generations.c.state)
    row = (await tx.execute(found.where(generations.c.id == generation_id))).first()
    if row is None:
        raise NotFound(f"there is no generation {generation_id}")
    return row.owner, row.last_seq, GenerationState(row.state)


async def load(tx: Tx, owner: str, generation_id: UUID) -> Generation:
    """Raises NotFound."""
    found = sa.select(generations).where(generations.c.id == generation_id, generations.c.owner == owner)
    row = (await tx.execute(found)).first()
    if row is None:
        raise NotFound(f"there is no generation {generation_id}")
    return (await _whole(tx, [row]))[0]


async def page(tx: Tx, owner: str, wanted: "Filter", *, limit: int, cursor: str | None) -> Page[Generation]:
    """Newest first. Raises BadRequest for a forged cursor."""
    found = sa.select(generations).where(generations.c.owner == owner, *wanted.conditions())
    if cursor:
        at, row_id = cursors.decode(cursor)
        place = sa.tuple_(sa.literal(at, generations.c.requested_at.type), sa.literal(row_id, sa.Uuid()))
        found = found.where(sa.tuple_(generations.c.requested_at, generations.c.id) < place)
    newest = found.order_by(generations.c.requested_at.desc(), generations.c.id.desc()).limit(limit + 1)
    rows = (await tx.execute(newest)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    more = cursors.encode(last.requested_at, last.id) if last else None
    return Page[Generation](items=tuple(await _whole(tx, rows[:limit])), next_cursor=more)


class Filter:
    """Which generations a list shows; None = any."""

    def __init__(
        self,
        *,
        status: GenerationState | None = None,
        entity_type: EntityType | None = None,
        quiz_id: UUID | None = None,
        resumable: bool | None = None,
    ) -> None:
        self.equal = {"state": status, "entity_type": entity_type, "quiz_id": quiz_id}
        self.resumable = resumable

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        matches = [generations.c[name] == value for name, value in self.equal.items() if value is not None]
        if self.resumable is None:
            return matches
        failed = sa.exists().where(
            batch_rows.c.generation_id == generations.c.id, batch_rows.c.state == BatchState.FAILED
        )
        ended = generations.c.state.in_(RESUMABLE - {GenerationState.PAUSED}) & failed
        resumable = sa.or_(generations.c.state == GenerationState.PAUSED, ended)
        return [*matches, resumable if self.resumable else sa.not_(resumable)]


def _change(generation_id: UUID, target: GenerationState, *, from_states: Collection[GenerationState]) -> sa.Update:
    assert set(from_states) <= lifecycle.generation_sources(target), f"no way to {target} from {from_states}"
    changed = sa.update(generations).where(generations.c.id == generation_id, generations.c.state.in_(from_states))
    return changed.values(state=target)


async def _whole(tx: Tx, rows: Sequence[sa.Row[*tuple[object, ...]]]) -> list[Generation]:
    ids = [row.id for row in rows]
    sums = await calls.sums(tx, ids)
    plans = await batches.of_generations(tx, ids, spending.by_batch(itertools.chain(*sums.values())))
    working = [row.id for row in rows if row.state == GenerationState.PROCESSING]
    waits = {generation_id: await events.waiting_for(tx, generation_id) for generation_id in working}
    return [_generation(row, plans[row.id], sums[row.id], waits.get(row.id)) for row in rows]


def _generation(
    row: sa.Row[*tuple[object, ...]], plan: list[Batch], sums: Sequence[CallSum], waiting_for: ErrorCode | None
) -> Generation:
    state = GenerationState(row.state)
    requested = sum(batch.target_count for batch in plan)
    saved = sum(batch.saved_count for batch in plan)
    failed = [batch for batch in plan if batch.status is BatchState.FAILED]
    held = sum(batch.held_count for batch in plan)
    usage = spending.usage(sums, accepted_count=saved + held)
    spent = Spending(cost_usd=usage.cost_usd, cost_max_usd=row.cost_max_usd)
    error = progress.summary([batch.error for batch in failed if batch.error])
    base = f"/api/generations/{row.id}"
    return Generation(
        id=row.id,
        quiz_id=row.quiz_id,
        entity_type=EntityType(row.entity_type),
        status=state,
        priority=Priority(row.priority),
        requested_count=requested,
        generated_count=saved,
        failed_count=sum(batch.target_count for batch in failed),
        held_count=held,
        message=progress.message(state, requested, saved, waiting_for=waiting_for),
        error=spending.stopped(spent) if state is GenerationState.PAUSED and spent.is_reached else error,
        can_resume=progress.can_resume(state, len(failed)),
        requested_at=row.requested_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        last_event_id=row.last_seq,
        batches=tuple(plan),
        usage=usage,
        cost_max_usd=row.cost_max_usd,
        links=Links(events=f"{base}/events", questions=f"{base}/questions", retry=f"{base}/retry"),
    )
