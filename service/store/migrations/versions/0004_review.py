"""A question that another one has replaced, and the order that is to replace it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("questions", sa.Column("replaced_by", sa.Uuid(), nullable=True))
    op.add_column("generations", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.add_column("generations", sa.Column("replaces_version", sa.Integer(), nullable=True))
