"""Reading tools and categories."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.sql import Select

from app.db import Tx
from app.errors import NotFound
from app.people.models import Person
from app.people.viewer import Viewer
from app.tools import keepers, rules
from app.tools.models import Category, Tool, ToolStatus
from app.tools.photo import Photo


def with_all() -> Select[Tool]:
    """A tool with everything its card shows."""
    return select(Tool).options(
        joinedload(Tool.owner),
        joinedload(Tool.category),
        joinedload(Tool.photo),
        joinedload(Tool.district),
    )


async def tool(tx: Tx, community_id: int, tool_id: int) -> Tool | None:
    return await tx.scalar(with_all().where(Tool.community_id == community_id, Tool.id == tool_id))


async def tool_for(tx: Tx, viewer: Viewer, tool_id: int) -> Tool:
    """Raises NotFound for what this viewer may not see."""
    found = await tool(tx, viewer.community_id, tool_id)
    if found is None or not rules.sees(found, viewer):
        raise NotFound
    return found


async def locked(tx: Tx, community_id: int, tool_id: int) -> Tool:
    """The tool under its row lock: every change of one of its loans begins here."""
    found = await tx.scalar(
        select(Tool)
        .where(Tool.community_id == community_id, Tool.id == tool_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


async def tools_of(tx: Tx, viewer: Viewer) -> Sequence[Tool]:
    """What the viewer lends here, the archive last."""
    rows = await tx.scalars(
        with_all()
        .where(Tool.community_id == viewer.community_id, keepers.lent_by(viewer.person_id))
        .order_by(Tool.status == ToolStatus.ARCHIVED, func.lower(Tool.name), Tool.id)
    )
    return rows.all()


async def keepers_of(tx: Tx, tool: Tool) -> Sequence[Person]:
    """Who looks after a community's tool, in the order in which requests come to them."""
    rows = await tx.scalars(select(Person).where(Person.id.in_(tool.keepers)))
    found = {one.id: one for one in rows}
    return [found[person_id] for person_id in tool.keepers]


async def categories(tx: Tx, community_id: int) -> Sequence[Category]:
    rows = await tx.scalars(
        select(Category)
        .where(Category.community_id == community_id)
        .order_by(Category.position, Category.name)
    )
    return rows.all()


async def hanging_in(tx: Tx, community_id: int) -> dict[int, int]:
    """category id → how many tools it has, whatever their state."""
    rows = await tx.execute(
        select(Tool.category_id, func.count())
        .where(Tool.community_id == community_id)
        .group_by(Tool.category_id)
    )
    return {one: count for one, count in rows}  # noqa: C416 - rows are no pairs to mypy


async def category(tx: Tx, community_id: int, slug: str) -> Category | None:
    return await tx.scalar(
        select(Category).where(Category.community_id == community_id, Category.slug == slug)
    )


async def held_category(tx: Tx, community_id: int, slug: str) -> Category | None:
    """Until the transaction ends, nobody merges it into another one."""
    return await tx.scalar(
        select(Category)
        .where(Category.community_id == community_id, Category.slug == slug)
        .with_for_update(read=True, key_share=True)
    )


async def photo_for(tx: Tx, viewer: Viewer, name: str) -> Photo:
    """A photo by its file name, if the viewer may see the tool that shows it."""
    row = await tx.execute(
        select(Photo, Tool)
        .join(
            Tool,
            and_(
                Tool.community_id == Photo.community_id,
                or_(Tool.id == Photo.tool_id, Tool.photo_id == Photo.id),
            ),
        )
        .where(Photo.community_id == viewer.community_id, Photo.name == name)
    )
    for photo, shown_by in row:
        if rules.sees(shown_by, viewer):
            return photo
    raise NotFound
