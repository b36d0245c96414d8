"""Every SQL statement about batches. Each change of state is a compare-and-set; a job's carry its fence."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from schemas.calls import CallTotals
from schemas.generations import Batch, BatchError
from schemas.plans import BatchPlan, Claim, Place, Tally
from schemas.states import BatchState, Difficulty, ErrorCode, GenerationState, Priority, QuestionType
from service.errors import LeaseLost
from service.rules import lifecycle, progress
from service.store.database import Tx, db_now, seconds_from_now
from service.store.tables import batches, generations, modules, quizzes

Value = TypeVar("Value")

NOTHING = CallTotals()
_NO_LEASE = {"lease_owner": None, "lease_until": None}

# Every hold and every end comes through these: they are built once.
_IN_WORK = sa.select(
    batches.c.id, batches.c.fence, batches.c.lease_owner, batches.c.held_count, batches.c.target_count
).where(batches.c.id.in_(sa.bindparam("ids", expanding=True)), batches.c.state == BatchState.PROCESSING)
_OF_PLACE = sa.update(batches).where(
    batches.c.id == sa.bindparam("batch"),
    batches.c.fence == sa.bindparam("under"),
    batches.c.lease_owner == sa.bindparam("holder"),
    batches.c.state == BatchState.PROCESSING,
)
_HOLD = _OF_PLACE.values(
    held_count=batches.c.held_count + sa.bindparam("more", type_=sa.Integer),
    losses=sa.case((sa.bindparam("more", type_=sa.Integer) > 0, 0), else_=batches.c.losses),
    lease_until=seconds_from_now("lease_seconds"),
)
_VALID = (
    sa.select(batches.c.id, batches.c.fence)
    .join(generations, generations.c.id == batches.c.generation_id)
    .where(
        batches.c.lease_owner == sa.bindparam("worker"),
        batches.c.state == BatchState.PROCESSING,
        generations.c.state == GenerationState.PROCESSING,
    )
)
_OPEN = (
    sa.select(batches.c.id)
    .where(batches.c.generation_id == sa.bindparam("generation"), batches.c.state.in_(progress.OPEN))
    .limit(1)
)
_COMPLETE = (
    sa.update(batches)
    .where(
        sa.tuple_(batches.c.id, batches.c.fence).in_(sa.bindparam("places", expanding=True)),
        batches.c.lease_owner == sa.bindparam("holder"),
        batches.c.state == BatchState.PROCESSING,
        batches.c.held_count == batches.c.target_count,
    )
    .values(state=BatchState.COMPLETED, saved_count=batches.c.target_count, held_count=0, losses=0, **_NO_LEASE)
)


async def insert(tx: Tx, generation_id: UUID, plans: Sequence[tuple[UUID, BatchPlan]]) -> None:
    """Create the planned batches, wanted in the queue at once. `plans` pairs each with its new id."""
    rows = [
        {
            "id": batch_id,
            "generation_id": generation_id,
            "position": position,
            "state": BatchState.PENDING,
            **plan.model_dump(),
        }
        for position, (batch_id, plan) in enumerate(plans)
    ]
    await tx.execute(sa.insert(batches).values(wanted_at=db_now()), rows)


async def generation_of(tx: Tx, batch_id: UUID) -> UUID | None:
    found: UUID | None = (
        await tx.execute(sa.select(batches.c.generation_id).where(batches.c.id == batch_id))
    ).scalar_one_or_none()
    return found


async def by_generation(tx: Tx, places: Sequence[Place]) -> dict[UUID, list[Place]]:
    """The places by the generations that their batches belong to, without those of unknown batches."""
    ids = [place.batch_id for place in places]
    found = await tx.execute(sa.select(batches.c.id, batches.c.generation_id).where(batches.c.id.in_(ids)))
    generation_of = {row.id: row.generation_id for row in found}
    grouped: dict[UUID, list[Place]] = defaultdict(list)
    for place in places:
        if place.batch_id in generation_of:
            grouped[generation_of[place.batch_id]].append(place)
    return grouped


async def claim(tx: Tx, places: Sequence[Place], *, worker: str, lease_seconds: float) -> list[UUID]:
    """Take those that are pending, due and still under their fence; returns them. The others are someone else's."""
    due = sa.or_(batches.c.not_before.is_(None), batches.c.not_before <= db_now())
    taken = sa.update(batches).where(
        sa.tuple_(batches.c.id, batches.c.fence).in_(places),
        batches.c.state.in_(lifecycle.batch_sources(BatchState.PROCESSING)),
        due,
    )
    taken = taken.values(
        state=BatchState.PROCESSING,
        fence=batches.c.fence + 1,
        lease_owner=worker,
        lease_until=seconds_from_now(lease_seconds),
        attempts=batches.c.attempts + 1,
        run_attempts=batches.c.run_attempts + 1,
        not_before=None,
        wanted_at=None,
    )
    return list((await tx.execute(taken.returning(batches.c.id))).scalars())


