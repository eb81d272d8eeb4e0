"""The rows of a table become tools: many in few statements, by the rules of the form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app import topic
from app.db import Tx
from app.inventory import columns, held_here
from app.inventory.trial import Becomes, Plan
from app.loans import alone, shelf
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import album, commands, photos, terms, watches, where
from app.tools.commands import ToolText
from app.tools.models import Category, KeyBox, Tool, ToolStatus
from app.tools.photo import Photo
from app.tools.photos import Stored

AT_ONCE = 250
LOOKS_APART = timedelta(milliseconds=50)  # so that the clock's other work has its turn
SOUGHT = {"name", "brand", "category", "description", "skill", "price"}  # or filtered by
Told = Callable[[int], Awaitable[None]]


async def hang_up(
    tx: Tx, plans: Sequence[Plan], staged: Mapping[str, Any], by: Viewer, now: datetime, told: Told
) -> None:
    """All of them, or by raising none. `told(rows)` hears how many are through."""
    categories = await held_here.categories(tx, by.community_id)
    pictures = _Pictures(staged)
    counted = [plan for plan in plans if plan.fate.becomes in (Becomes.NEW, Becomes.CHANGES)]
    done, new = 0, list[Tool]()
    try:
        for some in _batches(counted):
            new += await _hang_new(tx, some, pictures, categories, by, now)
            for plan in some:
                if plan.held is not None:
                    await _change(tx, plan, pictures, categories, by, now)
            done += len(some)
            await told(done)
        listed = [tool.id for tool in new if tool.status == ToolStatus.LISTED]
        await watches.stir_all(tx, by.community_id, listed, now, apart=LOOKS_APART)
    except BaseException:
        await pictures.discard_copies()
        raise
    here = by.community_id
    touch(
        tx, topic.board(here), topic.recent(here), topic.listing(here), topic.things(by.person_id)
    )


class _Pictures:
    """Each stored picture hangs once; whoever wants it after that gets a copy."""

    def __init__(self, staged: Mapping[str, Any]) -> None:
        self._staged = {name: _staged(*kept) for name, kept in staged.items() if kept}
        self._used: set[str] = set()
        self._copies: list[Stored] = []

    async def take(self, tx: Tx, name: str, community_id: int, now: datetime) -> Stored:
        stored = self._staged[name]
        if name in self._used:
            stored = await photos.again(stored)
            self._copies.append(stored)
            await photos.keep(tx, stored, community_id, now)
        self._used.add(name)
        return stored

    async def discard_copies(self) -> None:
        for stored in self._copies:
            await photos.discard(stored)


def _staged(name: str, width: int, height: int) -> Stored:
    return Stored(name, width, height, whole=True)


async def _hang_new(
    tx: Tx,
    plans: Sequence[Plan],
    pictures: _Pictures,
    categories: Mapping[str, Category],
    by: Viewer,
    now: datetime,
) -> Sequence[Tool]:
    made = [(_made(plan, categories, by, now), plan.values) for plan in plans if not plan.held]
    await where.put(tx, [tool for tool, _ in made], by)
    tx.add_all(tool for tool, _ in made)
    await tx.flush()
    covers: list[tuple[Tool, Photo]] = []
    for tool, values in made:
        if values.get("key_place") or values.get("key_code"):
            tx.add(_box(tool, values, now))
        hung = await _photos(tx, tool, values, {}, pictures, by, now)
        for position, photo in enumerate(hung):
            photo.position = position
        tx.add_all(hung)
        covers += [(tool, photo) for photo in hung[:1]]
    await tx.flush()
    for tool, photo in covers:
        tool.photo_id = photo.id
    await tx.flush()
    return [tool for tool, _ in made]


def _made(plan: Plan, categories: Mapping[str, Category], by: Viewer, now: datetime) -> Tool:
    values = plan.values
    tool = commands.made(_text(values), categories[values["category"]].id, by, now)
    if values.get("key"):
        tool.key = values["key"]
    tool.status = values.get("status", tool.status)
    terms.keep(tool, columns.terms_from(values, tool.lending))
    return tool


async def _change(
    tx: Tx,
    plan: Plan,
    pictures: _Pictures,
    categories: Mapping[str, Category],
    by: Viewer,
    now: datetime,
) -> None:
    assert plan.held is not None, "only what is there is changed"
    tool, values, changes = plan.held.tool, plan.values, set(plan.fate.changes)
    commands.write(tool, _text({name: values[name] for name in changes}))
    if "category" in changes:
        tool.category_id = categories[values["category"]].id
    tool.changed_at = now
    await tx.flush()
    if changes & columns.terms_of(tool.lending).keys():
        rest = columns.terms_from(values, tool.lending)
        await commands.set_terms(tx, tool, rest, by, now)
    if changes & {"key_place", "key_code"}:
        box = plan.held.values | values
        await alone.change_box(tx, tool.id, box["key_place"], box["key_code"], by, now)
    if changes & {"photos", "photo_texts"}:
        there = dict(zip(plan.held.names, plan.held.photos, strict=True))
        wanted = {"photos": plan.held.names} | values
        hung = await _photos(tx, tool, wanted, there, pictures, by, now)
        await album.arrange(tx, tool, hung, now)
    commands.touch_tool(tx, tool, listing=bool(changes & SOUGHT))
    await shelf.tell_parties(tx, tool)


async def _photos(
    tx: Tx,
    tool: Tool,
    values: Mapping[str, Any],
    there: Mapping[str, Photo],
    pictures: _Pictures,
    by: Viewer,
    now: datetime,
) -> list[Photo]:
    names, texts = values.get("photos", ()), values.get("photo_texts")
    hung = []
    for position, name in enumerate(names):
        photo = there.get(name)
        if photo is None:
            stored = await pictures.take(tx, name, tool.community_id, now)
            photo = album.photo_of(tool, stored, by, now, source=name)
        if texts is not None:
            photo.alt = texts[position] if position < len(texts) else ""
        hung.append(photo)
    return hung


def _text(values: Mapping[str, Any]) -> ToolText:
    return ToolText(
        name=values.get("name"),
        brand=values.get("brand"),
        description=values.get("description"),
        skill=values.get("skill"),
        price_cents=values.get("price"),
        parts=values.get("parts"),
        self_service=values.get("self_service"),
        of_all=values.get("belongs_to") == columns.COMMUNITY,
    )


def _box(tool: Tool, values: Mapping[str, Any], now: datetime) -> KeyBox:
    return KeyBox(
        community_id=tool.community_id,
        tool_id=tool.id,
        place=values.get("key_place", ""),
        code=values.get("key_code", ""),
        changed_at=now,
    )


def _batches(plans: Sequence[Plan]) -> Sequence[Sequence[Plan]]:
    return [plans[at : at + AT_ONCE] for at in range(0, len(plans), AT_ONCE)]
