"""Tools have a key of their own and several photos, and come in as a table.

The release before goes on: it writes a tool's cover, which is read beside the photos.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.text("gen_random_uuid()::text")
    op.add_column("tool", sa.Column("key", sa.String(), server_default=key, nullable=False))
    op.create_check_constraint(op.f("ck_tool_key"), "tool", "char_length(key) BETWEEN 1 AND 80")
    op.create_index("ix_tool_key", "tool", ["community_id", "key"])
    nothing, first = sa.text("''"), sa.text("0")
    op.add_column("photo", sa.Column("tool_id", sa.BigInteger(), nullable=True))
    for name in ("alt", "source"):
        op.add_column("photo", sa.Column(name, sa.String(), server_default=nothing, nullable=False))
    op.add_column(
        "photo", sa.Column("position", sa.BigInteger(), server_default=first, nullable=False)
    )
    op.add_column("photo", sa.Column("client_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE photo SET tool_id = tool.id FROM tool"
        " WHERE tool.community_id = photo.community_id AND tool.photo_id = photo.id"
    )
    op.create_foreign_key(
        op.f("fk_photo_community_id_tool_id"),
        "photo",
        "tool",
        ["community_id", "tool_id"],
        ["community_id", "id"],
    )
    op.create_index("ix_photo_tool", "photo", ["community_id", "tool_id", "position"])
    op.create_index(
        "uq_photo_client",
        "photo",
        ["community_id", "tool_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_table(
        "tool_import",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("stored", sa.String(), nullable=False),
        sa.Column("with_photos", sa.Boolean(), nullable=False),
        sa.Column("warnings", postgresql.JSONB(), nullable=False),
        sa.Column("fates", postgresql.JSONB(), nullable=False),
        sa.Column("staged", postgresql.JSONB(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('looked', 'running', 'done', 'stopped')", name=op.f("ck_tool_import_state")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "person_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_tool_import_community_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_tool_import")),
    )
    op.create_index("ix_tool_import_age", "tool_import", ["created_at"])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
