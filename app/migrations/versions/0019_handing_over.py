"""Until when somebody can hand over. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "person", sa.Column("hands_over_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_person_hands_over",
        "person",
        ["hands_over_until"],
        postgresql_where=sa.text("hands_over_until IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
