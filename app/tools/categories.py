"""The shelves of a community, in two levels: coordinators add, rename, move, merge and remove."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select, update

from app import topic
from app.db import Tx
from app.errors import NotFound, Refusal, mistyped
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import watches
from app.tools.folded import folded
from app.tools.models import Category, Tool
from app.tools.rules import clean

NAME_LONGEST = 40
MOST = 100  # of a community: each is a word in the row above the wall


def in_tree(shelves: Sequence[Category]) -> list[Category]:
    """Each with what stands below it right after it; otherwise in the given order."""
    top = [shelf for shelf in shelves if shelf.parent_id is None]
    return [one for shelf in top for one in (shelf, *below(shelf, shelves))]


def below(shelf: Category, shelves: Sequence[Category]) -> list[Category]:
    return [one for one in shelves if one.parent_id == shelf.id]


def why_not_sort(by: Viewer) -> Refusal | None:
    if by.is_coordinator:
        return None
    return Refusal(
        "Only a coordinator arranges the categories.", lifted_by="a coordinator", status=403
    )


def why_not_remove(
    shelf: Category, shelves: Sequence[Category], tools: int, into: Category | None
) -> Refusal | None:
    """`tools`: how many hang there, whatever their state."""
    if below(shelf, shelves):
        return Refusal(f"Other categories stand below {shelf.name}.", "Move or merge them first.")
    if into is not None and into.id == shelf.id:
        return mistyped("into", "Choose another category to take its tools.")
    if tools and into is None:
        return mistyped(
            "into",
            f"There {'is 1 tool' if tools == 1 else f'are {tools} tools'} in {shelf.name}.",
            "Choose the category that takes them.",
        )
    return None


async def add(tx: Tx, name: str, parent_id: int | None, by: Viewer) -> Category:
    """Raises Refusal with the field that cannot be taken."""
    shelves = await _locked(tx, by)
    if len(shelves) >= MOST:
        raise Refusal(f"There are {MOST} categories already.", "Merge two of them first.")
    name = _checked(name, shelves)
    parent = _parent(parent_id, None, shelves)
    made = Category(
        community_id=by.community_id,
        parent_id=parent.id if parent else None,
        slug=_slug(name, shelves),
        name=name,
        icon=parent.icon if parent else "wrench",
        position=1 + max((shelf.position for shelf in shelves), default=0),
    )
    tx.add(made)
    await tx.flush()
    touch(tx, topic.listing(by.community_id))
    return made


async def change(tx: Tx, category_id: int, name: str, parent_id: int | None, by: Viewer) -> None:
    """Another name, or another place; its address stays, and links to it."""
    shelves = await _locked(tx, by)
    shelf = _one(category_id, shelves)
    others = [one for one in shelves if one is not shelf]
    shelf.name = _checked(name, others)
    parent = _parent(parent_id, shelf, shelves)
    shelf.parent_id = parent.id if parent else None
    await tx.flush()
    here = by.community_id
    watched = await watches.watchers(tx, here, shelf.slug)
    touch(tx, topic.listing(here), topic.wanted(here), *map(topic.things, watched))


async def remove(tx: Tx, category_id: int, into_id: int | None, by: Viewer) -> None:
    """Its tools and watches go into another one; without tools it just goes.

    What is wanted there has to go first: doors ask `wanted.commands.remove_category`.
    """
    shelf, into = await to_remove(tx, category_id, into_id, by)
    moved: Sequence[int] = ()
    if into is not None:
        rows = await tx.scalars(
            update(Tool).where(_hangs_in(shelf)).values(category_id=into.id).returning(Tool.id)
        )
        moved = rows.all()
    here = by.community_id
    watched = await watches.rehang(tx, here, shelf.slug, into.slug if into else None)
    await tx.delete(shelf)
    await tx.flush()
    touch(tx, topic.listing(here), *(topic.tool(here, tool_id) for tool_id in moved))
    touch(tx, *map(topic.things, watched))


async def to_remove(
    tx: Tx, category_id: int, into_id: int | None, by: Viewer
) -> tuple[Category, Category | None]:
    """What goes, and what takes its tools: held until the end. Raises Refusal, NotFound."""
    shelves = await _locked(tx, by)
    shelf = _one(category_id, shelves)
    into = None if into_id is None else _one(into_id, shelves)
    counted = select(func.count()).select_from(Tool).where(_hangs_in(shelf))
    if refusal := why_not_remove(shelf, shelves, await tx.scalar(counted) or 0, into):
        raise refusal
    if into is None and len(shelves) == 1:
        raise Refusal("A tool has to hang somewhere.", "Add another category first.")
    return shelf, into


def _hangs_in(shelf: Category) -> ColumnElement[bool]:
    return and_(Tool.community_id == shelf.community_id, Tool.category_id == shelf.id)


async def _locked(tx: Tx, by: Viewer) -> Sequence[Category]:
    """All of them: who arranges, arranges alone. Raises Refusal for who may not."""
    if refusal := why_not_sort(by):
        raise refusal
    here = Category.community_id == by.community_id
    await tx.execute(select(Category.id).where(here).order_by(Category.id).with_for_update())
    # Only a statement that begins now sees what somebody added while we waited.
    rows = await tx.scalars(
        select(Category).where(here).order_by(Category.id).execution_options(populate_existing=True)
    )
    return rows.all()


def _one(category_id: int, shelves: Sequence[Category]) -> Category:
    for shelf in shelves:
        if shelf.id == category_id:
            return shelf
    raise NotFound


def _parent(
    parent_id: int | None, shelf: Category | None, shelves: Sequence[Category]
) -> Category | None:
    """Where it may stand: two levels are enough to look through."""
    if parent_id is None:
        return None
    parent = _one(parent_id, shelves)
    if parent is shelf:
        raise mistyped("parent", "It cannot stand below itself.")
    if parent.parent_id is not None:
        raise mistyped("parent", f"{parent.name} stands below another.", "Choose one above.")
    if shelf is not None and below(shelf, shelves):
        raise mistyped("parent", "Other categories stand below it.", "Move them first.")
    return parent


def _checked(name: str, others: Sequence[Category]) -> str:
    name = " ".join(clean(name).split())
    if not name or len(name) > NAME_LONGEST:
        raise mistyped("name", f"A category has a name of up to {NAME_LONGEST} characters.")
    if folded(name) in {folded(one.name) for one in others}:
        raise mistyped("name", f"There is a category {name} already.", "Choose another name.")
    return name


def _slug(name: str, shelves: Sequence[Category]) -> str:
    """For addresses: plain letters, told apart by a number."""
    plain = "".join(one if one.isascii() else " " for one in folded(name))
    start = "-".join(plain.split())[:30].strip("-") or "more"
    taken = {shelf.slug for shelf in shelves}
    number = 1
    while (slug := start if number == 1 else f"{start}-{number}") in taken:
        number += 1
    return slug
