"""The live region of what is wanted."""

from __future__ import annotations

from app import clock
from app.db import Tx
from app.pages import partial
from app.people.viewer import Viewer
from app.realtime import Topics
from app.wanted import telling

topics = Topics()


@topics.personal("wanted")
async def wanted(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Personal: everybody has other buttons, and a block hides some of it from the two."""
    if key or viewer.suspended:
        return None
    return partial("wanted/_wanted.html", **await telling.listing(tx, viewer, clock.now()))
