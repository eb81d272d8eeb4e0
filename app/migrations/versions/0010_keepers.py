"""A tool may be the community's, with keepers who lend it. The release before knows only owners."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOBODY = sa.text("'{}'::bigint[]")


def upgrade() -> None:
    for table in ("tool", "loan"):
        keepers = postgresql.ARRAY(sa.BigInteger())
        op.add_column(table, sa.Column("keepers", keepers, server_default=NOBODY, nullable=False))
    op.alter_column("tool", "owner_id", existing_type=sa.BigInteger(), nullable=True)
    op.create_check_constraint(
        op.f("ck_tool_keepers"), "tool", "(owner_id IS NULL) = (cardinality(keepers) > 0)"
    )
    op.create_check_constraint(
        op.f("ck_loan_keepers"),
        "loan",
        "lender_id <> ALL (keepers) AND (borrower_id <> ALL (keepers) OR borrower_id IS NULL)",
    )
    op.create_index(
        "ix_tool_keepers",
        "tool",
        ["keepers"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("owner_id IS NULL"),
    )
    op.create_index(
        "ix_loan_keepers",
        "loan",
        ["keepers"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("cardinality(keepers) > 0"),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