async def claimed(tx: Tx, batch_ids: Sequence[UUID]) -> list[Claim]:
    """What their workers need to know of claimed batches."""
    sibling = batches.alias("sibling")
    same = (
        (sibling.c.generation_id == batches.c.generation_id)
        & (sibling.c.module_id == batches.c.module_id)
        & (sibling.c.question_type == batches.c.question_type)
    )
    lanes = sa.select(sa.func.count()).select_from(sibling).where(same).scalar_subquery()
    before = same & (sibling.c.position < batches.c.position)
    lane = sa.select(sa.func.count()).select_from(sibling).where(before).scalar_subquery()
    found = (
        sa.select(batches, generations, quizzes.c.language, lane.label("lane"), lanes.label("lanes"))
        .join(generations, generations.c.id == batches.c.generation_id)
        .join(quizzes, quizzes.c.id == generations.c.quiz_id)
        .where(batches.c.id.in_(batch_ids))
        .order_by(batches.c.generation_id, batches.c.position)
        .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
    )
    return [_claim(row) for row in await tx.execute(found)]


def _claim(row: sa.Row[*tuple[object, ...]]) -> Claim:
    return Claim(
        batch_id=row.batches_id,
        generation_id=row.batches_generation_id,
        quiz_id=row.generations_quiz_id,
        module_id=row.batches_module_id,
        owner=row.generations_owner,
        priority=Priority(row.generations_priority),
        batch_key=row.batches_batch_key,
        question_type=QuestionType(row.batches_question_type),
        difficulty=_difficulty(row.batches_difficulty),
        language=row.quizzes_language,
        instructions=row.generations_instructions,
        model=row.batches_model or row.generations_model,
        cost_max_usd=row.generations_cost_max_usd,
        target_count=row.batches_target_count,
        held_count=row.batches_held_count,
        fence=row.batches_fence,
        worker=row.batches_lease_owner,
        run=row.generations_run,
        number=row.batches_attempts,
        run_attempt=row.batches_run_attempts,
        lane=row.lane,
        lanes=row.lanes,
    )


async def renew_leases(tx: Tx, worker: str, batch_ids: Collection[UUID], *, lease_seconds: float) -> int:
    """The heartbeat: extend this worker's leases on these. Rows in the middle of a hold are extended by the hold."""
    mine = sa.select(batches.c.id).where(
        batches.c.id.in_(batch_ids), batches.c.lease_owner == worker, batches.c.state == BatchState.PROCESSING
    )
    renewed = sa.update(batches).where(batches.c.id.in_(mine.with_for_update(skip_locked=True)))
    return (await tx.execute(renewed.values(lease_until=seconds_from_now(lease_seconds)))).rowcount


async def hold(tx: Tx, counts: Sequence[tuple[Claim, int]], *, lease_seconds: float) -> list[int]:
    """Count more held questions of each claim and extend its lease; returns how many each held before.

    The claims are of one generation, whose lock the caller has. Raises LeaseLost, and then nothing is changed.
    """
    # Looked at before it is changed: how many each held is wanted, and many updates at once don't tell.
    rows = await _in_hand(tx, [claim for claim, _ in counts])
    changes = [{**_place(claim), "more": count, "lease_seconds": lease_seconds} for claim, count in counts]
    await tx.execute(_HOLD, changes)
    return [row.held_count for row in rows]


async def complete(tx: Tx, claims: Sequence[Claim]) -> None:
    """Those of one worker and generation, locked by the caller. Raises LeaseLost, also when one is not whole."""
    places = [(claim.batch_id, claim.fence) for claim in claims]
    completed = await tx.execute(_COMPLETE, {"places": places, "holder": claims[0].worker})
    if completed.rowcount != len(claims):
        raise _lost(claims[0])


