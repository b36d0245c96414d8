"""What modules are about, shared by those of the same text."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MODULES = sa.table("modules", sa.column("id", sa.Uuid()), sa.column("text"), sa.column("content_hash"))


def upgrade() -> None:
    op.add_column("modules", sa.Column("content_hash", sa.Text(), nullable=True))
    _hash_texts(op.get_bind())
    op.create_table(
        "topics",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("module_id", sa.Uuid(), nullable=False),
        sa.Column("topics", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("identified_at", sa.Double(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("wanted_at", sa.Double(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("llm_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wasted_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("input_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Double(), server_default="0", nullable=False),
        sa.CheckConstraint("(topics IS NULL) = (identified_at IS NULL)", name=op.f("ck_topics_identified_has_time")),
        sa.CheckConstraint("lease_until IS NULL OR wanted_at IS NOT NULL", name=op.f("ck_topics_leased_is_wanted")),
        sa.CheckConstraint("wanted_at IS NULL OR error_code IS NULL", name=op.f("ck_topics_wanted_has_not_failed")),
        sa.CheckConstraint("(error_code IS NULL) = (error_message IS NULL)", name=op.f("ck_topics_failed_has_message")),
        sa.ForeignKeyConstraint(["module_id"], ["modules.id"], name=op.f("fk_topics_module_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sa.UniqueConstraint(
            "owner", "content_hash", "language", "method", name=op.f("uq_topics_owner_content_hash_language_method")
        ),
    )
    op.create_index(op.f("ix_topics_wanted_at"), "topics", ["wanted_at"], unique=False)


def _hash_texts(connection: sa.Connection) -> None:
    """One text at a time: together they may be larger than the memory."""
    for module_id in connection.execute(sa.select(MODULES.c.id)).scalars().all():
        text = connection.execute(sa.select(MODULES.c.text).where(MODULES.c.id == module_id)).scalar_one()
        content_hash = hashlib.sha256(text.encode()).hexdigest()
        connection.execute(sa.update(MODULES).where(MODULES.c.id == module_id).values(content_hash=content_hash))
