"""Where tools are fetched, exact and blurred, and districts. The release before goes on without."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BOTH = "(lat IS NULL) = (lon IS NULL)"
ON_EARTH = "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180"


def upgrade() -> None:
    op.create_table(
        "district",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name=op.f("ck_district_name")),
        sa.CheckConstraint(BOTH, name=op.f("ck_district_both")),
        sa.CheckConstraint(ON_EARTH, name=op.f("ck_district_on_earth")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_district_community_id")
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_district")),
    )
    op.create_index("uq_district_name", "district", ["community_id", "name"], unique=True)
    op.create_table(
        "place",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("tool_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("cell", sa.BigInteger(), nullable=True),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(person_id IS NULL) <> (tool_id IS NULL)", name=op.f("ck_place_whose")),
        sa.CheckConstraint("char_length(address) <= 300", name=op.f("ck_place_address")),
        sa.CheckConstraint(BOTH, name=op.f("ck_place_both")),
        sa.CheckConstraint(ON_EARTH, name=op.f("ck_place_on_earth")),
        sa.ForeignKeyConstraint(
            ["community_id", "person_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_place_community_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_place_community_id_tool_id"),
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "district_id"],
            ["district.community_id", "district.id"],
            name=op.f("fk_place_community_id_district_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_place")),
    )
    for whose in ("person", "tool"):
        op.create_index(
            f"uq_place_{whose}",
            "place",
            ["community_id", f"{whose}_id"],
            unique=True,
            postgresql_where=sa.text(f"{whose}_id IS NOT NULL"),
        )
    op.add_column("tool", sa.Column("cell", sa.BigInteger(), nullable=True))
    op.add_column("tool", sa.Column("district_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_tool_community_id_district_id"),
        "tool",
        "district",
        ["community_id", "district_id"],
        ["community_id", "id"],
    )
    op.create_index(
        "ix_tool_cell",
        "tool",
        ["community_id", "cell", "plain_name"],
        postgresql_where=sa.text("cell IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
