"""What one may take along: the tools one lends, and for coordinators those of the community."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from app.db import Tx
from app.errors import NotFound
from app.inventory import columns
from app.inventory.models import ToolImport
from app.loans.alone import Box
from app.people.viewer import Viewer
from app.tools import album, keepers, rules
from app.tools import queries as tools
from app.tools.models import Category, KeyBox, Tool
from app.tools.photo import Photo


@dataclass(frozen=True)
class Held:
    """A tool with what its row shows beside it; `box` only for who may see it.

    `names`: what a table calls its photos.
    """

    tool: Tool
    box: Box | None
    photos: Sequence[Photo]
    names: Sequence[str]

    @property
    def values(self) -> columns.Values:
        return columns.of(self.tool, self.box, self.photos, self.names)


async def held_by(tx: Tx, viewer: Viewer) -> Sequence[Held]:
    """Everything that a table of this person's can name, the archive too."""
    here = viewer.community_id
    mine = keepers.lent_by(viewer.person_id)
    rows = await tx.scalars(
        tools.with_all()
        .where(
            Tool.community_id == here,
            or_(mine, Tool.owner_id.is_(None)) if viewer.is_coordinator else mine,
        )
        .order_by(func.lower(Tool.name), Tool.id)
        .execution_options(populate_existing=True)
    )
    found = rows.all()
    ids = [tool.id for tool in found]
    photos = await album.photos_of_all(tx, here, ids)
    boxes = await _boxes(tx, here, ids)
    seen = {_ours(photo) for shown in photos.values() for photo in shown}
    held = []
    for tool in found:
        box = boxes.get(tool.id) if rules.may_change(tool, viewer) else None
        shown = photos.get(tool.id, ())
        held.append(Held(tool, box, shown, [_named(photo, seen) for photo in shown]))
    return held


def _named(photo: Photo, seen: set[str]) -> str:
    """As the table did that brought it, unless another one is called so: then as we do."""
    if not photo.source or photo.source in seen:
        return _ours(photo)
    seen.add(photo.source)
    return photo.source


def _ours(photo: Photo) -> str:
    return f"{photo.name}.jpg"


async def exported_by(tx: Tx, viewer: Viewer) -> Sequence[Held]:
    """Without the archive, and what is lost."""
    return [one for one in await held_by(tx, viewer) if one.tool.status in columns.STATES]


async def categories(tx: Tx, community_id: int) -> Mapping[str, Category]:
    """By what a table may call them: slug and name."""
    found = await tools.categories(tx, community_id)
    return {one.name.casefold(): one for one in found} | {one.slug: one for one in found}


async def import_for(tx: Tx, viewer: Viewer, import_id: int) -> ToolImport:
    """Only for who has sent it."""
    found = await tx.get(ToolImport, (viewer.community_id, import_id), populate_existing=True)
    if found is None or found.person_id != viewer.person_id:
        raise NotFound
    return found


async def _boxes(tx: Tx, community_id: int, tool_ids: Sequence[int]) -> dict[int, Box]:
    rows = await tx.scalars(
        select(KeyBox).where(KeyBox.community_id == community_id, KeyBox.tool_id.in_(tool_ids))
    )
    return {row.tool_id: Box(row.place, row.code) for row in rows}
