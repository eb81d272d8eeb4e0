"""The answer with a photo, for whoever was found to have the right to it."""

from __future__ import annotations

from fastapi import Request, Response

from app import storage
from app.errors import NotFound, Refusal
from app.storage import StorageError
from app.tools.developing import AT_ONCE, TYPES, WIDTHS
from app.tools.photos import AWAY, name_of

FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"  # the right to see it may end
NOT_KEPT = "private, no-store"


async def shown(
    request: Request, name: str, width: int, ending: str, kept: str = ASK_AGAIN
) -> Response:
    """A copy of a picture; `kept` is what the browser may do with it. Raises NotFound, Refusal.

    Where the WebP has not been made yet it is the JPEG, which nobody keeps for it.
    """
    if width not in WIDTHS or ending not in TYPES:
        raise NotFound
    tag = _tag(name, width, ending)
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": kept})
    try:
        content = await storage.kept().read(name_of(name, width, ending))
        if content is None and ending != AT_ONCE:
            ending, kept = AT_ONCE, ASK_AGAIN if kept == FOR_EVER else kept
            content = await storage.kept().read(name_of(name, width, ending))
    except StorageError as error:
        raise Refusal(
            "Photos cannot be shown right now.",
            "Try again in a moment.",
            status=503,
            code=AWAY,
        ) from error
    if content is None:
        raise NotFound
    return Response(
        content,
        media_type=TYPES[ending],
        headers={
            "Content-Disposition": f'inline; filename="{name_of(name, width, ending)}"',
            "Cache-Control": kept,
            "ETag": _tag(name, width, ending),
        },
    )


def _tag(name: str, width: int, ending: str) -> str:
    """What is kept under a name never changes."""
    return f'"{name_of(name, width, ending)}"'
