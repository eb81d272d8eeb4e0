"""The hand-over as its two see it: out and in side by side. For `loans/_handover.html`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from app import words
from app.db import Tx
from app.loans import noting, records
from app.loans.models import Loan
from app.loans.papers import Condition, Direction, Handover, HandoverPhoto
from app.people.viewer import Viewer

TITLES = {Direction.OUT: "When it went out", Direction.IN: "When it came back"}


@dataclass(frozen=True)
class Side:
    """One hand-over. `really` only where it was not when the button was pressed."""

    direction: str
    title: str
    pressed: str
    really: str
    parts: list[dict[str, object]]
    condition: str
    condition_words: str
    words: str
    photos: list[dict[str, object]]
    path: str
    can_note: bool
    can_say_how: bool
    record: Handover = field(repr=False)


async def sides(tx: Tx, loan: Loan, viewer: Viewer) -> list[Side]:
    found = await records.of_loan(tx, loan)
    photos = await records.photos_of(tx, loan)
    # An undone hand-over leaves its record; it is shown again when the tool really moves.
    happened = {Direction.OUT: loan.out_at, Direction.IN: loan.back_at}
    return [
        _side(
            loan,
            found.get(way) or records.unwritten(loan, way, at),
            [one for one in photos if one.direction == way],
            viewer,
        )
        for way, at in happened.items()
        if at
    ]


def _side(loan: Loan, record: Handover, photos: list[HandoverPhoto], viewer: Viewer) -> Side:
    path = f"{viewer.here.path}/loans/{loan.id}"
    way, condition = Direction(record.direction), Condition(record.condition)
    can_note = _may_note(loan, viewer)
    return Side(
        direction=way,
        title=TITLES[way],
        pressed=_said(record.pressed_at, viewer),
        really=_said(record.happened_at, viewer) if record.happened_at != record.pressed_at else "",
        parts=record.parts,
        condition=condition,
        condition_words=noting.CONDITIONS.get(condition, "").capitalize(),
        words=record.words,
        photos=[
            {
                "small": f"{path}/photos/{one.name}-480.webp",
                "large": f"{path}/photos/{one.name}-1200.jpg",
                "width": one.width,
                "height": one.height,
            }
            for one in photos
        ],
        path=f"{path}/handover/{way}",
        can_note=can_note,
        can_say_how=can_note and noting.why_not_say_how(loan, record, viewer) is None,
        record=record,
    )


def _may_note(loan: Loan, viewer: Viewer) -> bool:
    mine = viewer.person_id in loan.parties
    return mine and records.why_not_note(loan, viewer) is None


def _said(at: datetime, viewer: Viewer) -> str:
    return words.moment(at, viewer.here.zone, viewer.locale)
