"""Incidents, evidence, sums between people, mediators, and until when the last act can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    _loan()
    _incident()
    _evidence()
    _amount()


def _loan() -> None:
    op.add_column("loan", sa.Column("undo_until", WHEN, nullable=True))
    for name in ("mediator_id", "named_id", "named_by"):
        op.add_column("loan", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("mediator_id", "named_id"):
        op.create_foreign_key(
            op.f(f"fk_loan_community_id_{name}"),
            "loan",
            "membership",
            ["community_id", name],
            ["community_id", "person_id"],
        )
    op.create_foreign_key(op.f("fk_loan_named_by"), "loan", "person", ["named_by"], ["id"])
    op.create_check_constraint(
        op.f("ck_loan_mediator"),
        "loan",
        "mediator_id <> lender_id AND mediator_id IS DISTINCT FROM borrower_id"
        " OR mediator_id IS NULL",
    )
    for index, column in (("ix_loan_undo", "undo_until"), ("ix_loan_mediator", "mediator_id")):
        op.create_index(index, "loan", [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))


def _id() -> sa.Column[int]:
    return sa.Column(
        "id", sa.BigInteger(), sa.Identity(always=False), autoincrement=True, nullable=False
    )


def _common(table: str) -> list[sa.schema.SchemaItem]:
    """What all three tables have: they belong to one loan of one community."""
    return [
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        _id(),
        sa.Column("loan_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f(f"fk_{table}_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "loan_id"],
            ["loan.community_id", "loan.id"],
            name=op.f(f"fk_{table}_community_id_loan_id"),
        ),
    ]


def _by_person(table: str, column: str, *, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, sa.BigInteger(), nullable=nullable),
        sa.ForeignKeyConstraint([column], ["person.id"], name=op.f(f"fk_{table}_{column}")),
    ]


def _to_incident(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id", "incident_id"],
            ["incident.community_id", "incident.id"],
            name=op.f(f"fk_{table}_community_id_incident_id"),
        ),
    ]


def _incident() -> None:
    op.create_table(
        "incident",
        *_common("incident"),
        sa.Column("kind", sa.String(), nullable=False),
        *_by_person("incident", "opened_by"),
        sa.Column("opened_at", WHEN, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *_by_person("incident", "offer_by", nullable=True),
        sa.Column("offer_words", sa.String(), nullable=False),
        sa.Column("offer_cents", sa.BigInteger(), nullable=False),
        sa.Column("offer_payer", sa.String(), nullable=False),
        sa.Column("settled_at", WHEN, nullable=True),
        *_by_person("incident", "settled_by", nullable=True),
        sa.Column("result", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('late', 'damage', 'loss', 'no_show', 'not_here')",
            name=op.f("ck_incident_kind"),
        ),
        sa.CheckConstraint(
            "offer_payer IN ('borrower', 'lender')", name=op.f("ck_incident_offer_payer")
        ),
        sa.CheckConstraint(
            "offer_cents BETWEEN 0 AND 1000000", name=op.f("ck_incident_offer_cents")
        ),
    )
    op.create_index("ix_incident_loan", "incident", ["community_id", "loan_id"])
    op.create_index(
        "ix_incident_open",
        "incident",
        ["community_id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        *_common("evidence"),
        *_to_incident("evidence"),
        *_by_person("evidence", "by_id"),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("photo_name", sa.String(), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.UniqueConstraint("photo_name", name=op.f("uq_evidence_photo_name")),
    )
    op.create_index("ix_evidence_loan", "evidence", ["community_id", "loan_id"])


def _amount() -> None:
    op.create_table(
        "amount",
        *_common("amount"),
        *_to_incident("amount"),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        *_by_person("amount", "noted_by"),
        sa.Column("noted_at", WHEN, nullable=False),
        *(sa.Column(name, WHEN, nullable=True) for name in ("agreed_at", "paid_at", "back_at")),
        sa.CheckConstraint("purpose IN ('deposit', 'damage')", name=op.f("ck_amount_purpose")),
        sa.CheckConstraint("payer IN ('borrower', 'lender')", name=op.f("ck_amount_payer")),
        sa.CheckConstraint("cents BETWEEN 1 AND 1000000", name=op.f("ck_amount_cents")),
    )
    op.create_index("ix_amount_loan", "amount", ["community_id", "loan_id"])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
