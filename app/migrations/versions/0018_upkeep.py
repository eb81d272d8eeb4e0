"""What became of a tool beside its loans. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upkeep",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tool_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("cost_cents", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('broken', 'missing', 'repair', 'in_order')", name=op.f("ck_upkeep_kind")
        ),
        sa.CheckConstraint("cost_cents BETWEEN 0 AND 10000000", name=op.f("ck_upkeep_cost_cents")),
        sa.CheckConstraint("char_length(words) <= 500", name=op.f("ck_upkeep_words")),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_upkeep_by_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_upkeep_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_upkeep_community_id_tool_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_upkeep")),
    )
    op.create_index("ix_upkeep_tool", "upkeep", ["community_id", "tool_id", "id"])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
