"""Every SQL statement about attempts: one row a try of a batch."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.calls import CallTotals
from schemas.generations import BatchAttempt, BatchError
from schemas.plans import Claim
from schemas.states import AttemptOutcome, ErrorCode
from service.store import calls
from service.store.database import Tx, db_now
from service.store.tables import attempts, batches

# Every end of an attempt comes through it: it is built once.
_END = (
    sa.update(attempts)
    .where(
        attempts.c.batch_id.in_(sa.bindparam("batch_ids", expanding=True)),
        attempts.c.outcome == AttemptOutcome.RUNNING,
    )
    .values(
        outcome=sa.bindparam("ending"),
        error_code=sa.bindparam("code"),
        error_message=sa.bindparam("message"),
        ended_at=db_now(),
    )
)


async def begin(tx: Tx, claims: Sequence[Claim]) -> None:
    rows = [
        {
            "id": uuid4(),
            "generation_id": claim.generation_id,
            "batch_id": claim.batch_id,
            "run": claim.run,
            "number": claim.number,
            "fence": claim.fence,
            "worker": claim.worker,
            "outcome": AttemptOutcome.RUNNING,
        }
        for claim in claims
    ]
    await tx.execute(sa.insert(attempts).values(started_at=db_now()), rows)


async def has_let_go(tx: Tx, claim: Claim) -> bool:
    """Whether the claim's attempt was ended by others (cancelled, out of time) and not taken over."""
    found = sa.select(attempts.c.outcome).where(attempts.c.batch_id == claim.batch_id, attempts.c.fence == claim.fence)
    outcome = (await tx.execute(found)).scalar_one_or_none()
    return outcome not in {None, AttemptOutcome.RUNNING, AttemptOutcome.WORKER_LOST}


async def end(tx: Tx, batch_ids: Collection[UUID], outcome: AttemptOutcome, *, error: BatchError | None = None) -> None:
    """End the running attempts of these batches."""
    ending = {
        "batch_ids": batch_ids,
        "ending": outcome,
        "code": error.code if error else None,
        "message": error.message if error else None,
    }
    await tx.execute(_END, ending)


async def fail_last(tx: Tx, batch_ids: Collection[UUID], error: BatchError) -> None:
    """These batches failed: so did the last try of each, even one that had ended in the hope of another."""
    newer = attempts.alias("newer")
    newest = sa.select(sa.func.max(newer.c.fence)).where(newer.c.batch_id == attempts.c.batch_id).scalar_subquery()
    last = sa.update(attempts).where(
        attempts.c.batch_id.in_(batch_ids),
        attempts.c.fence == newest,
        attempts.c.outcome.not_in({AttemptOutcome.COMPLETED, AttemptOutcome.FAILED}),
    )
    await tx.execute(
        last.values(
            outcome=AttemptOutcome.FAILED,
            error_code=error.code,
            error_message=error.message,
            ended_at=sa.func.coalesce(attempts.c.ended_at, db_now()),
        )
    )


async def accept_last(tx: Tx, batch_id: UUID) -> None:
    """The batch was finished with what its last try left."""
    newest = sa.select(sa.func.max(attempts.c.fence)).where(attempts.c.batch_id == batch_id).scalar_subquery()
    last = sa.update(attempts).where(attempts.c.batch_id == batch_id, attempts.c.fence == newest)
    await tx.execute(last.values(outcome=AttemptOutcome.COMPLETED, error_code=None, error_message=None))


async def of_generation(tx: Tx, generation_id: UUID) -> dict[int, list[BatchAttempt]]:
    """The tries of every batch by run, in the order they began."""
    rows = await tx.execute(
        sa.select(attempts, batches.c.batch_key)
        .join(batches, batches.c.id == attempts.c.batch_id)
        .where(attempts.c.generation_id == generation_id)
        .order_by(attempts.c.run, attempts.c.started_at, attempts.c.number)
    )
    cost = await calls.of_attempts(tx, generation_id)
    runs: dict[int, list[BatchAttempt]] = defaultdict(list)
    for row in rows:
        runs[row.run].append(_attempt(row, cost.get((row.batch_id, row.fence), CallTotals())))
    return dict(runs)


def _attempt(row: sa.Row[*tuple[object, ...]], cost: CallTotals) -> BatchAttempt:
    error = BatchError(code=ErrorCode(row.error_code), message=row.error_message) if row.error_code else None
    return BatchAttempt(
        batch_id=row.batch_id,
        batch_key=row.batch_key,
        number=row.number,
        worker=row.worker,
        outcome=AttemptOutcome(row.outcome),
        error=error,
        started_at=row.started_at,
        ended_at=row.ended_at,
        seconds=(row.ended_at - row.started_at).total_seconds() if row.ended_at else None,
        **cost.model_dump(),
    )
