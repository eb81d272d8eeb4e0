"""How notices go on to phone and letter box, and proving addresses. The release before goes on without it."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

GROUPS = "'requests', 'handovers', 'reminders', 'messages', 'waitlists', 'trouble'"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _person(name: str = "person_id", *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _of_a_person(table: str, column: str = "person_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["person.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.add_column("person", _instant("verified_at", nullable=True))
    op.add_column(
        "reset_link",
        sa.Column("mailed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    _preferences()
    _deliveries()
    _push()
    _letters()


def _preferences() -> None:
    op.create_table(
        "notice_setting",
        _person(),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=False),
        sa.Column("quiet_until", sa.Time(), nullable=False),
        _instant("paused_until", nullable=True),
        _of_a_person("notice_setting"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_notice_setting")),
    )
    op.create_table(
        "notice_wish",
        _person(),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("push", sa.Boolean(), nullable=False),
        sa.Column("mail", sa.String(), nullable=False),
        sa.CheckConstraint(f"about IN ({GROUPS})", name=op.f("ck_notice_wish_about")),
        sa.CheckConstraint(
            "mail IN ('at_once', 'daily', 'never')", name=op.f("ck_notice_wish_mail")
        ),
        _of_a_person("notice_wish"),
        sa.PrimaryKeyConstraint("person_id", "about", name=op.f("pk_notice_wish")),
    )
    op.create_table(
        "mute",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        _person(),
        sa.Column("subject", sa.String(), nullable=False),
        _instant("created_at"),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_mute_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "person_id"],
            ["membership.community_id", "membership.person_id"],
            name=op.f("fk_mute_community_id_person_id"),
        ),
        sa.PrimaryKeyConstraint("community_id", "person_id", "subject", name=op.f("pk_mute")),
    )


def _sending() -> list[sa.Column[Any]]:
    return [
        sa.Column("sending", sa.String(), nullable=False),
        _instant("send_at"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        _instant("settled_at", nullable=True),
    ]


def _deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        _person(),
        sa.Column("bundle", sa.String(), nullable=False),
        *_sending(),
        sa.CheckConstraint("channel IN ('push', 'mail')", name=op.f("ck_delivery_channel")),
        sa.CheckConstraint(
            "sending IN ('ready', 'sent', 'failed')", name=op.f("ck_delivery_sending")
        ),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_delivery_community_id")
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "notice_id"],
            ["notice.community_id", "notice.id"],
            name=op.f("fk_delivery_community_id_notice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_delivery_person_id")),
        sa.PrimaryKeyConstraint("community_id", "notice_id", "channel", name=op.f("pk_delivery")),
    )
    op.create_index(
        "ix_delivery_ready", "delivery", ["send_at"], postgresql_where=sa.text("sending = 'ready'")
    )
    op.create_index("ix_delivery_person", "delivery", ["person_id", "channel", "bundle"])


def _push() -> None:
    op.create_table(
        "push_key",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        _instant("made_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_key")),
    )
    op.create_table(
        "push_subscription",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _person(),
        sa.Column("session_hash", sa.LargeBinary(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("auth", sa.LargeBinary(), nullable=False),
        _instant("created_at"),
        _of_a_person("push_subscription"),
        sa.ForeignKeyConstraint(
            ["session_hash"],
            ["session.key_hash"],
            name=op.f("fk_push_subscription_session_hash"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscription_endpoint")),
    )
    op.create_index(op.f("ix_push_subscription_person_id"), "push_subscription", ["person_id"])
    op.create_index(
        op.f("ix_push_subscription_session_hash"), "push_subscription", ["session_hash"]
    )


def _letters() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        _person(nullable=True),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        _instant("created_at"),
        *_sending(),
        sa.CheckConstraint(
            "kind IN ('confirm', 'reset', 'invitation')", name=op.f("ck_letter_kind")
        ),
        sa.CheckConstraint(
            "sending IN ('ready', 'sent', 'failed')", name=op.f("ck_letter_sending")
        ),
        _of_a_person("letter"),
        sa.ForeignKeyConstraint(
            ["community_id"], ["community.id"], name=op.f("fk_letter_community_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    op.create_index(
        "ix_letter_ready", "letter", ["send_at"], postgresql_where=sa.text("sending = 'ready'")
    )
    op.create_table(
        "confirm_link",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        _person(),
        sa.Column("email", sa.String(), nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("used_at", nullable=True),
        _of_a_person("confirm_link"),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_confirm_link")),
    )
    op.create_index(op.f("ix_confirm_link_person_id"), "confirm_link", ["person_id"])


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: a step back would lose rows.")
