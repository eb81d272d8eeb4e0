"""Putting right what went wrong, on the pages: who sees what, and two who press at once."""

from __future__ import annotations

import asyncio
import re
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import func, select

from app import db, topic
from app.errors import Refusal
from app.loans import fair
from app.loans.incident import CENTS_HIGHEST, Evidence, Incident
from app.loans.models import Loan, LoanEvent
from app.loans.states import UNDO_WITHIN, State
from tests.clocks import Clock
from tests.neighbours import Neighbour, Street, said
from tests.tools.pictures import kept


async def state_of(street: Street, loan: int) -> str:
    async with db.snapshot() as tx:
        found = await tx.get(Loan, (street.here.id, loan))
        assert found is not None
        return found.state


async def promised(street: Street) -> int:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today, street.day(1))
    await street.ada.acts(loan, "approval")
    return loan


async def lent(street: Street) -> int:
    loan = await promised(street)
    await street.ada.acts(loan, "handover")
    return loan


async def incident_of(loan: int) -> int:
    async with db.snapshot() as tx:
        return (await tx.scalars(select(Incident.id).where(Incident.loan_id == loan))).one()


def picture() -> dict[str, tuple[str, bytes, str]]:
    kept = BytesIO()
    Image.new("RGB", (60, 40), "brown").save(kept, "JPEG")
    return {"photo": ("bent.jpg", kept.getvalue(), "image/jpeg")}


def photos_in(html: str) -> list[str]:
    return re.findall(r'src="(/c/[^"]+/evidence/[^"]+)"', html)


@pytest.mark.parametrize("times", range(3))
async def test_undo_against_the_others_act_has_one_outcome(street: Street, times: int) -> None:
    """Ada takes the hand-over back while ben says that he brought it back."""
    loan = await lent(street)
    path = f"{street.ada.home}/loans/{loan}"
    back, claim = await asyncio.gather(
        street.ada.posts(f"{path}/undo"), street.ben.posts(f"{path}/return-claim")
    )
    assert sorted([back.status_code, claim.status_code]) == [303, 409]
    won = State.APPROVED if back.status_code == 303 else State.RETURN_CLAIMED
    assert await state_of(street, loan) == won
    lost = claim if back.status_code == 303 else back
    assert said(lost.text), "who was slower reads how it stands now"


