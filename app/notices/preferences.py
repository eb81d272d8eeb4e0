"""What somebody wants to hear on which way, when not, for how long not, and of which room not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, ForeignKeyConstraint, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app import topic
from app.db import Base, Tx
from app.errors import NotFound, Span, mistyped
from app.notices.deciding import MailWish, Quiet, Wish
from app.notices.kinds import Group
from app.people.models import one_of
from app.people.rules import check_zone
from app.people.viewer import Viewer
from app.realtime import touch

PAUSE = timedelta(days=7)
NIGHT = (time(22), time(7))


class NoticeSetting(Base):
    """Without a row: quiet at night, in the zone of the community that a notice comes from."""

    __tablename__ = "notice_setting"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    zone: Mapped[str] = mapped_column(default="")
    quiet_from: Mapped[time] = mapped_column(default=NIGHT[0])
    quiet_until: Mapped[time] = mapped_column(default=NIGHT[1])
    paused_until: Mapped[datetime | None]


class NoticeWish(Base):
    """Without a row: push, and mail at once."""

    __tablename__ = "notice_wish"
    __table_args__ = (one_of("about", Group), one_of("mail", MailWish))

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    about: Mapped[str] = mapped_column(primary_key=True)
    push: Mapped[bool]
    mail: Mapped[str]


class Mute(Base):
    """A person hears nothing of this room outside the page, but what is urgent."""

    __tablename__ = "mute"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "person_id"], ["membership.community_id", "membership.person_id"]
        ),
    )

    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


@dataclass(frozen=True)
class Chosen:
    """One person's preferences, with what goes where nothing was chosen."""

    zone: str = ""
    quiet_from: time = NIGHT[0]
    quiet_until: time = NIGHT[1]
    paused_until: datetime | None = None
    wishes: Mapping[Group, Wish] = field(default_factory=dict)

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def wish(self, group: Group) -> Wish:
        return self.wishes.get(group, Wish())

    def quiet(self, otherwise: ZoneInfo) -> Quiet:
        zone = ZoneInfo(self.zone) if self.zone else otherwise
        return Quiet(self.quiet_from, self.quiet_until, zone)


async def chosen_by(tx: Tx, person_id: int) -> Chosen:
    setting = await tx.get(NoticeSetting, person_id, populate_existing=True)
    rows = await tx.scalars(
        select(NoticeWish)
        .where(NoticeWish.person_id == person_id)
        .execution_options(populate_existing=True)
    )
    wishes = {Group(row.about): Wish(row.push, MailWish(row.mail)) for row in rows}
    if setting is None:
        return Chosen(wishes=wishes)
    return Chosen(
        setting.zone, setting.quiet_from, setting.quiet_until, setting.paused_until, wishes
    )


async def quiet_of(
    tx: Tx, person_id: int | None, otherwise: ZoneInfo, now: datetime
) -> Span | None:
    """Somebody's quiet hours that are or come next, in their own time; None: there are none."""
    if person_id is None:
        return None
    setting = await tx.get(NoticeSetting, person_id)
    chosen = Chosen(setting.zone, setting.quiet_from, setting.quiet_until) if setting else Chosen()
    return chosen.quiet(otherwise).stretch(now)


async def choose(tx: Tx, person_id: int, wishes: Mapping[Group, Wish]) -> None:
    """Groups that are not named stay as they are."""
    for group, wish in sorted(wishes.items()):
        row = insert(NoticeWish).values(
            person_id=person_id, about=group, push=wish.push, mail=wish.mail
        )
        changed = {"push": wish.push, "mail": wish.mail}
        await tx.execute(
            row.on_conflict_do_update(index_elements=["person_id", "about"], set_=changed)
        )


async def keep_quiet(tx: Tx, person_id: int, begins: str, ends: str, zone: str) -> None:
    """`begins` and `ends` as HH:MM, alike for no quiet hours. Raises Refusal with the field."""
    await _set(
        tx,
        person_id,
        quiet_from=_time(begins, "quiet_from"),
        quiet_until=_time(ends, "quiet_until"),
        zone=check_zone(zone) if zone else "",
    )


async def pause(tx: Tx, person_id: int, now: datetime) -> None:
    await _set(tx, person_id, paused_until=now + PAUSE)


async def end_pause(tx: Tx, person_id: int, now: datetime) -> None:
    """It has lasted until now; so what came meanwhile still follows in one mail, not in many."""
    await tx.execute(
        update(NoticeSetting)
        .where(NoticeSetting.person_id == person_id, NoticeSetting.paused_until > now)
        .values(paused_until=now)
        .execution_options(synchronize_session=False)
    )


async def stop_mail(tx: Tx, person_id: int, groups: Sequence[Group]) -> None:
    """From a link in a mail: no more mail about these; the rest stays as it was chosen."""
    chosen = await chosen_by(tx, person_id)
    await choose(
        tx, person_id, {one: Wish(chosen.wish(one).push, MailWish.NEVER) for one in groups}
    )


async def mute(tx: Tx, by: Viewer, subject: str, now: datetime) -> None:
    """Whether the room is theirs the door has asked. A second time it changes nothing."""
    row = insert(Mute).values(
        community_id=by.community_id, person_id=by.person_id, subject=subject, created_at=now
    )
    await tx.execute(row.on_conflict_do_nothing())
    _show(tx, subject)


async def unmute(tx: Tx, by: Viewer, subject: str) -> None:
    await tx.execute(
        delete(Mute).where(
            Mute.community_id == by.community_id,
            Mute.person_id == by.person_id,
            Mute.subject == subject,
        )
    )
    _show(tx, subject)


async def is_muted(tx: Tx, community_id: int, person_id: int, subject: str) -> bool:
    return await tx.get(Mute, (community_id, person_id, subject)) is not None


async def mutes_of(tx: Tx, person_id: int) -> Sequence[Mute]:
    rows = await tx.scalars(
        select(Mute).where(Mute.person_id == person_id).order_by(Mute.created_at, Mute.subject)
    )
    return rows.all()


def _show(tx: Tx, subject: str) -> None:
    if told := topic.delivered_of(subject):
        touch(tx, told)


async def _set(tx: Tx, person_id: int, **changed: object) -> None:
    row = insert(NoticeSetting).values(
        {"zone": "", "quiet_from": NIGHT[0], "quiet_until": NIGHT[1], "paused_until": None}
        | {"person_id": person_id}
        | changed
    )
    await tx.execute(row.on_conflict_do_update(index_elements=["person_id"], set_=changed))


def _time(text: str, field_name: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise mistyped(field_name, "This is not a time of day.", "Write it like 22:00.") from None


def group_named(name: str) -> Group:
    """Raises NotFound."""
    if name not in set(Group):
        raise NotFound
    return Group(name)
