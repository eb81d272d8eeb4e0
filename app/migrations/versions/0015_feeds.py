"""Calendars by a secret address. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tool_id", sa.BigInteger(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('loans', 'tools', 'tool')", name=op.f("ck_feed_kind")),
        sa.CheckConstraint("(kind = 'tool') = (tool_id IS NOT NULL)", name=op.f("ck_feed_tool")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_feed_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "person_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_feed_community_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_feed_community_id_tool_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_feed")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_feed_key_hash")),
    )
    op.create_index(
        "uq_feed_person",
        "feed",
        ["community_id", "person_id", "kind"],
        unique=True,
        postgresql_where=sa.text("tool_id IS NULL"),
    )
    op.create_index(
        "uq_feed_tool",
        "feed",
        ["community_id", "person_id", "tool_id"],
        unique=True,
        postgresql_where=sa.text("tool_id IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
