"""The bell in the navigation, and the page behind it."""

from __future__ import annotations

from app import clock, topic
from app.db import Tx
from app.errors import NotFound
from app.loans import queries as loans
from app.notices import preferences, queries, telling, truth
from app.pages import partial
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import Topics

topics = Topics()


@topics.personal("bell")
async def bell(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    """The count, and the pages on which looking at them is having seen it."""
    subjects = await queries.unseen_subjects(tx, viewer.person_id)
    paths = {telling.path_of(subject, f"/c/{slug}") for slug, subject in subjects}
    return partial(
        "notices/_bell.html",
        count=await queries.unseen(tx, viewer.person_id),
        paths=sorted(paths),
    )


@topics.personal("notices")
async def notices(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    """The newest in all communities, each told in its own community's time."""
    now, places = clock.now(), await people.places_of(tx, viewer.person_id)
    told = [
        (one, telling.tell(one, place[0], now, viewer.locale), place[0].zone)
        for one in await queries.notices_of(tx, viewer.person_id)
        if (place := places.get(one.community_id))
    ]
    newest = max((one.id for one, _, _ in told), default=0)
    return partial("notices/_notices.html", heaps=telling.heaps(told), newest=newest)


@topics.personal("delivered")
async def delivered(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """For the two of a loan: what became of its reminders, and whether the viewer muted it."""
    loan_id = topic.number(key)
    try:
        loan = None if loan_id is None else await loans.loan_for(tx, viewer, loan_id)
    except NotFound:
        loan = None
    if loan is None:
        return None
    subject = topic.loan(loan.community_id, loan.id)
    return partial(
        "notices/_delivered.html",
        loan_id=loan.id,
        told=await truth.reminders_of(tx, viewer, subject),
        muted=await preferences.is_muted(tx, loan.community_id, viewer.person_id, subject),
        path=f"{viewer.here.path}/loans/{loan.id}",
        zone=viewer.here.zone,
    )
