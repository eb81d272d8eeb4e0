"""The bell in the navigation, and the page behind it."""

from __future__ import annotations

from app import clock
from app.db import Tx
from app.notices import queries, telling
from app.pages import partial
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import Topics

topics = Topics()


@topics.personal("bell")
async def bell(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    return partial("notices/_bell.html", count=await queries.unseen(tx, viewer.person_id))


@topics.personal("notices")
async def notices(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    """The newest in all communities, each told in its own community's time."""
    now, places = clock.now(), await people.places_of(tx, viewer.person_id)
    found = [
        {"notice": telling.tell(one, place[0], now, viewer.locale), "zone": place[0].zone}
        for one in await queries.notices_of(tx, viewer.person_id)
        if (place := places.get(one.community_id))
    ]
    return partial("notices/_notices.html", notices=found)
