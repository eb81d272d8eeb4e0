"""Other dates for a loan, proposed and answered; and who waits for a tool that is late.

The release before goes on without them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("loan", sa.Column("waits_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("loan", sa.Column("fetched_said_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "loan_change",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "id", sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False
        ),
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("loan_version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("was", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("period", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("was_price_cents", sa.BigInteger(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('extend', 'shorten', 'early', 'move')", name=op.f("ck_loan_change_kind")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'agreed', 'refused', 'withdrawn', 'ended')",
            name=op.f("ck_loan_change_state"),
        ),
        sa.CheckConstraint("NOT isempty(period)", name=op.f("ck_loan_change_period")),
        sa.CheckConstraint(
            "(state = 'open') = (answered_at IS NULL)", name=op.f("ck_loan_change_answered")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["person.id"], name=op.f("fk_loan_change_answered_by_id")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_loan_change_by_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_loan_change_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "loan_id"],
            ["loan.community_id", "loan.id"],
            name=op.f("fk_loan_change_community_id_loan_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_loan_change")),
    )
    op.create_index(
        "ix_loan_change_loan", "loan_change", ["community_id", "loan_id", "id"], unique=False
    )
    op.create_index(
        "uq_loan_change_open",
        "loan_change",
        ["community_id", "loan_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
