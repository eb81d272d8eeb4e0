"""Listing and editing tools, and the categories they hang in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app import topic
from app.db import Tx
from app.errors import NotFound, mistyped
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import album, availability, photos, queries, rules, terms, watches, where
from app.tools.lending import Lending
from app.tools.models import Category, Skill, Tool, ToolStatus
from app.tools.photos import Stored

CATEGORIES = (
    ("drills", "Drills and drivers", "drill"),
    ("saws", "Saws", "saw"),
    ("garden", "Garden", "sprout"),
    ("ladders", "Ladders and access", "ladder"),
    ("painting", "Painting and walls", "paint-roller"),
    ("cleaning", "Cleaning", "spray-can"),
    ("moving", "Moving and carrying", "truck"),
    ("party", "Party and kitchen", "party"),
)


@dataclass(frozen=True)
class ToolText:
    """What an owner writes about a tool, not yet checked. None leaves a value as it is."""

    name: str | None = None
    category: str | None = None  # its slug
    brand: str | None = None
    description: str | None = None
    skill: str | None = None
    price_cents: int | None = None
    parts: str | None = None  # what comes with it, a line each
    self_service: bool | None = None
    of_all: bool = False  # a new tool is the community's; who lists it is its first keeper


def furnish(
    tx: Tx, community_id: int, categories: Iterable[tuple[str, str, str]] = CATEGORIES
) -> None:
    """The first categories of a new community: (slug, name, icon) each."""
    tx.add_all(
        Category(community_id=community_id, slug=slug, name=name, icon=icon, position=position)
        for position, (slug, name, icon) in enumerate(categories)
    )


async def list_tool(tx: Tx, text: ToolText, by: Viewer, now: datetime) -> Tool:
    """A new tool on the board. Raises Refusal with the field that cannot be taken."""
    if refusal := rules.why_not_list(by) or (rules.why_not_for_all(by) if text.of_all else None):
        raise refusal
    await people.still_in(tx, by)
    tool = made(text, await _category_id(tx, by.community_id, text.category), by, now)
    await where.put(tx, [tool], by)
    tx.add(tool)
    await tx.flush()
    await watches.stir(tx, tool.community_id, tool.id, now, now)
    touch_tool(tx, tool, listing=True)
    return tool


def made(text: ToolText, category_id: int, by: Viewer, now: datetime) -> Tool:
    """A tool as it is written about, not in the database yet. Raises Refusal with the field."""
    return Tool(
        community_id=by.community_id,
        owner_id=None if text.of_all else by.person_id,
        keepers=[by.person_id] if text.of_all else [],
        name=rules.check_name(text.name or ""),
        category_id=category_id,
        brand=rules.check_brand(text.brand or ""),
        description=rules.check_description(text.description or ""),
        skill=rules.check_skill(text.skill or Skill.ANYONE),
        price_cents=rules.check_price(text.price_cents or 0),
        parts=rules.check_parts(text.parts or ""),
        self_service=bool(text.self_service),
        status=ToolStatus.LISTED,
        created_at=now,
        changed_at=now,
    )


def write(tool: Tool, text: ToolText) -> None:
    """What is given, over what it says now. Raises Refusal with the field; not the category."""
    if text.name is not None:
        tool.name = rules.check_name(text.name)
    if text.brand is not None:
        tool.brand = rules.check_brand(text.brand)
    if text.description is not None:
        tool.description = rules.check_description(text.description)
    if text.skill is not None:
        tool.skill = rules.check_skill(text.skill)
    if text.price_cents is not None:
        tool.price_cents = rules.check_price(text.price_cents)
    if text.parts is not None:
        tool.parts = rules.check_parts(text.parts)
    if text.self_service is not None:
        tool.self_service = text.self_service


async def edit(tx: Tx, tool_id: int, text: ToolText, by: Viewer, now: datetime) -> Tool:
    await people.still_in(tx, by)
    tool = await queries.locked(tx, by.community_id, tool_id)
    if not rules.sees(tool, by):
        raise NotFound
    if refusal := rules.why_not_edit(tool, by):
        raise refusal
    before = _sought(tool)
    write(tool, text)
    if text.category is not None:
        tool.category_id = await _category_id(tx, by.community_id, text.category)
    tool.changed_at = now
    await tx.flush()
    touch_tool(tx, tool, listing=before != _sought(tool))
    return tool


def _sought(tool: Tool) -> tuple[object, ...]:
    """What of it is searched, filtered or sorted by."""
    words = (tool.name, tool.brand, tool.description)
    return (*words, tool.category_id, tool.skill, tool.price_cents)


async def set_terms(tx: Tx, tool: Tool, given: Lending, by: Viewer, now: datetime) -> None:
    """How it is lent from now on; what is asked for or promised stands."""
    if refusal := rules.why_not_edit(tool, by):
        raise refusal
    terms.keep(tool, given)
    tool.changed_at = now
    await tx.flush()
    await availability.wake(tx, tool.community_id, tool.id, now, now)  # more may fit now
    touch_tool(tx, tool)


async def show(tx: Tx, tool: Tool, picture: Stored, by: Viewer, now: datetime) -> None:
    """Hangs a stored picture on the tool as its cover; the one before goes."""
    if refusal := rules.why_not_edit(tool, by):
        raise refusal
    await photos.keep(tx, picture, tool.community_id, now)
    others = list(await album.photos_of(tx, tool))[1:]
    await album.arrange(tx, tool, [album.photo_of(tool, picture, by, now), *others], now)
    tool.changed_at = now
    await tx.flush()
    touch_tool(tx, tool)


async def hide_photo(tx: Tx, tool: Tool, by: Viewer, now: datetime) -> None:
    """Takes the cover off; the next photo stands in its place, or the category's icon."""
    if refusal := rules.why_not_edit(tool, by):
        raise refusal
    await album.arrange(tx, tool, list(await album.photos_of(tx, tool))[1:], now)
    tool.changed_at = now
    await tx.flush()
    touch_tool(tx, tool)


def touch_tool(tx: Tx, tool: Tool, *, listing: bool = False) -> None:
    """Every screen that shows this tool; `listing` when it enters, leaves or moves on the board."""
    community_id = tool.community_id
    touch(
        tx,
        topic.tool(community_id, tool.id),
        topic.dates(community_id, tool.id),
        topic.mine(community_id, tool.id),
        topic.waitlist(community_id, tool.id),
        topic.board(community_id),
        topic.recent(community_id),
        *(topic.things(person_id) for person_id in tool.lenders),
    )
    if listing:
        touch(tx, topic.listing(community_id))


async def _category_id(tx: Tx, community_id: int, slug: str | None) -> int:
    found = await queries.held_category(tx, community_id, rules.clean(slug or ""))
    if found is None:
        raise mistyped(
            "category", "Choose one of the categories.", "It says where neighbours look."
        )
    return found.id
