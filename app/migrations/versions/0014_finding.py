"""Words of a tool to be searched, its skill level, categories in two levels. The release before goes on without it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NAME_AND_BRAND = "left(folded(name || ' ' || brand), 300)"
WORDS = (
    "setweight(to_tsvector('simple'::regconfig, folded(name)), 'A')"
    " || setweight(to_tsvector('english'::regconfig, folded(name)), 'A')"
    " || setweight(to_tsvector('simple'::regconfig, folded(brand)), 'B')"
    " || setweight(to_tsvector('simple'::regconfig, folded(description)), 'C')"
    " || setweight(to_tsvector('english'::regconfig, folded(description)), 'C')"
)

# Text as it is compared: small letters without accents, and nothing but letters and digits. Marked
# immutable, which it is: what it depends on never changes within one cluster.
FOLDED = r"""
CREATE FUNCTION folded(typed text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        replace(replace(replace(replace(replace(regexp_replace(
            normalize(lower(typed), NFKD), '[\u0300-\u036f''’]', '', 'g'
        ), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'ø', 'o'), 'ł', 'l'),
        '[^[:alnum:]]+', ' ', 'g'
    ))
$$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")  # since 0011; here it stands on its own
    op.execute(FOLDED)
    op.add_column(
        "tool",
        sa.Column("skill", sa.String(), server_default=sa.text("'anyone'"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_tool_skill"), "tool", "skill IN ('anyone', 'some practice', 'expert')"
    )
    named = sa.Computed(NAME_AND_BRAND, persisted=True)
    op.add_column("tool", sa.Column("plain_name", sa.String(), named, nullable=True))
    words = sa.Computed(WORDS, persisted=True)
    op.add_column("tool", sa.Column("words", postgresql.TSVECTOR(), words, nullable=True))
    op.create_index("ix_tool_words", "tool", ["words"], postgresql_using="gin")
    op.create_index(
        "ix_tool_letters",
        "tool",
        ["plain_name"],
        postgresql_using="gin",
        postgresql_ops={"plain_name": "gin_trgm_ops"},
    )
    op.create_index("ix_tool_wall", "tool", ["community_id", "plain_name", "id"])
    op.create_index("ix_tool_category", "tool", ["community_id", "category_id"])
    op.add_column("category", sa.Column("parent_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_category_community_id_parent_id"),
        "category",
        "category",
        ["community_id", "parent_id"],
        ["community_id", "id"],
    )
    op.create_check_constraint(op.f("ck_category_parent"), "category", "parent_id <> id")


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
