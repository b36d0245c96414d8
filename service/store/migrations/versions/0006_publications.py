"""Quizzes on their way into courses in Canvas."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "publications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quiz_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("canvas_url", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Text(), nullable=False),
        sa.Column("marker", sa.Uuid(), nullable=False),
        sa.Column("canvas_quiz_id", sa.BigInteger(), nullable=True),
        sa.Column("question_ids", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("sent_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("saved_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("wanted_at", sa.Double(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.CheckConstraint("state IN ('exporting', 'published', 'failed')", name=op.f("ck_publications_state_known")),
        sa.CheckConstraint("(state = 'exporting') = (ended_at IS NULL)", name=op.f("ck_publications_ended_has_time")),
        sa.CheckConstraint(
            "(state = 'exporting') = (wanted_at IS NOT NULL)", name=op.f("ck_publications_exporting_is_wanted")
        ),
        sa.CheckConstraint(
            "lease_until IS NULL OR wanted_at IS NOT NULL", name=op.f("ck_publications_leased_is_wanted")
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (error_message IS NOT NULL)", name=op.f("ck_publications_failed_has_message")
        ),
        sa.CheckConstraint(
            "state <> 'published' OR canvas_quiz_id IS NOT NULL",
            name=op.f("ck_publications_published_is_in_canvas"),
        ),
        sa.ForeignKeyConstraint(["quiz_id"], ["quizzes.id"], name=op.f("fk_publications_quiz_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
    )
    op.create_index(
        op.f("ix_publications_quiz_id_requested_at"), "publications", ["quiz_id", "requested_at"], unique=False
    )
    op.create_index(op.f("ix_publications_wanted_at"), "publications", ["wanted_at"], unique=False)
    op.create_index(
        "uq_publications_exporting",
        "publications",
        ["quiz_id"],
        unique=True,
        sqlite_where=sa.text("state = 'exporting'"),
        postgresql_where=sa.text("state = 'exporting'"),
    )
