"""Codes and records of hand-overs, parts lists, self-service. The release before goes on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tool", sa.Column("parts", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "tool", sa.Column("self_service", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _key_box()
    _code()
    _record()
    _photo()
    # What went out or came back before there were records has one with what is known of it.
    op.execute(
        "INSERT INTO handover (community_id, loan_id, direction, by_id, pressed_at, happened_at, "
        "parts, condition, words) SELECT community_id, id, 'out', lender_id, out_at, out_at, "
        "CAST('[]' AS jsonb), '', '' FROM loan WHERE out_at IS NOT NULL UNION ALL SELECT community_id, id, 'in', "
        "lender_id, back_at, back_at, CAST('[]' AS jsonb), '', '' FROM loan WHERE back_at IS NOT NULL"
    )


def _key_box() -> None:
    op.create_table(
        "key_box",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("tool_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "tool_id"],
            ["tool.community_id", "tool.id"],
            name=op.f("fk_key_box_community_id_tool_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "tool_id", name=op.f("pk_key_box")),
    )


def _code() -> None:
    op.create_table(
        "handover_code",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("shown_by", sa.BigInteger(), nullable=False),
        sa.Column("loan_version", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction IN ('out', 'in')", name=op.f("ck_handover_code_direction")),
        sa.ForeignKeyConstraint(
            ["community_id", "loan_id"],
            ["loan.community_id", "loan.id"],
            name=op.f("fk_handover_code_community_id_loan_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shown_by"], ["person.id"], name=op.f("fk_handover_code_shown_by")
        ),
        sa.PrimaryKeyConstraint("community_id", "loan_id", name=op.f("pk_handover_code")),
    )


def _record() -> None:
    op.create_table(
        "handover",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=False),
        sa.Column("pressed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("noted_by", sa.BigInteger(), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("direction IN ('out', 'in')", name=op.f("ck_handover_direction")),
        sa.CheckConstraint(
            "condition IN ('', 'as_before', 'worn', 'damaged')", name=op.f("ck_handover_condition")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "loan_id"],
            ["loan.community_id", "loan.id"],
            name=op.f("fk_handover_community_id_loan_id"),
        ),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_handover_by_id")),
        sa.ForeignKeyConstraint(["noted_by"], ["person.id"], name=op.f("fk_handover_noted_by")),
        sa.PrimaryKeyConstraint("community_id", "loan_id", "direction", name=op.f("pk_handover")),
    )


def _photo() -> None:
    op.create_table(
        "handover_photo",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "id", sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False
        ),
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "loan_id", "direction"],
            ["handover.community_id", "handover.loan_id", "handover.direction"],
            name=op.f("fk_handover_photo_community_id_loan_id_direction"),
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["person.id"], name=op.f("fk_handover_photo_uploaded_by")
        ),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_handover_photo")),
        sa.UniqueConstraint("name", name=op.f("uq_handover_photo_name")),
    )
    op.create_index(
        "ix_handover_photo_loan", "handover_photo", ["community_id", "loan_id", "direction"]
    )


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
