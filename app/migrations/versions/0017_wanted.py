"""What neighbours ask for and answer, and searches that they watch. The release before goes on without."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _of_member(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["community_id", "person_id"],
        ["membership.community_id", "membership.person_id"],
        name=op.f(f"fk_{table}_community_id_person_id"),
    )


def _named() -> tuple[sa.Column[int], ...]:
    return (
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "wanted",
        *_named(),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'taken_back', 'over', 'removed')",
            name=op.f("ck_wanted_state"),
        ),
        sa.CheckConstraint("char_length(words) BETWEEN 1 AND 140", name=op.f("ck_wanted_words")),
        sa.CheckConstraint(
            "(first_day IS NULL) = (last_day IS NULL)", name=op.f("ck_wanted_both_days")
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_wanted_days")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('open', 'answered'))", name=op.f("ck_wanted_ended")
        ),
        _of_member("wanted"),
        sa.ForeignKeyConstraint(
            ["community_id", "category_id"],
            ["category.community_id", "category.id"],
            name=op.f("fk_wanted_community_id_category_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_wanted")),
    )
    op.create_index(
        "ix_wanted_open",
        "wanted",
        ["community_id", "id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "wanted_answer",
        *_named(),
        sa.Column("wanted_id", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("tool_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "char_length(words) BETWEEN 1 AND 140", name=op.f("ck_wanted_answer_words")
        ),
        _of_member("wanted_answer"),
        sa.ForeignKeyConstraint(
            ["community_id", "wanted_id"],
            ["wanted.community_id", "wanted.id"],
            name=op.f("fk_wanted_answer_community_id_wanted_id"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_wanted_answer_community_id_tool_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_wanted_answer")),
    )
    op.create_index(
        "uq_wanted_answer_one",
        "wanted_answer",
        ["community_id", "wanted_id", "person_id"],
        unique=True,
    )
    op.create_table(
        "watch",
        *_named(),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("words <> '' OR category <> ''", name=op.f("ck_watch_something")),
        _of_member("watch"),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_watch")),
    )
    op.create_index(
        "uq_watch_search",
        "watch",
        ["community_id", "person_id", "words", "category"],
        unique=True,
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
