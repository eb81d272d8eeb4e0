"""Self-service: the borrower takes the tool and brings it back alone, each time with a photo.

Where its key is, and the code of the box, are for the borrower's eyes alone, from a quarter of an
hour before the start until the return.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app import topic
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, mistyped
from app.loans import handover, passing, queries, records, rules
from app.loans.commands import locked
from app.loans.models import Loan
from app.loans.papers import Direction
from app.loans.states import POSSESSED, Act, State, Who
from app.people import queries as people
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import queries as tool_queries
from app.tools import rules as tool_rules
from app.tools.models import KeyBox, Tool
from app.tools.photos import Stored

EARLY = passing.BOX_EARLY
PLACE_LONGEST = 300
CODE_LONGEST = 40
NO_PHOTO = "A photo shows the other how you found it."


@dataclass(frozen=True)
class Box:
    place: str
    code: str


def why_not_take(loan: Loan, by: Viewer, now: datetime) -> Refusal | None:
    if refusal := rules.why_not(Act.FETCH, loan, by, now) or _why_not_alone(loan.tool):
        return refusal
    if now < loan.start - EARLY:
        return Refusal(
            "It is too early to take it.", "You can do so from 15 minutes before the start."
        )
    if now >= loan.end:
        return Conflict("The time of this loan is over.", "Ask for it again.", code="state")
    return None


def why_not_bring(loan: Loan, by: Viewer, now: datetime) -> Refusal | None:
    return rules.why_not(Act.GIVE_BACK, loan, by, now) or _why_not_alone(loan.tool)


async def take(
    tx: Tx,
    loan_id: int,
    by: Viewer,
    now: datetime,
    picture: Stored | None,
    version: int | None = None,
) -> Loan:
    loan = await locked(tx, loan_id, by, version)
    if refusal := why_not_take(loan, by, now):
        raise refusal
    shot = _with_photo(picture)
    await handover.go_out(tx, loan, Act.FETCH, by, now)
    await records.hang(tx, loan, Direction.OUT, [shot], by, now)
    return loan


async def bring(
    tx: Tx,
    loan_id: int,
    by: Viewer,
    now: datetime,
    picture: Stored | None,
    version: int | None = None,
) -> Loan:
    loan = await locked(tx, loan_id, by, version)
    if refusal := why_not_bring(loan, by, now):
        raise refusal
    shot = _with_photo(picture)
    await handover.come_back(tx, loan, Act.GIVE_BACK, by, now)
    await records.hang(tx, loan, Direction.IN, [shot], by, now)
    return loan


def sees_box(loan: Loan, by: Viewer, now: datetime) -> bool:
    """Nobody else, nor earlier, nor later: not even who has it by a loan of another day."""
    if rules.part_of(loan, by) is not Who.BORROWER or not loan.tool.self_service:
        return False
    if State(loan.state) is State.APPROVED:
        unfit = loan.tool.status in rules.UNFIT
        return not (by.suspended or unfit) and loan.start - EARLY <= now < loan.end
    return State(loan.state) in POSSESSED


async def box_for(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> Box | None:
    """Asked for anew with each drawing."""
    if not sees_box(loan, by, now):
        return None
    return await _box(tx, loan.tool)


async def box_of(tx: Tx, tool: Tool, by: Viewer) -> Box | None:
    """For who lends it, and set it."""
    return await _box(tx, tool) if tool_rules.may_change(tool, by) else None


async def change_box(tx: Tx, tool_id: int, place: str, code: str, by: Viewer, now: datetime) -> Box:
    """The act of who lends it alone. Whoever may see the code now sees the new one at once."""
    await people.still_in(tx, by)
    tool = await tool_queries.locked(tx, by.community_id, tool_id)
    if not tool_rules.sees(tool, by):
        raise NotFound
    if refusal := tool_rules.why_not_edit(tool, by):
        raise refusal
    place, code = tool_rules.clean(place), " ".join(tool_rules.clean(code).split())
    if len(place) > PLACE_LONGEST:
        raise mistyped("key_place", f"{PLACE_LONGEST} characters are enough.", "Shorten it.")
    if len(code) > CODE_LONGEST:
        raise mistyped("key_code", f"A code may have {CODE_LONGEST} characters.", "Shorten it.")
    row = await tx.get(KeyBox, (tool.community_id, tool.id), populate_existing=True)
    if row is None and not (place or code):
        return Box("", "")
    if row is None:
        row = KeyBox(community_id=tool.community_id, tool_id=tool.id)
        tx.add(row)
    row.place, row.code, row.changed_at = place, code, now
    await tx.flush()
    for loan in await queries.open_of_tools(tx, tool.community_id, [tool.id]):
        touch(tx, topic.loan(loan.community_id, loan.id))
    return Box(place, code)


async def _box(tx: Tx, tool: Tool) -> Box | None:
    row = await tx.scalar(
        select(KeyBox).where(KeyBox.community_id == tool.community_id, KeyBox.tool_id == tool.id)
    )
    return Box(row.place, row.code) if row and (row.place or row.code) else None


def _why_not_alone(tool: Tool) -> Refusal | None:
    if tool.self_service:
        return None
    return Refusal(
        "This tool is handed over by its lender.", "Settle it in the room.", "the lender"
    )


def _with_photo(picture: Stored | None) -> Stored:
    if picture is None:
        raise Refusal("A photo is needed.", NO_PHOTO, status=422, code="photo", field_name="photo")
    return picture
