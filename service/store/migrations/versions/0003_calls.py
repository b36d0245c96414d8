"""One row a call of a model, which replaces the sums at the attempts; a generation's cost limit."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SUMS = ("llm_calls", "wasted_calls", "input_tokens", "output_tokens", "cache_read_tokens", "cost_usd")
OUTCOMES = (
    "'accepted', 'rejected', 'duplicate', 'surplus', 'empty', 'malformed_answer', 'provider_overloaded', "
    "'provider_rate_limited', 'provider_rejected', 'provider_unavailable', 'timeout', 'internal', 'cancelled', "
    "'hedge', 'unknown'"
)
PORTION = 1000


def upgrade() -> None:
    op.add_column("generations", sa.Column("cost_max_usd", sa.Double(), nullable=True))
    calls = op.create_table(
        "calls",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cache_write_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("accepted_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("is_hedge", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.CheckConstraint("accepted_count = 0 OR outcome = 'accepted'", name=op.f("ck_calls_accepted_is_no_waste")),
        sa.CheckConstraint("cost_usd >= 0", name=op.f("ck_calls_cost_is_no_gain")),
        sa.CheckConstraint("number > 0", name=op.f("ck_calls_number_counts_from_one")),
        sa.CheckConstraint(f"outcome IN ({OUTCOMES})", name=op.f("ck_calls_outcome_known")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_calls_batch_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name=op.f("fk_calls_generation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", "fence", "number", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_at"), "calls", ["at"], unique=False)
    op.create_index(op.f("ix_calls_generation_id"), "calls", ["generation_id"], unique=False)
    _carry_over(calls)
    for name in SUMS:
        op.drop_column("attempts", name)


def _carry_over(calls: sa.Table) -> None:
    """As many calls as were counted, the first of an attempt with all that it used: sums stay what they were."""
    attempts = sa.table(
        "attempts",
        sa.column("batch_id", sa.Uuid()),
        sa.column("fence", sa.Integer()),
        sa.column("generation_id", sa.Uuid()),
        sa.column("started_at", sa.Double()),
        *(sa.column(name) for name in SUMS),
    )
    connection = op.get_bind()
    for attempt in connection.execute(sa.select(attempts).where(attempts.c.llm_calls > 0)).all():
        rows = list(_calls_of(attempt))
        for first in range(0, len(rows), PORTION):
            connection.execute(sa.insert(calls), rows[first : first + PORTION])


def _calls_of(attempt: sa.Row[*tuple[object, ...]]) -> Iterator[dict[str, object]]:
    useful = attempt.llm_calls - attempt.wasted_calls
    for number in range(1, attempt.llm_calls + 1):
        is_first = number == 1
        # A price that was unknown was written as 0.
        is_priced = not is_first or attempt.cost_usd > 0 or attempt.input_tokens + attempt.output_tokens == 0
        yield {
            "batch_id": attempt.batch_id,
            "fence": attempt.fence,
            "number": number,
            "generation_id": attempt.generation_id,
            "model": "unknown",
            "input_tokens": attempt.input_tokens if is_first else 0,
            "output_tokens": attempt.output_tokens if is_first else 0,
            "cache_read_tokens": attempt.cache_read_tokens if is_first else 0,
            "cost_usd": (attempt.cost_usd if is_first else 0.0) if is_priced else None,
            "seconds": 0.0,
            "outcome": "accepted" if number <= useful else "unknown",
            "is_hedge": False,
            "at": attempt.started_at,
        }
