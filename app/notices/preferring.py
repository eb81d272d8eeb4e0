"""The page on which somebody says what reaches them where, and when not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlalchemy import select
from starlette.responses import Response

from app import clock, db, mail, pages
from app.errors import Refusal
from app.notices import commands, preferences, steps, telling
from app.notices.deciding import MailWish, Wish
from app.notices.kinds import GROUP_WORDS, Channel, Group
from app.notices.models import Notice
from app.notices.preferences import Chosen, Mute
from app.people import forms
from app.people.doors import SignedCookie, SignedIn
from app.people.queries import Signed

router = APIRouter()
Typed = Annotated[str, Form(max_length=80)]
HERE = "/profile/notices"
MAIL_WORDS = (
    (MailWish.AT_ONCE, "After 15 minutes"),
    (MailWish.DAILY, "Once a day"),
    (MailWish.NEVER, "Never"),
)


@router.get(HERE)
async def chosen(request: Request, viewer: SignedIn, found: SignedCookie) -> Response:
    return await _page(request, found, forms.Form())


@router.post(HERE)
async def choose(request: Request, viewer: SignedIn) -> Response:
    """The whole table at once: a box that is not there is one without its tick."""
    sent = await request.form()
    wishes = {group: _wish(group, sent) for group in Group if f"mail_{group}" in sent}
    async with db.begin() as tx:
        await commands.choose(tx, viewer.person_id, wishes, clock.now())
    return pages.back_to(HERE)


def _wish(group: Group, sent: Mapping[str, Any]) -> Wish:
    said = str(sent.get(f"mail_{group}", ""))
    mail_wish = MailWish(said) if said in set(MailWish) else MailWish.AT_ONCE
    return Wish(bool(sent.get(f"push_{group}")), mail_wish)


@router.post(f"{HERE}/quiet")
async def keep_quiet(
    request: Request,
    viewer: SignedIn,
    found: SignedCookie,
    quiet_from: Typed = "",
    quiet_until: Typed = "",
    zone: Typed = "",
) -> Response:
    try:
        async with db.begin() as tx:
            await commands.keep_quiet(
                tx, viewer.person_id, quiet_from, quiet_until, zone, clock.now()
            )
    except Refusal as refusal:
        typed = {"quiet_from": quiet_from, "quiet_until": quiet_until, "zone": zone}
        return await _page(request, found, forms.Form.again(refusal, **typed))
    return pages.back_to(f"{HERE}#quiet")


@router.post(f"{HERE}/pause")
async def pause(viewer: SignedIn) -> Response:
    async with db.begin() as tx:
        await preferences.pause(tx, viewer.person_id, clock.now())
    return pages.back_to(f"{HERE}#pause")


@router.post(f"{HERE}/pause/end")
async def end_pause(viewer: SignedIn) -> Response:
    async with db.begin() as tx:
        await commands.end_pause(tx, viewer.person_id, clock.now())
    return pages.back_to(f"{HERE}#pause")


async def _page(request: Request, found: Signed | None, form: forms.Form) -> Response:
    assert found is not None, "only with a signed-in viewer"
    person, now = found.person, clock.now()
    async with db.snapshot() as tx:
        mine = await preferences.chosen_by(tx, person.id)
        mutes = await preferences.mutes_of(tx, person.id)
        muted = [await _muted(tx, found, one) for one in mutes]
        reachable = {one: await steps.is_reachable(tx, person.id, one, now) for one in Channel}
        return await pages.render(
            request,
            "notices/preferences.html",
            tx=tx,
            status=form.status,
            form=form,
            groups=_rows(mine),
            mail_words=MAIL_WORDS,
            chosen=mine,
            zones=clock.zones(),
            zone=_zone_of(found, mine),
            paused_until=mine.paused_until if mine.is_paused(now) else None,
            muted=muted,
            reachable=reachable,
            email=person.email,
            mail_is_set_up=mail.is_set_up(),
        )


def _rows(mine: Chosen) -> list[dict[str, object]]:
    return [
        {"name": group.value, "words": words, "wish": mine.wish(group)}
        for group, words in GROUP_WORDS.items()
    ]


def _zone_of(found: Signed, mine: Chosen) -> Any:
    """In whose time this page speaks: the person's own, else their community's."""
    place = found.last_used() or next(iter(found.places), None)
    return mine.quiet(place[0].tz if place else pages.EVERYWHERE).zone


async def _muted(tx: db.Tx, found: Signed, mute: Mute) -> dict[str, str]:
    """The room in words, from the last notice about it."""
    community = next((one for one, _ in found.places if one.id == mute.community_id), None)
    last = await tx.scalar(
        select(Notice)
        .where(
            Notice.community_id == mute.community_id,
            Notice.person_id == mute.person_id,
            Notice.subject == mute.subject,
        )
        .order_by(Notice.id.desc())
        .limit(1)
    )
    home = f"/c/{community.slug}" if community else ""
    thing = str(last.facts.get("tool", "")) if last else ""
    return {
        "thing": thing or "A room",
        "where": community.name if community else "",
        "path": telling.path_of(mute.subject, home),
    }
