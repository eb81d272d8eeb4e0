"""Who waits for which tool, and what is free on certain days. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wish",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "id", sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False
        ),
        sa.Column("tool_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("period", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("days", sa.BigInteger(), nullable=True),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(period IS NULL) <> (days IS NULL)", name=op.f("ck_wish_what")),
        sa.CheckConstraint(
            "(offered IS NULL) = (offered_until IS NULL)", name=op.f("ck_wish_offer")
        ),
        sa.CheckConstraint(
            "outcome IN ('open', 'taken', 'left', 'passed', 'over', 'gone')",
            name=op.f("ck_wish_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_wish_community_id_tool_id"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "person_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_wish_community_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_wish")),
    )
    op.create_index(
        "uq_wish_open",
        "wish",
        ["community_id", "tool_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("outcome = 'open'"),
    )
    op.create_index(
        "ix_wish_person",
        "wish",
        ["person_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'open'"),
    )
    op.create_index(
        "ix_occupancy_when",
        "occupancy",
        ["community_id", "period"],
        unique=False,
        postgresql_using="gist",
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
