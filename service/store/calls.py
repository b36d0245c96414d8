"""Every SQL statement about calls of a model: one row each, from which all sums are made."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.calls import Call, CallOutcome, CallSum, CallTotals, Spending
from schemas.estimates import Experience
from schemas.plans import Claim
from schemas.states import QuestionType
from service.store.database import Tx, db_now
from service.store.tables import batches, calls, generations

EXPERIENCE_CALLS_MAX = 1000
"""So many of the newest calls tell what the next ones will be like."""

_TOTALS = {
    "llm_calls": sa.func.count(),
    "wasted_calls": sa.func.coalesce(sa.func.sum(sa.case((calls.c.outcome != CallOutcome.ACCEPTED, 1), else_=0)), 0),
    "input_tokens": sa.func.coalesce(sa.func.sum(calls.c.input_tokens), 0),
    "output_tokens": sa.func.coalesce(sa.func.sum(calls.c.output_tokens), 0),
    "cache_read_tokens": sa.func.coalesce(sa.func.sum(calls.c.cache_read_tokens), 0),
    "cache_write_tokens": sa.func.coalesce(sa.func.sum(calls.c.cache_write_tokens), 0),
    "cost_usd": sa.func.coalesce(sa.func.sum(calls.c.cost_usd), 0.0),
    "unpriced_calls": sa.func.count() - sa.func.count(calls.c.cost_usd),
}
assert set(_TOTALS) == set(CallTotals.model_fields), "every total needs its sum"
_COLUMNS = tuple(total.label(name) for name, total in _TOTALS.items())

# Every call comes through these: they are built once.
_WRITTEN = sa.select(calls.c.batch_id, calls.c.fence, calls.c.number).where(
    calls.c.batch_id.in_(sa.bindparam("batch_ids", expanding=True))
)
_INSERT = sa.insert(calls).values(at=db_now())


async def insert(tx: Tx, ended: Sequence[tuple[Claim, Sequence[Call]]]) -> None:
    """Write calls of the claims' attempts; what is written already stays as it is."""
    rows = [
        {
            "batch_id": claim.batch_id,
            "fence": claim.fence,
            "generation_id": claim.generation_id,
            **call.model_dump(),
        }
        for claim, calls_of_claim in ended
        for call in calls_of_claim
    ]
    if not rows:
        return
    found = await tx.execute(_WRITTEN, {"batch_ids": list({row["batch_id"] for row in rows})})
    written = {(row.batch_id, row.fence, row.number) for row in found}
    new = [row for row in rows if (row["batch_id"], row["fence"], row["number"]) not in written]
    if new:
        await tx.execute(_INSERT, new)


async def sums(tx: Tx, generation_ids: Collection[UUID]) -> dict[UUID, list[CallSum]]:
    """By generation, then by batch and outcome; empty for one that has asked nothing yet."""
    rows = await tx.execute(
        sa.select(calls.c.generation_id, calls.c.batch_id, calls.c.outcome, *_COLUMNS)
        .where(calls.c.generation_id.in_(generation_ids))
        .group_by(calls.c.generation_id, calls.c.batch_id, calls.c.outcome)
    )
    found: dict[UUID, list[CallSum]] = {generation_id: [] for generation_id in generation_ids}
    for row in rows:
        totals = {name: getattr(row, name) for name in _TOTALS}
        found[row.generation_id].append(
            CallSum(batch_id=row.batch_id, outcome=CallOutcome(row.outcome), **totals),
        )
    return found


async def of_attempts(tx: Tx, generation_id: UUID) -> dict[tuple[UUID, int], CallTotals]:
    """By batch and fence."""
    rows = await tx.execute(
        sa.select(calls.c.batch_id, calls.c.fence, *_COLUMNS)
        .where(calls.c.generation_id == generation_id)
        .group_by(calls.c.batch_id, calls.c.fence)
    )
    return {(row.batch_id, row.fence): CallTotals(**{name: getattr(row, name) for name in _TOTALS}) for row in rows}


async def spending(tx: Tx, generation_id: UUID) -> Spending:
    """What the generation has cost so far, and may cost."""
    cost = sa.select(_TOTALS["cost_usd"]).where(calls.c.generation_id == generation_id).scalar_subquery()
    found = sa.select(cost.label("cost_usd"), generations.c.cost_max_usd).where(generations.c.id == generation_id)
    row = (await tx.execute(found)).one()
    return Spending(cost_usd=row.cost_usd, cost_max_usd=row.cost_max_usd)


async def experience(tx: Tx, model: str) -> dict[QuestionType, Experience]:
    """What the newest calls of a model were like, by question type. Those carried over from an old schema are not."""
    newest = (
        sa.select(calls)
        .where(calls.c.model == model, calls.c.seconds > 0)
        .order_by(calls.c.at.desc())
        .limit(EXPERIENCE_CALLS_MAX)
        .subquery()
    )
    rows = await tx.execute(
        sa.select(
            batches.c.question_type,
            sa.func.count().label("calls"),
            sa.func.sum(newest.c.accepted_count).label("accepted_count"),
            sa.func.sum(newest.c.output_tokens).label("output_tokens"),
            sa.func.sum(newest.c.seconds).label("seconds"),
        )
        .join(batches, batches.c.id == newest.c.batch_id)
        .group_by(batches.c.question_type)
    )
    return {
        QuestionType(row.question_type): Experience(
            calls=row.calls,
            accepted_count=row.accepted_count,
            output_tokens=row.output_tokens,
            seconds=row.seconds,
        )
        for row in rows
    }
