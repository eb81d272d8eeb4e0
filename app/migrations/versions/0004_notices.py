"""What people are told, and what is known of jobs. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_run",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_run")),
    )
    op.create_table(
        "notice",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "id", sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False
        ),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_notice_by_id")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_notice_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "person_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_notice_community_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_person", "notice", ["person_id", "id"], unique=False)
    op.create_index(
        "ix_notice_unseen",
        "notice",
        ["person_id"],
        unique=False,
        postgresql_where=sa.text("seen_at IS NULL"),
    )
    op.create_index(
        "uq_notice_once",
        "notice",
        ["community_id", "person_id", "subject", "kind", "due_at"],
        unique=True,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    # Loans that are under way have their reminders planned by the job that sends them.
    op.execute(
        "INSERT INTO job (name, key, run_at, attempts, last_error, created_at) "
        "SELECT 'loans.remind', community_id || '/' || id, now(), 0, '', now() "
        "FROM loan WHERE ended_at IS NULL ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
