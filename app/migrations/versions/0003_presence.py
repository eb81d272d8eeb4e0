"""Who lets others see that they are here or type. The release before this one goes on without it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("shows_here", "shows_typing"):
        op.add_column(
            "person", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