async def _in_hand(tx: Tx, claims: Sequence[Claim]) -> list[sa.Row[*tuple[object, ...]]]:
    """What is counted of each, in their order. Raises LeaseLost if one is not its worker's any more."""
    found = await tx.execute(_IN_WORK, {"ids": [claim.batch_id for claim in claims]})
    rows = {(row.id, row.fence, row.lease_owner): row for row in found}
    for claim in claims:
        if (claim.batch_id, claim.fence, claim.worker) not in rows:
            raise _lost(claim)
    return [rows[claim.batch_id, claim.fence, claim.worker] for claim in claims]


async def fail(tx: Tx, claim: Claim, error: BatchError) -> None:
    """Raises LeaseLost."""
    failed = _mine(claim).values(
        state=BatchState.FAILED,
        fence=batches.c.fence + 1,
        error_code=error.code,
        error_message=error.message,
        **_NO_LEASE,
    )
    await _one(tx, failed.returning(batches.c.id), claim)


async def put_back(tx: Tx, claim: Claim, *, delay_seconds: float, counts: bool) -> None:
    """Give the batch back, due in `delay_seconds`. `counts`: the try counts against the run's. Raises LeaseLost."""
    due = seconds_from_now(delay_seconds)
    back = _mine(claim).values(
        state=BatchState.PENDING,
        fence=batches.c.fence + 1,
        run_attempts=batches.c.run_attempts - (0 if counts else 1),
        losses=0,
        not_before=due if delay_seconds else None,
        wanted_at=due,
        **_NO_LEASE,
    )
    await _one(tx, back.returning(batches.c.id), claim)


async def expired(tx: Tx, *, limit: int) -> list[Claim]:
    """Batches whose worker has been silent for longer than its lease."""
    found = sa.select(batches.c.id).where(batches.c.state == BatchState.PROCESSING, batches.c.lease_until < db_now())
    ids = (await tx.execute(found.order_by(batches.c.lease_until).limit(limit))).scalars().all()
    claims = {claim.batch_id: claim for claim in await claimed(tx, ids)}
    return [claims[batch_id] for batch_id in ids]


async def leased_by(tx: Tx, worker: str, *, limit: int) -> list[Claim]:
    """Batches that this worker holds, alive or not."""
    found = sa.select(batches.c.id).where(batches.c.state == BatchState.PROCESSING, batches.c.lease_owner == worker)
    return await claimed(tx, (await tx.execute(found.limit(limit))).scalars().all())


async def take_back(tx: Tx, claim: Claim, *, only_expired: bool) -> int:
    """The worker is lost: back to pending, uncounted; returns how often in a row that happened.

    Raises LeaseLost, with `only_expired` also when the worker has renewed its lease after all.
    """
    lost = _mine(claim)
    if only_expired:
        lost = lost.where(batches.c.lease_until < db_now())
    back = lost.values(
        state=BatchState.PENDING,
        fence=batches.c.fence + 1,
        run_attempts=batches.c.run_attempts - 1,
        losses=batches.c.losses + 1,
        wanted_at=db_now(),
        **_NO_LEASE,
    )
    return await _one(tx, back.returning(batches.c.losses), claim)


async def end_open(
    tx: Tx, generation_id: UUID, target: BatchState, *, error: BatchError | None, batch_id: UUID | None = None
) -> list[UUID]:
    """End open batches (all, or one) whoever has them: their workers' fences are void. Returns their ids."""
    open_states = lifecycle.batch_sources(target)
    ended = sa.update(batches).where(batches.c.generation_id == generation_id, batches.c.state.in_(open_states))
    if batch_id:
        ended = ended.where(batches.c.id == batch_id)
    ended = ended.values(
        state=target,
        fence=batches.c.fence + 1,
        error_code=error.code if error else None,
        error_message=error.message if error else None,
        not_before=None,
        wanted_at=None,
        **_NO_LEASE,
    )
    return list((await tx.execute(ended.returning(batches.c.id))).scalars())


