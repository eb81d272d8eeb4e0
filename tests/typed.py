"""What people have typed, in every column that keeps it, as something harmless or as scripts; and a
page as its elements and the names of their attributes, which must not depend on that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB

from app.db import Base, Tx
from tests.scripts import TRIES

# table.column
KEPT = (
    *("community.name", "community.area", "person.name", "session.device", "membership.note"),
    *("category.name", "tool.name", "tool.brand", "tool.description", "tool.safety", "tool.parts"),
    *("key_box.place", "key_box.code", "loan.borrower_name", "loan.reason", "loan.place"),
    *("loan.safety", "handover.parts", "handover.words", "incident.offer_words"),
    *("incident.result", "loan_change.note", "loan_event.reason", "evidence.words"),
    *("message.body", "report.reason", "report.words", "report.outcome"),
    *("notice.facts", "letter.facts", "delivery.last_error", "photo.alt", "tool.key"),
    *("upkeep.words", "wanted.words", "wanted_answer.words", "watch.words"),
    *("place.address", "district.name"),
    *("tool_import.table_name", "tool_import.warnings", "tool_import.fates", "tool_import.said"),
)
# What the program writes itself: kinds, states, keys, hashes, names of files; and addresses, which
# have a shape of their own (`tests/people`).
OURS = {
    *("clock_mark.name", "community.slug", "community.zone", "community.locale"),
    *("community.join_rule", "community.currency", "idempotency_key.command"),
    *("idempotency_key.key", "idempotency_key.outcome", "job.name", "job.key", "job.last_error"),
    *("job_run.name", "job_run.last_error", "category.slug", "category.icon", "person.email"),
    *("person.password_hash", "person.locale", "confirm_link.email", "letter.kind"),
    *("letter.address", "letter.sending", "letter.last_error", "membership.role"),
    *("membership.status", "notice_setting.zone", "notice_wish.about", "notice_wish.mail"),
    *("photo.name", "mute.subject", "notice.kind", "notice.subject", "push_subscription.endpoint"),
    *("photo.client_id", "photo.source", "feed.kind", "tool.skill", "tool.plain_name"),
    *("upkeep.kind", "tool_import.stored", "tool_import.staged", "tool_import.state"),
    *("tool.keepers", "tool.windows", "tool.status", "delivery.channel", "delivery.bundle"),
    *("delivery.sending", "wish.outcome", "loan.keepers", "loan.state", "handover.direction"),
    *("handover.condition", "handover_code.direction", "incident.kind", "incident.offer_payer"),
    *("loan_change.kind", "loan_change.state", "loan_event.act", "loan_event.from_state"),
    *("loan_event.to_state", "occupancy.kind", "amount.purpose", "amount.payer"),
    *("evidence.photo_name", "handover_photo.direction", "handover_photo.name", "message.kind"),
    *("message.client_id", "message.photo_name", "report.photo_name"),
    *("wanted.state", "watch.category"),
}
# A first word that does without spaces: where only that is shown, it is as bad as the whole.
FIRST = "\"'><script>alert(1)</script><img/src=x/onerror=alert(1)>"
EVIL = " ".join((FIRST, *TRIES, "\r\nBcc: all@example.org\r\n\r\n<b")).replace("\x00", "")
# Instants, in a notice; what becomes of a row of a table, and the columns it changes.
OURS_IN_FACTS = {"start", "end", "until", "becomes", "changes"}


# Fields of forms and of the API that take words as people type them …
WORDS = {
    *("about", "body", "brand", "code", "community", "description", "key_code", "key_place"),
    *("message", "name", "note", "parts", "place", "q", "reason", "rules.safety", "safety"),
    *("address", "alt", "said", "table", "there", "words"),
}
# … and those that take something of a shape of its own, and keep nothing else.
SHAPED = {
    *("accept_safety", "amount", "auth", "back", "back_at", "borrower", "category", "client_id"),
    *("current", "cursor", "deposit", "digits", "email", "end", "end_time", "endpoint"),
    *("free_from", "free_to", "happened_at", "held", "idempotency_key", "keeper", "kind"),
    *("alike", "becomes", "cost", "day", "how_many", "ids", "into", "length", "parent", "waiting"),
    *("distance", "district", "point"),
    *("lender", "next", "price_to", "separator", "skill"),
    *("of_age", "out_at", "password", "price", "public_key", "quiet_from", "quiet_until", "role"),
    *(
        "start",
        "start_time",
        "theme",
        "username",
        "wait_days",
        "wait_end",
        "wait_start",
        "what",
        "zone",
    ),
}


def columns() -> Iterator[str]:
    """All that can hold a text."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if re.search("CHAR|TEXT|JSON|ARRAY", str(column.type).upper()):
                yield f"{table.name}.{column.name}"


