"""JSON that programs get, looked through for what must not be in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
from sqlalchemy import select

from app import db
from app.chat.models import Conversation
from app.loans.models import Loan
from app.tools.models import Tool
from tests import typed
from tests.api.conftest import programs_of
from tests.api.test_walls import ROUTES, body_for, filled
from tests.neighbours import Street

HTML = re.compile("[<>]")
# What people typed and no program reads below a community: the names of communities and devices,
# what was sent by mail or put into a form, and what a room tells in words of its own.
NOT_READ = {
    *("community.name", "community.area", "session.device", "membership.note", "letter.facts"),
    *("delivery.last_error", "loan.safety", "loan_event.reason", "tool_import.table_name"),
}
# Words of others that a refusal repeats: whom one has blocked; how a tool can hurt who asks for it.
NAMED = {"person.name", "tool.safety"}


def is_json(answer: httpx.Response) -> None:
    """No browser takes it for a page."""
    where = f"{answer.request.method} {answer.url} {answer.request.content[:200]!r}"
    assert answer.status_code < 500, where
    assert answer.headers["x-content-type-options"] == "nosniff", where
    assert answer.headers["content-security-policy"].startswith("default-src 'none'"), where
    kind = answer.headers.get("content-type", "")
    if not answer.content or kind.startswith(("text/csv", "image/")):
        return  # `/live` has no words for what is not there
    assert kind == f"application/{'problem+' if answer.status_code >= 400 else ''}json", where
    json.loads(answer.text)


def is_json_and_nothing_else(answer: httpx.Response) -> None:
    """And a problem repeats nothing that was typed."""
    is_json(answer)
    if answer.status_code >= 400:
        assert not HTML.search(answer.text), f"{answer.url}: {answer.text[:400]}"
        assert len(answer.text) < 4_000, answer.url


async def programs_look(street: Street) -> None:
    """All columns hold scripts: what neighbours read of them, and what others are refused."""
    read: set[str] = set()
    refused: set[str] = set()
    async with programs_of(street) as here:
        for who, acts, most in ((here.ada, False, 12), (here.cora, False, 12), (here.ben, True, 2)):
            ids = await _ids(street, most)
            for method, path in ROUTES:
                if acts != (method != "GET"):
                    continue
                body = body_for(method, path, here) if acts else None
                for address in _filled(path, street, ids):
                    answer = await who.call(method, address, json=body)
                    is_json(answer)
                    (refused if answer.status_code >= 400 else read).update(_columns(answer))
    unread = {*typed.KEPT} - read
    assert unread == NOT_READ, unread ^ NOT_READ
    assert refused <= NAMED, refused


def _columns(answer: httpx.Response) -> set[str]:
    return {kept for kept in typed.KEPT if typed.mark(kept) in answer.text}


async def _ids(street: Street, most: int) -> dict[str, list[int]]:
    found = {}
    async with db.snapshot() as tx:
        for name, table in (("loan_id", Loan), ("tool_id", Tool), ("room_id", Conversation)):
            rows = select(table.id).where(table.community_id == street.here.id).order_by(table.id)
            found[name] = list(await tx.scalars(rows.limit(most)))
    return found


def _filled(path: str, street: Street, ids: dict[str, list[int]]) -> Iterator[str]:
    """With each of the ids that it takes; with none that there is, where it takes no such."""
    name = next((name for name in ids if f"{{{name}}}" in path), "")
    for one in ids.get(name, [1]):
        given = path.replace(f"{{{name}}}", f"{one}") if name else path
        yield filled(given, street.here.slug, 1, 1)
