"""The photos of a tool, the cover first."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import and_, or_, select

from app.db import Tx
from app.tools.models import Photo, Tool

PHOTOS_MOST = 8
ALT_LONGEST = 200


async def photos_of(tx: Tx, tool: Tool) -> Sequence[Photo]:
    return (await photos_of_all(tx, tool.community_id, [tool.id])).get(tool.id, [])


async def photos_of_all(
    tx: Tx, community_id: int, tool_ids: Collection[int]
) -> dict[int, list[Photo]]:
    """By tool. A cover of the release before names no tool: then its tool names it."""
    rows = await tx.execute(
        select(Tool.id, Photo)
        .join(
            Photo,
            and_(
                Photo.community_id == Tool.community_id,
                or_(Photo.tool_id == Tool.id, Photo.id == Tool.photo_id),
            ),
        )
        .where(Tool.community_id == community_id, Tool.id.in_(tool_ids))
        .order_by(Tool.id, (Photo.id == Tool.photo_id).desc(), Photo.position, Photo.id)
    )
    found: dict[int, list[Photo]] = {}
    for tool_id, photo in rows:
        found.setdefault(tool_id, []).append(photo)
    return found