async def requeue_failed(tx: Tx, batch_ids: Collection[UUID], *, model: str | None) -> None:
    """Failed batches start again, with what they hold; only those that are still failed."""
    requeued = sa.update(batches).where(batches.c.id.in_(batch_ids), batches.c.state.in_({BatchState.FAILED}))
    requeued = requeued.values(
        state=BatchState.PENDING,
        fence=batches.c.fence + 1,
        run_attempts=0,
        losses=0,
        error_code=None,
        error_message=None,
        model=model if model else batches.c.model,
        wanted_at=db_now(),
    )
    changed = (await tx.execute(requeued)).rowcount
    assert changed == len(batch_ids), "the generation's lock keeps other retries away"


async def accept(tx: Tx, batch_id: UUID) -> None:
    """A failed batch is completed with what it holds, which becomes its target. The caller has locked and looked."""
    accepted = sa.update(batches).where(batches.c.id == batch_id, batches.c.state == BatchState.FAILED)
    accepted = accepted.values(
        state=BatchState.COMPLETED,
        fence=batches.c.fence + 1,
        target_count=batches.c.held_count,
        saved_count=batches.c.held_count,
        held_count=0,
        error_code=None,
        error_message=None,
    )
    changed = (await tx.execute(accepted)).rowcount
    assert changed == 1, "the generation's lock keeps others away"


async def are_open(tx: Tx, generation_id: UUID) -> bool:
    """Whether a batch of the generation has not ended."""
    return (await tx.execute(_OPEN, {"generation": generation_id})).first() is not None


async def tallies(tx: Tx, generation_id: UUID) -> list[Tally]:
    """Counts and states of a generation's batches, in their order."""
    names = [batches.c[name] for name in Tally.model_fields]
    rows = await tx.execute(
        sa.select(*names).where(batches.c.generation_id == generation_id).order_by(batches.c.position)
    )
    return [Tally.model_validate(dict(row._mapping)) for row in rows]  # noqa: SLF001 # the public name of a row's dict


async def of_generations(
    tx: Tx, generation_ids: Collection[UUID], cost: Mapping[UUID, CallTotals] | None = None
) -> dict[UUID, list[Batch]]:
    """The batches of each generation, in their order; `cost` by batch, where it is wanted."""
    cost = cost or {}
    found = (
        sa.select(batches, modules.c.name.label("module_name"))
        .join(modules, modules.c.id == batches.c.module_id)
        .where(batches.c.generation_id.in_(generation_ids))
        .order_by(batches.c.generation_id, batches.c.position)
    )
    grouped: dict[UUID, list[Batch]] = {generation_id: [] for generation_id in generation_ids}
    for row in await tx.execute(found):
        error = BatchError(code=ErrorCode(row.error_code), message=row.error_message) if row.error_code else None
        grouped[row.generation_id].append(
            Batch(
                id=row.id,
                batch_key=row.batch_key,
                module_id=row.module_id,
                module_name=row.module_name,
                question_type=QuestionType(row.question_type),
                difficulty=_difficulty(row.difficulty),
                target_count=row.target_count,
                saved_count=row.saved_count,
                held_count=row.held_count,
                status=BatchState(row.state),
                attempts=row.attempts,
                error=error,
                usage=cost.get(row.id, NOTHING),
            )
        )
    return grouped


async def valid_claims(tx: Tx, worker: str) -> set[tuple[UUID, int]]:
    """Batch and fence of all that this worker may work on: its own, of generations that want work."""
    return {(row.id, row.fence) for row in await tx.execute(_VALID, {"worker": worker})}


def _mine(claim: Claim) -> sa.Update:
    return sa.update(batches).where(
        batches.c.id == claim.batch_id,
        batches.c.fence == claim.fence,
        batches.c.lease_owner == claim.worker,
        batches.c.state == BatchState.PROCESSING,
    )


async def _one(tx: Tx, statement: sa.sql.dml.ReturningUpdate[Value], claim: Claim) -> Value:
    row = (await tx.execute(statement)).first()
    if row is None:
        raise _lost(claim)
    return row[0]


def _lost(claim: Claim) -> LeaseLost:
    return LeaseLost(f"batch {claim.batch_id} is no longer held by {claim.worker} under fence {claim.fence}")


def _place(claim: Claim) -> dict[str, object]:
    return {"batch": claim.batch_id, "under": claim.fence, "holder": claim.worker}


def _difficulty(value: str | None) -> Difficulty | None:
    return Difficulty(value) if value else None