def mark(kept: str) -> str:
    """By which a column's words are known in a page."""
    return f"Q{KEPT.index(kept):02}q"


def words(kept: str, *, evil: bool, whole: str = EVIL) -> str:
    """Of one length and with the same spaces, so that both are folded and cut alike."""
    return mark(kept) + (whole if evil else re.sub(r"[^\w\s]|_", "x", whole))


async def type_everywhere(tx: Tx, *, evil: bool) -> dict[str, int]:
    """Into each row of each column that keeps what people type; answers how many rows it has."""
    rows = {}
    for kept in KEPT:
        table, column = kept.split(".")
        typed = words(kept, evil=evil)
        if isinstance(Base.metadata.tables[table].c[column].type, JSONB):
            rows[kept] = await _into_json(tx, table, column, typed)
            continue
        done = await tx.execute(
            text(f"UPDATE {table} SET {column} = :typed WHERE {column} IS NOT NULL"),
            {"typed": typed},
        )
        rows[kept] = done.rowcount  # type: ignore[attr-defined]
    return rows


async def allow_any_length(tx: Tx) -> None:
    """So that a name holds all tries at once. Only in a database of one's own."""
    checks = await tx.execute(
        text(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'c' AND pg_get_constraintdef(oid) LIKE '%length(%'"
        )
    )
    for table, name in checks.all():
        await tx.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))


async def _into_json(tx: Tx, table: str, column: str, typed: str) -> int:
    found = await tx.execute(text(f"SELECT ctid::text, {column} FROM {table}"))
    rows = found.all()
    for place, value in rows:
        await tx.execute(
            text(
                f"UPDATE {table} SET {column} = CAST(:it AS jsonb)"
                " WHERE ctid = CAST(CAST(:at AS text) AS tid)"
            ),
            {"it": json.dumps(_typed_into(value, typed)), "at": place},
        )
    return len(rows)


def _typed_into(value: Any, typed: str) -> Any:
    if isinstance(value, dict):
        return {
            key: one if key in OURS_IN_FACTS else _typed_into(one, typed)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_typed_into(one, typed) for one in value]
    return typed if isinstance(value, str) else value


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("rel") == "noopener nofollow ugc":  # a typed address
            assert set(given) == {"href", "rel", "target"}, given
            assert re.match(r"https?://", given["href"] or "", re.I), given
            return
        for name, value in attrs:
            harmless = name not in ("href", "src", "action", "formaction", "srcset", "data-href")
            assert harmless or re.match(r"/|#|\?|https?://|$", value or "", re.I), (
                tag,
                name,
                value,
            )
        self.found.append(" ".join((tag, *sorted(name for name, _ in attrs))))

    def handle_comment(self, data: str) -> None:
        self.found.append("a comment")


def structure(html: str) -> list[str]:
    """Each element with the names of its attributes, in the page's order."""
    reader = _Elements()
    reader.feed(html)
    reader.close()
    return reader.found


@dataclass
class Written:
    """A form of a page: where it posts, what it would send, and which fields one can type into."""

    action: str
    sends: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)  # name → type


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Written] = []
        self.open: Written | None = None
        self.chosen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "form" and given.get("method") == "post":
            self.open = Written(given["action"])
            self.found.append(self.open)
        elif self.open is None:
            return
        elif tag == "select":
            self.chosen = name
        elif tag == "option" and self.chosen:
            if "selected" in given or self.chosen not in self.open.sends:
                self.open.sends[self.chosen] = given.get("value", "")
        elif tag == "textarea" or (tag == "input" and name and kind not in NOT_TYPED):
            self.open.typed[name] = kind
            self.open.sends[name] = given.get("value", "")
        elif tag == "input" and (kind == "hidden" or "checked" in given):
            self.open.sends[name] = given.get("value", "on")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "select":
            self.chosen = ""


NOT_TYPED = ("hidden", "checkbox", "radio", "file", "password", "submit")


def forms(html: str) -> list[Written]:
    reader = _Forms()
    reader.feed(html)
    return reader.found
