"""How far the reading of a file is and what it has cost; modules that are left out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name in ("page", "pages", "llm_calls", "input_tokens", "output_tokens"):
        op.add_column("materials", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("materials", sa.Column("cost_usd", sa.Double(), server_default="0", nullable=False))
    op.add_column("modules", sa.Column("is_left_out", sa.Boolean(), server_default=sa.false(), nullable=False))