async def test_undo_pressed_often_at_once_is_one_undo(street: Street) -> None:
    loan = await promised(street)
    path = f"{street.ada.home}/loans/{loan}/undo"
    answers = await asyncio.gather(*(street.ada.posts(path) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 7
    async with db.snapshot() as tx:
        undone = select(func.count()).where(LoanEvent.loan_id == loan, LoanEvent.act == "undo")
        assert await tx.scalar(undone) == 1


async def test_the_button_goes_away_by_itself(street: Street, the_clock: Clock) -> None:
    loan = await promised(street)
    name = topic.amends(street.here.id, loan)
    async with street.ada.watches(name) as ada, street.ben.watches(name) as ben:
        assert "take your last step back until" in (ada.html[name] or "")
        assert "take your last step back" not in (ben.html[name] or "")
        version = ada.version[name]
        the_clock.move(UNDO_WITHIN)
        await ada.rises_above(name, version)
        assert "take your last step back" not in (ada.html[name] or "")


async def test_a_picture_of_a_doorstep_is_for_the_two_of_the_loan(street: Street) -> None:
    loan = await lent(street)
    path = f"{street.ben.home}/loans/{loan}"
    answer = await street.ben.client.post(
        f"{path}/doorstep", data={"place": "Behind the blue door"}, files=picture()
    )
    assert answer.status_code == 303, said(answer.text)
    (photo,) = photos_in(await street.ada.opens(path))
    for who, status in ((street.ada, 200), (street.ben, 200), (street.cy, 404), (street.cora, 404)):
        assert (await who.client.get(photo)).status_code == status, who.name
    assert (await street.ada.client.get(photo)).headers["cache-control"] == "private, no-store"
    assert "Behind the blue door" in await street.ada.opens(path)


async def test_a_mediator_sees_the_evidence_from_the_invitation_until_leaving(
    street: Street,
) -> None:
    loan = await lent(street)
    path, cora = f"{street.ada.home}/loans/{loan}", street.cora
    form = {"kind": "damage", "reason": "The chuck is bent.", "dispute": "1"}
    answer = await street.ada.client.post(f"{path}/incidents", data=form, files=picture())
    assert answer.status_code == 303, said(answer.text)
    (photo,) = photos_in(await street.ben.opens(path))
    assert (await cora.client.get(path)).status_code == 404
    assert (await cora.client.get(photo)).status_code == 404
    await street.ben.acts(loan, "mediator", mediator=cora.id)
    assert "The chuck is bent." in await cora.opens(path)
    assert (await cora.client.get(photo)).status_code == 200
    assert "Cordless drill" in await cora.opens(f"{cora.home}/rooms")
    await cora.says(loan, "What has happened?")
    await cora.acts(loan, "mediator/end")
    for gone in (path, photo):
        assert (await cora.client.get(gone)).status_code == 404


async def test_what_is_refused_leaves_no_picture_behind(street: Street) -> None:
    loan = await lent(street)
    before = await kept()
    for who, status in ((street.ben, 422), (street.cy, 404)):
        answer = await who.client.post(
            f"{who.home}/loans/{loan}/incidents",
            data={"kind": "no_show", "reason": "Nobody came."},
            files=picture(),
        )
        assert answer.status_code == status
    assert await kept() == before
    async with db.snapshot() as tx:
        assert not (await tx.scalars(select(Evidence).where(Evidence.loan_id == loan))).all()


async def test_a_coordinator_reads_facts_and_not_what_the_two_say(street: Street) -> None:
    loan = await lent(street)
    form = {"kind": "damage", "reason": "He sat on it."}
    await street.ada.acts(loan, "incidents", **form)
    await street.ben.says(loan, "I did not.")
    cora = street.cora
    assert "Cordless drill" in await cora.opens(f"{cora.home}/help")
    assert f"{cora.home}/help" in await cora.opens(f"{cora.home}/members")
    page = await cora.opens(f"{cora.home}/help/{loan}")
    assert "Something is damaged" in page
    assert "Ada Moreno: handed it over" in page
    for words in ("He sat on it", "I did not"):
        assert words not in page
    for nobody in (street.ada, street.ben, street.cy):
        for path in ("help", f"help/{loan}"):
            assert (await nobody.client.get(f"{nobody.home}/{path}")).status_code in (403, 404)


async def test_a_correction_keeps_what_was_typed_and_then_tells_both(street: Street) -> None:
    loan, cora = await lent(street), street.cora
    path = f"{cora.home}/help/{loan}/correction"
    typed = {"state": "returned", "reason": "Both forgot the button.", "back_at": "nonsense"}
    answer = await cora.posts(path, **typed)
    assert answer.status_code == 422
    assert "Both forgot the button." in answer.text
    async with street.ben.watches(topic.loan(street.here.id, loan)) as ben:
        async with db.snapshot() as tx:
            found = await tx.get_one(Loan, (street.here.id, loan))
            assert found.out_at is not None
            at = found.out_at.astimezone(street.here.zone)
        await cora.does(path, **{**typed, "back_at": at.strftime("%Y-%m-%dT%H:%M:%S.%f")})
        await ben.shows(topic.loan(street.here.id, loan), "Back")
    assert "corrected this loan: Both forgot the button." in await street.ada.opens(
        f"{street.ada.home}/loans/{loan}"
    )
    refused = await street.ada.posts(f"{street.ada.home}/help/{loan}/correction", **typed)
    assert refused.status_code in (403, 404)


async def test_a_repeated_form_is_one_incident(street: Street) -> None:
    loan = await lent(street)
    form = {"kind": "damage", "reason": "Bent.", "idempotency_key": "once"}
    for _ in range(2):
        await street.ada.acts(loan, "incidents", **form)
    assert await incident_of(loan)


async def test_who_accepts_sees_the_loan_closed_on_both_screens(street: Street) -> None:
    loan = await lent(street)
    name = topic.amends(street.here.id, loan)
    await street.ada.acts(loan, "incidents", kind="damage", reason="Bent.", dispute="1")
    incident = await incident_of(loan)

    async def press(who: Neighbour, noun: str, **form: object) -> None:
        await who.acts(loan, f"incidents/{incident}/{noun}", **form)

    async with street.ada.watches(name) as ada, street.ben.watches(name) as ben:
        await press(street.ben, "proposal", reason="I buy another.", amount="12.50")
        html = await ada.shows(name, "I buy another.")
        assert "12.50, Ben Okafor to Ada Moreno" in html
        await press(street.ada, "settlement")
        await ben.shows(name, "Settled:")
    assert await state_of(street, loan) == State.CLOSED


def test_an_amount_may_be_more_than_any_price_for_a_day() -> None:
    assert fair.cents_from("10000") == CENTS_HIGHEST
    for typed in ("10000.01", "much"):
        with pytest.raises(Refusal) as refused:
            fair.cents_from(typed)
        assert refused.value.field_name == "amount"
