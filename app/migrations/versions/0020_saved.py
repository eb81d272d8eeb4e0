"""Tools that somebody keeps in mind. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("tool_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "person_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_saved_community_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_saved_community_id_tool_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "person_id", "tool_id", name=op.f("pk_saved")),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
