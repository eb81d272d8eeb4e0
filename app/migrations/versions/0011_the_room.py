"""Messages that are changed, taken back, quoted, found, reported; photos; questions. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.add_column("message", sa.Column("quotes_id", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("photo_name", sa.String(), nullable=True))
    op.add_column("message", sa.Column("photo_width", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("photo_height", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("change_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_message_community_id_change_id"),
        "message",
        "loan_change",
        ["community_id", "change_id"],
        ["community_id", "id"],
    )
    op.create_index(
        "ix_message_change",
        "message",
        ["community_id", "change_id"],
        unique=False,
        postgresql_where=sa.text("change_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_message_community_id_quotes_id"),
        "message",
        "message",
        ["community_id", "quotes_id"],
        ["community_id", "id"],
    )
    op.create_index(
        "ix_message_quotes",
        "message",
        ["community_id", "quotes_id"],
        unique=False,
        postgresql_where=sa.text("quotes_id IS NOT NULL"),
    )
    op.create_index(
        "ix_loan_ended",
        "loan",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index(
        "ix_message_photo",
        "message",
        ["community_id", "photo_name"],
        unique=False,
        postgresql_where=sa.text("photo_name IS NOT NULL"),
    )
    op.create_index(
        "ix_message_words",
        "message",
        ["body"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"body": "gin_trgm_ops"},
    )
    op.add_column("conversation", sa.Column("tool_id", sa.BigInteger(), nullable=True))
    op.add_column("conversation", sa.Column("asker_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "conversation",
        sa.Column("question", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("conversation", sa.Column("after_id", sa.BigInteger(), nullable=True))
    for columns, table, theirs in (
        (["community_id", "tool_id"], "tool", ["community_id", "id"]),
        (["asker_id"], "person", ["id"]),
        (["community_id", "after_id"], "conversation", ["community_id", "id"]),
    ):
        name = op.f(f"fk_conversation_{'_'.join(columns)}")
        op.create_foreign_key(name, "conversation", table, columns, theirs)
    op.create_index(
        "uq_conversation_question",
        "conversation",
        ["community_id", "tool_id", "asker_id"],
        unique=True,
        postgresql_where=sa.text("question"),
    )
    op.create_index(
        "ix_conversation_tool",
        "conversation",
        ["community_id", "tool_id", "asker_id"],
        unique=False,
        postgresql_where=sa.text("tool_id IS NOT NULL"),
    )
    op.execute(
        """
        UPDATE conversation c SET tool_id = l.tool_id, asker_id = l.borrower_id
        FROM loan l WHERE (l.community_id, l.conversation_id) = (c.community_id, c.id)
        """
    )
    op.create_table(
        "report",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "id", sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False
        ),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("photo_name", sa.String(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "message_id"],
            ["message.community_id", "message.id"],
            name=op.f("fk_report_community_id_message_id"),
        ),
        sa.ForeignKeyConstraint(["reporter_id"], ["person.id"], name=op.f("fk_report_reporter_id")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_report_author_id")),
        sa.ForeignKeyConstraint(["settled_by"], ["person.id"], name=op.f("fk_report_settled_by")),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_report")),
    )
    op.create_index(
        "uq_report_message",
        "report",
        ["community_id", "message_id", "reporter_id"],
        unique=True,
    )
    op.create_index(
        "ix_report_open",
        "report",
        ["community_id"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
