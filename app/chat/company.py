"""What somebody sees of whom they talk with: quiet hours, and when they were last here."""

from __future__ import annotations

from typing import Any

from app import clock
from app.db import Tx
from app.notices import preferences
from app.people import blocks
from app.people import queries as people
from app.people.viewer import Viewer


async def of_other(tx: Tx, viewer: Viewer, other: int | None) -> dict[str, Any]:
    """`other` is None where that is nobody, nobody with an account, or more than one."""
    if other is None or await blocks.between(tx, viewer.person_id, [other]):
        return {"quiet": None, "last_here": None}
    return {
        "quiet": await preferences.quiet_of(tx, other, viewer.here.zone, clock.now()),
        "last_here": await people.last_here(tx, other),
    }
