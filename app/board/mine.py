"""What one person lends, borrows and has to answer, in all their communities at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.board import at_hand, queries, watching
from app.chat import queries as chat_queries
from app.chat import wording
from app.chat.models import Message, MessageKind
from app.db import Tx
from app.loans import off, outlook, questions, shelf, standing, telling, waits
from app.loans import queries as loan_queries
from app.loans.models import Loan
from app.loans.standing import Around
from app.loans.states import OPEN, POSSESSED, State
from app.people import queries as people_queries
from app.people.models import Status
from app.people.viewer import Here, Viewer
from app.tools import handing_over, saved
from app.tools import queries as tool_queries
from app.tools.models import Tool, ToolStatus

LAST_WORDS = 90
ROOMS = 200  # of one page


@dataclass(frozen=True)
class Standing:
    """A loan of mine, told, with where it is and who I am there."""

    loan: Loan
    told: telling.Told
    viewer: Viewer
    turn: int


async def waiting(tx: Tx, viewer: Viewer, now: datetime) -> int:
    """How many loans and offers wait for this person to do something."""
    mine, _ = await _loans(tx, viewer, now)
    places = await people_queries.places_of(tx, viewer.person_id)
    wishes = await waits.wishes_of(tx, viewer.person_id, places)
    loans = sum(one.told.my_turn for one in mine)
    return loans + sum(wish.offered is not None for wish in wishes)


async def things(tx: Tx, viewer: Viewer, now: datetime) -> Mapping[str, object]:
    """What waits for me, what I borrow, what I lend, my tools; the most urgent first."""
    mine, known = await _loans(tx, viewer, now)
    shown = [one for one in mine if one.loan.state != State.RETURNED]
    urgent = sorted((one for one in shown if one.told.my_turn), key=_pressing)
    rest = sorted((one for one in shown if not one.told.my_turn), key=_in_hand_first)
    places = await people_queries.places_of(tx, viewer.person_id)
    here = viewer.community or _first(places)
    homes = {key: place for key, (place, _) in places.items()}
    return {
        "watches": await watching.of_person(tx, viewer, homes),
        "waiting": [{"loan": one.told, "actions": _actions(one, known, now)} for one in urgent],
        "waits": await outlook.of_person(tx, viewer, homes, now),
        "borrowing": [o.told for o in rest if o.loan.borrower_id == viewer.person_id],
        "lending": [o.told for o in rest if o.loan.lent_by(viewer.person_id)],
        "tools": await _tools(tx, viewer, places, now),
        "handing_over": here and await handing_over.switch(tx, viewer, here, now),
        "labels_path": f"{here.path}/labels" if here else "/",
        "new_path": f"{here.path}/tools/new" if here else "/",
        "board_path": here.path if here else "/",
    }


async def with_tool(tx: Tx, viewer: Viewer, tool: Tool, now: datetime) -> Mapping[str, object]:
    """What this person has to do with one tool, for `tools/_mine.html`."""
    here, own = viewer.here, viewer.person_id in tool.lenders
    loans = await loan_queries.loans_of(tx, viewer, states=OPEN, tool_id=tool.id)
    known, me = await standing.around(tx, loans), viewer.person_id
    asked = {
        one.id: standing.actions(one, known, viewer, now, back="tool")
        for one in loans
        if own and off.is_asked(one)
    }
    return {
        "tool_id": tool.id,
        "path": f"{here.path}/tools/{tool.id}",
        "labels_path": f"{here.path}/labels?tool={tool.id}",
        "mine": own,
        "saved": None if own else await saved.has(tx, tool.id, viewer),
        "of_all": tool.owner_id is None,
        "keepers_path": f"{here.path}/tools/{tool.id}/keepers"
        if tool.owner_id is None and viewer.is_coordinator
        else "",
        "paused": tool.status in off.OFF,
        "archived": tool.status == ToolStatus.ARCHIVED,
        "loans": [standing.tell(one, known, here, me, now, viewer.locale) for one in loans],
        "asked": asked,
        "at_hand": None if asked else at_hand.find(loans, known, viewer, now),
        "why_not_archive": shelf.why_not_archive(loans) if own else None,
        # Each change of the tool makes its buttons new ones.
        "key": f"{tool.id}-{int(tool.changed_at.timestamp() * 1000)}",
        "zone": here.zone,
    }


async def rooms(
    tx: Tx, viewer: Viewer, now: datetime, *, before: int | None = None, shown: int = ROOMS
) -> Mapping[str, object]:
    """My rooms, the last spoken in first, with what I have not seen.

    A page holds the newest `shown`; `before` is the room from which on one goes back.
    """
    unread = await chat_queries.unread_by_room(tx, viewer.person_id)
    last = await chat_queries.last_lines(tx, viewer.person_id)
    places = await people_queries.places_of(tx, viewer.person_id)
    page = await _page(tx, viewer, before, shown)
    known = await standing.around(tx, page.loans)
    found: list[dict[str, Any]] = []
    for loan in page.loans:
        place = places.get(loan.community_id)
        if place is None:
            continue
        told = standing.tell(loan, known, place[0], viewer.person_id, now, viewer.locale)
        at = (loan.community_id, loan.conversation_id)
        talks_with = told.lender_name
        if loan.lent_by(viewer.person_id):
            talks_with = told.borrower_name
        elif loan.mediator_id == viewer.person_id:
            talks_with = f"{told.lender_name} and {told.borrower_name}"
        found.append(
            {
                "id": loan.id,
                "room": loan.conversation_id,
                "path": told.path,
                "tool_name": told.tool_name,
                "photo_url": told.photo_url,
                "icon": told.icon,
                "who": talks_with,
                "last_words": _last_words(last.get(at), viewer),
                "last_at": last[at].created_at if at in last else loan.requested_at,
                "unread": unread.get(at, 0),
                "zone": place[0].zone,
                "state_words": told.state_words,
                "state_kind": told.state_kind,
                "state_icon": told.state_icon,
            }
        )
    for asked in page.questions:
        place = places.get(asked.conversation.community_id)
        if place is not None:
            at = (place[0].id, asked.room_id)
            found.append(_question(asked, place[0], last.get(at), unread.get(at, 0), viewer))
    found.sort(key=lambda room: (room["last_at"], room["room"]), reverse=True)
    here = viewer.community or _first(places)
    return {
        "rooms": found,
        "board_path": here.path if here else "/",
        "older": page.older,
    }


@dataclass(frozen=True)
class _Page:
    """Some of my rooms; `older`: the room before which the next page begins, 0 for none."""

    loans: Sequence[Loan]
    questions: Sequence[questions.Question]
    older: int


async def _page(tx: Tx, viewer: Viewer, before: int | None, shown: int) -> _Page:
    me, one_more = viewer.person_id, shown + 1
    loans = await loan_queries.loans_in_rooms(tx, me, before=before, limit=one_more)
    asked = await questions.questions_of(tx, me, before=before, limit=one_more)
    ids = [loan.conversation_id for loan in loans] + [one.room_id for one in asked]
    ids.sort(reverse=True)
    if len(ids) <= shown:
        return _Page(loans, asked, 0)
    last = ids[shown - 1]
    return _Page(
        [loan for loan in loans if loan.conversation_id >= last],
        [one for one in asked if one.room_id >= last],
        last,
    )


def _question(
    asked: questions.Question, here: Here, last: Message | None, unread: int, viewer: Viewer
) -> dict[str, object]:
    """A room without a loan, as a row beside those of loans."""
    return {
        "id": f"question-{asked.room_id}",
        "room": asked.room_id,
        "path": f"{here.path}/rooms/{asked.room_id}",
        "tool_name": asked.tool.name,
        "photo_url": queries.photo_url(asked.tool, here),
        "icon": asked.tool.category.icon,
        "who": asked.with_whom,
        "last_words": _last_words(last, viewer),
        "last_at": last.created_at if last else asked.conversation.created_at,
        "unread": unread,
        "zone": here.zone,
        "state_words": "A question",
        "state_kind": "asked",
        "state_icon": "circle-help",
    }


def _first(places: Mapping[int, tuple[Here, object]]) -> Here | None:
    return next((here for here, _ in places.values()), None)


async def _loans(tx: Tx, viewer: Viewer, now: datetime) -> tuple[list[Standing], Around]:
    places = await people_queries.places_of(tx, viewer.person_id)
    found = []
    loans = await loan_queries.open_loans_everywhere(tx, viewer.person_id)
    known = await standing.around(tx, loans)
    for loan in loans:
        if loan.community_id not in places:
            continue
        here, membership = places[loan.community_id]
        told = standing.tell(loan, known, here, viewer.person_id, now, viewer.locale)
        there = replace(
            viewer,
            community=here,
            role=membership.role,
            suspended=membership.status == Status.SUSPENDED,
        )
        found.append(Standing(loan, told, there, _turn(loan, known, now)))
    return found, known


def _actions(one: Standing, known: Around, now: datetime) -> list[telling.Action]:
    """What answers the question that the row asks: a proposal's own buttons, or the loan's."""
    proposed = standing.proposed(one.loan, known, one.viewer, now, back="things")
    if proposed is not None:
        return proposed.actions
    return standing.actions(one.loan, known, one.viewer, now, back="things")


def _in_hand_first(one: Standing) -> tuple[bool, datetime]:
    """What is out by when it is due, then what is to come by when it begins."""
    out = State(one.loan.state) in POSSESSED
    return (not out, one.loan.end if out else one.loan.start)


def _turn(loan: Loan, known: Around, now: datetime) -> int:
    """In which order things wait: others wait for an answer to the first ones."""
    if known.change(loan) is not None:
        return 0
    if loan.state == State.RETURN_CLAIMED:
        return 1
    if loan.state == State.REQUESTED:
        return 2
    if known.at_risk(loan, now):
        return 3
    return 4 if loan.state == State.OUT else 5


def _pressing(one: Standing) -> tuple[int, datetime]:
    """Proposals, returns to confirm, requests, loans at risk and late ones; then what starts."""
    return (one.turn, one.loan.start)


async def _tools(
    tx: Tx, viewer: Viewer, places: Mapping[int, tuple[Here, object]], now: datetime
) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = []
    for here, _ in places.values():
        tools = await tool_queries.tools_of(tx, replace(viewer, community=here))
        for one in await queries.seen(tx, here, tools, now, viewer.locale):
            path = f"{here.path}/tools/{one.tool.id}"
            listed.append(
                {
                    "id": one.tool.id,
                    "path": path,
                    "edit_path": f"{path}/edit",
                    "name": one.tool.name,
                    "photo_url": queries.photo_url(one.tool, here),
                    "icon": one.tool.category.icon,
                    "state": one.state,
                }
            )
    return listed


def _last_words(message: Message | None, viewer: Viewer) -> str:
    if message is None:
        return ""
    said = wording.first_line(message.body, LAST_WORDS)
    if not said:
        said = "Taken back" if message.removed_at else "A photo"
    if message.kind == MessageKind.NOTE or message.author is None:
        return said
    return f"You: {said}" if message.author_id == viewer.person_id else said
