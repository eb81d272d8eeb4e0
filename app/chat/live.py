"""A room's messages as rows since a revision, and the count of what one has not read."""

from __future__ import annotations

from collections.abc import Sequence

from app import clock, topic
from app.chat import queries, reports, timeline, wording
from app.db import Tx
from app.loans import cards, talk
from app.pages import partial
from app.people.viewer import Viewer
from app.realtime import Present, Reset, Topics

topics = Topics()


def draw_company(present: Sequence[Present], locale: str) -> str:
    """Who of the others is in the room now, and who types; nobody is nothing."""
    typing = [one.name for one in present if one.typing]
    names = typing or [one.name for one in present]
    return partial("chat/_company.html", names=names, typing=bool(typing)) if names else ""


@topics.personal("room", rows=True, company=draw_company)
async def room(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """What is new since a revision; the newest page where that is too much, or at first."""
    room_id = topic.number(key)
    if room_id is None:
        return None
    seat = await queries.participant(tx, viewer.community_id, room_id, viewer.person_id)
    if seat is None:
        return None
    changed = await queries.changed_since(tx, viewer.community_id, room_id, since) if since else []
    if since and len(changed) <= queries.PAGE:
        return "".join(await timeline.drawn(tx, viewer, room_id, changed, cards.cards, apart=True))
    newest = await queries.newest(tx, viewer.community_id, room_id, limit=queries.OPENING)
    return Reset("".join(await timeline.drawn(tx, viewer, room_id, newest, cards.cards)))


@topics.personal("question")
async def question(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """What a room without a loan leads to, and why one cannot write in it, if so."""
    room_id, here = topic.number(key), viewer.here
    if room_id is None:
        return None
    if await queries.participant(tx, here.id, room_id, viewer.person_id) is None:
        return None
    loan = await talk.loan_in(tx, here.id, room_id)
    why_not = await talk.why_not_write_in(tx, room_id, viewer, clock.now(), loan)
    return partial(
        "chat/_question.html",
        room_id=room_id,
        loan_path=f"{here.path}/loans/{loan.id}" if loan else "",
        why_not_write=why_not,
    )


@topics.personal("reports")
async def reported(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """For coordinators: what they were shown, as it was said."""
    if key or not viewer.is_coordinator:
        return None
    found = await reports.reports_for(tx, viewer)
    rows = [
        {
            "id": one.id,
            "reporter": one.reporter.name,
            "author": one.author.name,
            "reason": one.reason,
            "words": wording.linked(one.words),
            "said_at": one.said_at,
            "at": one.created_at,
            "settled_at": one.settled_at,
            "outcome": one.outcome,
            "photo": f"{viewer.here.path}/reports/{one.id}/{one.photo_name}"
            if one.photo_name
            else "",
            "path": f"{viewer.here.path}/reports/{one.id}/settlement",
        }
        for one in found
    ]
    return partial("chat/_reports.html", reports=rows, zone=viewer.here.zone)


@topics.personal("seen")
async def seen(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """How far all the others have read, and who of them has read the viewer's last words."""
    room_id, me = topic.number(key), viewer.person_id
    if room_id is None:
        return None
    if await queries.participant(tx, viewer.community_id, room_id, me) is None:
        return None
    others = await queries.seen_by(tx, viewer.community_id, room_id, me)
    last = await queries.last_of(tx, viewer.community_id, room_id, me)
    names = [name.split()[0] for name, up_to in others if last and up_to >= last.born]
    up_to = others[0][1] if others else 0
    return partial("chat/_seen.html", room_id=room_id, names=names, up_to=up_to)


@topics.personal("unread")
async def unread(tx: Tx, viewer: Viewer, key: str, since: int) -> str:
    count = sum((await queries.unread_by_room(tx, viewer.person_id)).values())
    return partial("chat/_unread.html", count=count)
