"""What reaches somebody where, as JSON: the same preferences as on the page."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator

from app import clock, db, topic
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.errors import NotFound
from app.http.schemas import Answered, Asked, Id, problems
from app.loans import queries as loans
from app.loans import talk
from app.notices import commands, preferences, steps
from app.notices.deciding import MailWish, Wish
from app.notices.kinds import Channel, Group
from app.people import queries as people
from app.people.doors import Token, TokenHolder
from app.people.queries import Signed
from app.people.viewer import Viewer

api = APIRouter(prefix="/api/v1", tags=["notices"])
TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class WishOut(Answered):
    push: bool
    mail: MailWish


class PreferencesOut(Answered):
    wishes: dict[Group, WishOut]
    quiet_from: str = Field(examples=["22:00"])
    quiet_until: str = Field(examples=["07:00"], description="Like quiet_from: no quiet hours")
    zone: str = Field(examples=["Europe/London"], description="Empty: the community's")
    paused_until: datetime | None
    reached_by: list[Channel] = Field(description="A device that rings, an address that is proved")


class WishAsked(Asked):
    push: bool
    mail: MailWish


class PreferencesAsked(Asked):
    """What is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "wishes": {"reminders": {"push": True, "mail": "daily"}},
                    "quiet_from": "21:30",
                    "quiet_until": "08:00",
                }
            ]
        }
    )

    wishes: dict[Group, WishAsked] = Field(default_factory=dict)
    quiet_from: str | None = Field(None, pattern=TIME)
    quiet_until: str | None = Field(None, pattern=TIME)
    zone: str | None = Field(None, max_length=80)
    paused: bool | None = Field(None, description="True: for a week from now")


class RoomAsked(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"community": "elm", "loan": 42}]})

    community: str = Field(max_length=40)
    loan: Id | None = None
    room: Id | None = Field(None, description="Instead of the loan; also of a question")

    @model_validator(mode="after")
    def one_of_both(self) -> RoomAsked:
        if (self.loan is None) == (self.room is None):
            raise ValueError("Name the loan, or the room.")
        return self


@api.get("/notices/preferences", summary="What reaches you where", responses=problems())
async def preferences_of(viewer: TokenHolder) -> PreferencesOut:
    """In all your communities."""
    async with db.snapshot() as tx:
        return await _shape(tx, viewer)


@api.patch("/notices/preferences", summary="Choose it", responses=problems(422))
async def choose(viewer: TokenHolder, asked: PreferencesAsked) -> PreferencesOut:
    """In all your communities."""
    now = clock.now()
    async with db.begin() as tx:
        mine = await preferences.chosen_by(tx, viewer.person_id)
        wishes = {group: Wish(one.push, one.mail) for group, one in asked.wishes.items()}
        await commands.choose(tx, viewer.person_id, wishes, now)
        await commands.keep_quiet(
            tx,
            viewer.person_id,
            asked.quiet_from or f"{mine.quiet_from:%H:%M}",
            asked.quiet_until or f"{mine.quiet_until:%H:%M}",
            mine.zone if asked.zone is None else asked.zone,
            now,
        )
        if asked.paused:
            await preferences.pause(tx, viewer.person_id, now)
        elif asked.paused is False:
            await commands.end_pause(tx, viewer.person_id, now)
        return await _shape(tx, viewer)


@api.post("/notices/mutes", status_code=204, summary="Mute a room", responses=problems(422))
async def mute(found: Token, asked: RoomAsked) -> None:
    """Nothing of it but what is urgent comes by push or mail; it stays on the page."""
    async with db.begin() as tx:
        viewer, subject = await _room(tx, found, asked)
        await preferences.mute(tx, viewer, subject, clock.now())


@api.post("/notices/mutes/end", status_code=204, summary="End that", responses=problems(422))
async def unmute(found: Token, asked: RoomAsked) -> None:
    """For one that is not muted it changes nothing."""
    async with db.begin() as tx:
        viewer, subject = await _room(tx, found, asked)
        await preferences.unmute(tx, viewer, subject)


async def _room(tx: db.Tx, found: Signed, asked: RoomAsked) -> tuple[Viewer, str]:
    """Raises NotFound for a room that is not theirs."""
    place = found.place(asked.community)
    viewer = people.viewer_of(found.person, place)
    if viewer.community is None:
        raise NotFound
    if asked.loan is not None:
        loan = await loans.loan_for(tx, viewer, asked.loan)
        return viewer, topic.loan(loan.community_id, loan.id)
    here, room = viewer.community_id, ConversationId(asked.room or 0)
    await chat.check_seat(tx, here, room, viewer.person_id)
    return viewer, await talk.subject_of(tx, here, room)


async def _shape(tx: db.Tx, viewer: Viewer) -> PreferencesOut:
    now = clock.now()
    hearer = await steps.hearer_of(tx, viewer.person_id, now)
    mine = hearer.chosen
    wishes = {group: mine.wish(group) for group in Group}
    return PreferencesOut(
        wishes={group: WishOut(push=one.push, mail=one.mail) for group, one in wishes.items()},
        quiet_from=f"{mine.quiet_from:%H:%M}",
        quiet_until=f"{mine.quiet_until:%H:%M}",
        zone=mine.zone,
        paused_until=mine.paused_until if mine.is_paused(now) else None,
        reached_by=list(hearer.ways),
    )
