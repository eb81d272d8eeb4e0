"""Noting at a hand-over: what was there, how it looked, photos, and when it really was."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app import topic
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import Refusal, mistyped
from app.loans import records, rules, shelf
from app.loans.commands import locked
from app.loans.models import Loan
from app.loans.papers import Condition, Direction, Handover
from app.loans.states import Who
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools.photos import Stored
from app.tools.rules import clean

WORDS_LONGEST = 500
CONDITIONS = {
    Condition.AS_BEFORE: "as before",
    Condition.WORN: "worn",
    Condition.DAMAGED: "damaged",
}


@dataclass(frozen=True)
class Noted:
    """What somebody noted, not yet checked. None leaves a value as it is; `there` names parts."""

    there: Collection[str] | None = None
    condition: str | None = None
    words: str | None = None
    happened_at: datetime | None = None
    repair: bool = False

    @property
    def says_how(self) -> bool:
        return any(each is not None for each in (self.there, self.condition, self.words))


async def note(
    tx: Tx,
    loan_id: int,
    direction: Direction,
    noted: Noted,
    pictures: Sequence[Stored],
    by: Viewer,
    now: datetime,
) -> Loan:
    """Adds to the record of one side. Raises NotFound for all but the two, Refusal."""
    loan = await locked(tx, loan_id, by, None)
    if refusal := records.why_not_note(loan, by):
        raise refusal
    record = await _record(tx, loan, direction)
    lends = rules.part_of(loan, by) is Who.LENDER
    if noted.says_how:
        if refusal := why_not_say_how(loan, record, by):
            raise refusal
        await _say_how(tx, loan, record, noted, by, now)
    if noted.happened_at is not None and noted.happened_at != record.happened_at:
        await _real_time(tx, loan, record, noted.happened_at, lends, now)
    await records.hang(tx, loan, direction, pictures, by, now)
    if noted.repair:
        if not lends or direction is not Direction.IN or record.condition != Condition.DAMAGED:
            raise Refusal(
                "Only what its lender has back damaged goes to repair.",
                "Note the damage first.",
                status=422,
                field_name="repair",
            )
        await shelf.repair(tx, loan.tool_id, by, now)
    await tx.flush()
    touch(tx, topic.handover(loan.community_id, loan.id))
    return loan


def why_not_say_how(loan: Loan, record: Handover, by: Viewer) -> Refusal | None:
    """The lender's word on parts and condition stands; the borrower may be the first to note."""
    if loan.lent_by(by.person_id) or record.noted_by in (None, loan.borrower_id):
        return None
    return Refusal(
        "The lender has noted this already.",
        "Add photos, or say in the room how you see it.",
        "the lender",
        status=403,
    )


async def _record(tx: Tx, loan: Loan, direction: Direction) -> Handover:
    """Also of what changed hands before records were kept."""
    found = (await records.of_loan(tx, loan)).get(direction)
    at = loan.out_at if direction is Direction.OUT else loan.back_at
    if found is None and at is not None:
        await records.pressed(tx, loan, direction, loan.lender_id, at, at)
        found = (await records.of_loan(tx, loan)).get(direction)
    if found is None or at is None:
        raise Refusal(
            "It has not come back yet." if loan.out_at else "It has not been handed over yet.",
            "You can note this when the tool has changed hands.",
        )
    return found


async def _say_how(
    tx: Tx, loan: Loan, record: Handover, noted: Noted, by: Viewer, now: datetime
) -> None:
    before = (_missing(record), record.condition)
    if noted.there is not None:
        names = records.parts_of(loan.tool)
        record.parts = [{"name": name, "there": name in noted.there} for name in names]
    if noted.condition is not None:
        if noted.condition not in CONDITIONS:
            raise mistyped("condition", "Choose how it looks.", "“As before” if nothing changed.")
        record.condition = noted.condition
    if noted.words is not None:
        record.words = clean(noted.words)
        if len(record.words) > WORDS_LONGEST:
            raise mistyped("words", f"{WORDS_LONGEST} characters are enough.", "Shorten it.")
    record.noted_by, record.noted_at = by.person_id, now
    await tx.flush()
    after = (_missing(record), record.condition)
    if after != before and (told := _told(record)):
        way = "out" if record.direction == Direction.OUT else "back"
        line = f"{by.name} noted how it came {way}: {told}."
        room = ConversationId(loan.conversation_id)
        await chat.note(tx, loan.community_id, room, line, by.person_id, now)


async def _real_time(
    tx: Tx, loan: Loan, record: Handover, at: datetime, lends: bool, now: datetime
) -> None:
    """When it really was; when the button was pressed stays beside it."""
    if not lends:
        raise Refusal("Only the lender can set the time.", lifted_by="the lender", status=403)
    if at > now:
        raise mistyped("happened_at", "That is in the future.", "Choose a time that has passed.")
    direction = Direction(record.direction)
    if at < await records.earliest(tx, loan, direction):
        raise mistyped(
            "happened_at",
            "That is before it can have been."
            if direction is Direction.IN
            else "That is before the loan was approved, or before the tool was back from others.",
            "Choose a later time.",
        )
    back = (await records.of_loan(tx, loan)).get(Direction.IN)
    if direction is Direction.OUT and back is not None and at > back.happened_at:
        raise mistyped("happened_at", "That is after it came back.", "Choose an earlier time.")
    record.happened_at = at


def _missing(record: Handover) -> list[str]:
    return [str(part["name"]) for part in record.parts if not part["there"]]


def _told(record: Handover) -> str:
    """What the other should look at; nothing where all is well."""
    bad = (Condition.WORN, Condition.DAMAGED)
    told = [CONDITIONS[Condition(record.condition)]] if record.condition in bad else []
    missing = _missing(record)
    return "; ".join([*told, *(["missing: " + ", ".join(missing)] if missing else [])])
