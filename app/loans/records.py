"""The record of a hand-over: made when somebody presses, read by the two, seen by nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app import topic
from app.db import Tx
from app.errors import NotFound, Refusal
from app.loans import queries, rules
from app.loans.models import Loan
from app.loans.papers import Direction, Handover, HandoverPhoto
from app.loans.states import POSSESSED, State, Who
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import photos
from app.tools.models import Tool
from app.tools.photos import Stored

MOST_PHOTOS = 4  # of each side
AT_WORK = POSSESSED | {State.RETURNED, State.DISPUTED}


async def pressed(
    tx: Tx, loan: Loan, direction: Direction, by_id: int, at: datetime, now: datetime
) -> None:
    """The record begins with the press. Whoever waits for the tool learns that it moved."""
    row = {"by_id": by_id, "pressed_at": at, "happened_at": at}
    key = {"community_id": loan.community_id, "loan_id": loan.id, "direction": direction}
    # Pressed again after the first press was undone: what was noted then stays.
    await tx.execute(
        insert(Handover)
        .values(**key, **row, parts=[], condition="", words="")
        .on_conflict_do_update(index_elements=list(key), set_=row)
    )
    for waiting in await _promised(tx, loan):
        touch(tx, topic.loan(waiting.community_id, waiting.id))
        if waiting.borrower_id is not None:
            touch(tx, topic.things(waiting.borrower_id))


def unwritten(loan: Loan, direction: Direction, at: datetime) -> Handover:
    """What is known where no record was kept: by a release that had none. Not in the database."""
    return Handover(
        community_id=loan.community_id,
        loan_id=loan.id,
        direction=direction,
        by_id=loan.lender_id,
        pressed_at=at,
        happened_at=at,
        parts=[],
        condition="",
        words="",
    )


async def of_loan(tx: Tx, loan: Loan) -> dict[Direction, Handover]:
    rows = await tx.scalars(
        select(Handover)
        .where(Handover.community_id == loan.community_id, Handover.loan_id == loan.id)
        .execution_options(populate_existing=True)
    )
    return {Direction(row.direction): row for row in rows}


async def photos_of(tx: Tx, loan: Loan) -> Sequence[HandoverPhoto]:
    """Of both sides, the oldest first."""
    rows = await tx.scalars(
        select(HandoverPhoto)
        .where(HandoverPhoto.community_id == loan.community_id, HandoverPhoto.loan_id == loan.id)
        .order_by(HandoverPhoto.id)
    )
    return rows.all()


async def photo_for(tx: Tx, viewer: Viewer, loan_id: int, name: str) -> HandoverPhoto:
    """A photo for one of the two; NotFound for all others, coordinators among them."""
    await queries.loan_for(tx, viewer, loan_id)
    found = await tx.scalar(
        select(HandoverPhoto).where(
            HandoverPhoto.community_id == viewer.community_id,
            HandoverPhoto.loan_id == loan_id,
            HandoverPhoto.name == name,
        )
    )
    if found is None:
        raise NotFound
    return found


async def hang(
    tx: Tx, loan: Loan, direction: Direction, pictures: Sequence[Stored], by: Viewer, now: datetime
) -> None:
    """Stored pictures to one side of the record. The loan's lock is held."""
    there = await tx.scalar(
        select(func.count())
        .select_from(HandoverPhoto)
        .where(
            HandoverPhoto.community_id == loan.community_id,
            HandoverPhoto.loan_id == loan.id,
            HandoverPhoto.direction == direction,
        )
    )
    if pictures and (there or 0) + len(pictures) > MOST_PHOTOS:
        raise Refusal(
            f"There is room for {MOST_PHOTOS} photos.",
            f"{there} are there already: choose the best of yours.",
            status=422,
            code="photo",
            field_name="photos",
        )
    for one in pictures:
        await photos.keep(tx, one, loan.community_id, now)
    tx.add_all(
        HandoverPhoto(
            community_id=loan.community_id,
            loan_id=loan.id,
            direction=direction,
            name=one.name,
            width=one.width,
            height=one.height,
            uploaded_by=by.person_id,
            created_at=now,
        )
        for one in pictures
    )
    await tx.flush()
    touch(tx, topic.handover(loan.community_id, loan.id))


async def earliest(tx: Tx, loan: Loan, direction: Direction) -> datetime:
    """Before this it cannot have been: the yes, the return of the loan before, the going out."""
    since = loan.decided_at or loan.requested_at
    if direction is Direction.IN:
        out = (await of_loan(tx, loan)).get(Direction.OUT)
        return max(since, out.happened_at) if out else since
    before = await tx.scalar(
        select(func.max(Handover.happened_at))
        .join(Loan, (Loan.community_id == Handover.community_id) & (Loan.id == Handover.loan_id))
        .where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.id != loan.id,
            Loan.back_at <= loan.out_at,
            Handover.direction == Direction.IN,
        )
    )
    return max(since, before) if before else since


def why_not_note(loan: Loan, by: Viewer) -> Refusal | None:
    """Whether one of the two may still add to the record."""
    if not rules.part_of(loan, by) & (Who.BORROWER | Who.LENDER):
        raise NotFound
    state = State(loan.state)
    if state not in AT_WORK:
        way_out = None if loan.out_at else "You can note it when the tool has changed hands."
        return Refusal(rules.DONE[state], way_out)
    return None


def parts_of(tool: Tool) -> list[str]:
    """What comes with a tool, one name each."""
    return [line for line in tool.parts.split("\n") if line]


async def _promised(tx: Tx, loan: Loan) -> Sequence[Loan]:
    """Others who may fetch the tool once it is back."""
    rows = await tx.scalars(
        select(Loan).where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.id != loan.id,
            Loan.state == State.APPROVED,
        )
    )
    return rows.all()
