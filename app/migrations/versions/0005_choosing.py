"""Lending rules, holds while somebody chooses, trust. The release before goes on without them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBERS = (
    ("shortest_hours", 0, "shortest_hours BETWEEN 0 AND 168"),
    ("longest_days", 7, "longest_days BETWEEN 1 AND 60"),
    ("notice_hours", 0, "notice_hours BETWEEN 0 AND 336"),
    ("horizon_days", 90, "horizon_days BETWEEN 1 AND 180"),
    ("buffer_hours", 0, "buffer_hours BETWEEN 0 AND 168"),
    ("deposit_cents", 0, "deposit_cents BETWEEN 0 AND 100000"),
)


def upgrade() -> None:
    for name, default, check in NUMBERS:
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default=str(default))
        op.add_column("tool", column)
        op.create_check_constraint(op.f(f"ck_tool_{name}"), "tool", check)
    op.add_column(
        "tool",
        sa.Column("windows", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")),
    )
    op.add_column(
        "tool", sa.Column("auto_approve", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("tool", sa.Column("safety", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "loan", sa.Column("deposit_cents", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("loan", sa.Column("safety", sa.String(), nullable=False, server_default=""))
    op.create_index(
        "uq_occupancy_hold",
        "occupancy",
        ["person_id", "community_id", "tool_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'hold'"),
    )
    op.create_table(
        "hold_turn",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("tool_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("let_go", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_hold_turn_community_id_tool_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_hold_turn_person_id")),
        sa.PrimaryKeyConstraint("community_id", "tool_id", "person_id", name=op.f("pk_hold_turn")),
    )
    op.create_index("ix_hold_turn_person", "hold_turn", ["person_id", "ends_at"], unique=False)
    op.create_table(
        "trust",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("lender_id", sa.BigInteger(), nullable=False),
        sa.Column("borrower_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "borrower_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_trust_community_id_borrower_id"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "lender_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_trust_community_id_lender_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "lender_id", "borrower_id", name=op.f("pk_trust")),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
