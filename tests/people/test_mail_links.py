"""Proving an address, a new password and an invitation by mail: one use, short, telling nobody."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage

import httpx
import pytest
from sqlalchemy import func, select

from app import clock, courier, db, mail, main
from app.errors import NotFound, Refusal
from app.people import links, mail_links, passwords, queries, sessions
from app.people.doors import cookie_name
from app.people.letters import Letter
from app.people.models import Person, Session
from app.settings import settings
from tests.neighbours import Neighbour, Street, browser
from tests.notices.conftest import postbox
from tests.notices.postbox import Postbox, text_of
from tests.people import living
from tests.people.living import PASSWORD

__all__ = ["postbox"]
NEW = "four slow green trains"


@pytest.fixture
async def here(postbox: Postbox) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of this very process, whose app has a mail server."""
    way = httpx.ASGITransport(app=main.app)
    async with httpx.AsyncClient(transport=way, base_url="http://127.0.0.1") as visitor:
        yield visitor


def link_in(postbox: Postbox, address: str) -> str:
    """Of the newest letter, as a path."""
    return link_of(postbox.to(address)[-1])


def link_of(letter: EmailMessage) -> str:
    found = re.search(rf"{re.escape(settings.root)}(/\S+)", text_of(letter))
    assert found is not None
    return found[1]


async def sessions_of(who: Neighbour) -> int:
    async with db.snapshot() as tx:
        rows = select(func.count()).select_from(Session).where(Session.person_id == who.id)
        return await tx.scalar(rows) or 0


async def person_of(who: Neighbour) -> Person:
    async with db.snapshot() as tx:
        return await queries.person(tx, who.id)


async def test_whoever_forgot_the_password_gets_a_link_and_nobody_learns_of_it(
    street: Street, here: httpx.AsyncClient, postbox: Postbox
) -> None:
    ada = street.ada
    known = await here.post("/forgotten", data={"email": ada.email})
    unknown = await here.post("/forgotten", data={"email": f"x{ada.email}"})
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.text == unknown.text
    assert "a letter is on its way" in known.text
    await courier.carry_all()
    assert len(postbox.taken) == 1
    link = link_in(postbox, ada.email)
    secret = link.rsplit("/", 1)[1]
    async with db.snapshot() as tx:
        assert await queries.reset_link(tx, secret, clock.now())
        letters = (await tx.scalars(select(Letter).where(Letter.address == ada.email))).all()
        assert secret not in str([vars(one) for one in letters])
        later = clock.now() + timedelta(minutes=61)
        with pytest.raises(NotFound):
            await queries.reset_link(tx, secret, later)
    async with browser(street.workers[0]) as visitor:
        assert "Choose a new password" in (await visitor.get(link)).text
        assert await sessions_of(ada) == 1
        answer = await visitor.post(link, data={"password": NEW})
        assert answer.status_code == 303
        assert (await visitor.get(link)).status_code == 404
    assert await sessions_of(ada) == 1, "only the new one"
    assert (await ada.client.get(ada.home)).status_code == 303, "the old one is out"
    person = await person_of(ada)
    assert person.verified_at is not None, "only who reads the mail had the link"
    assert await passwords.matches(NEW, person.password_hash)


async def test_asking_for_anothers_address_voids_no_link_and_fills_no_letter_box(
    street: Street, here: httpx.AsyncClient, postbox: Postbox
) -> None:
    ada = street.ada
    for _ in range(5):
        await here.post("/forgotten", data={"email": ada.email})
        postbox.answers.extend(["451 Later"])
        await courier.carry_all()
        async with db.begin() as tx:  # the second try
            for letter in await tx.scalars(select(Letter).where(Letter.address == ada.email)):
                letter.send_at = clock.now()
        await courier.carry_all()
    letters = postbox.to(ada.email)
    assert len(letters) == 3
    first, *rest = [link_of(letter) for letter in letters]
    async with browser(street.workers[0]) as visitor:
        for link in (*rest, first):
            assert "Choose a new password" in (await visitor.get(link)).text
        assert (await visitor.post(first, data={"password": NEW})).status_code == 303
        for link in rest:
            assert (await visitor.get(link)).status_code == 404, "one was enough"


async def test_a_proved_address_ends_the_sessions_of_who_squatted_it(
    street: Street, here: httpx.AsyncClient, postbox: Postbox
) -> None:
    ada = street.ada
    async with db.begin() as tx:
        mine = await sessions.open_session(tx, ada.id, "her own browser", clock.now())
        await mail_links.ask_confirm(tx, await queries.person(tx, ada.id), clock.now())
    await courier.carry_all()
    link = link_in(postbox, ada.email)
    async with browser(street.workers[0]) as hers:
        hers.cookies.set(cookie_name(), mine)
        assert ada.email in (await hers.get(link)).text
        assert (await person_of(ada)).verified_at is None, "looking changes nothing"
        done = await hers.post(link)
        assert "is yours" in done.text
        assert (await hers.get(ada.home)).status_code == 200
        assert (await hers.post(link)).status_code == 404
    assert (await person_of(ada)).verified_at is not None
    assert (await ada.client.get(ada.home)).status_code == 303
    async with db.begin() as tx:
        await mail_links.ask_confirm(tx, await queries.person(tx, ada.id), clock.now())
    await courier.carry_all()
    assert len(postbox.taken) == 1, "there is nothing left to prove"


async def test_who_proves_it_as_a_stranger_chooses_a_new_password(
    street: Street, here: httpx.AsyncClient, postbox: Postbox
) -> None:
    """The account was made by somebody else with this address, or on another of one's devices."""
    ada, ben = street.ada, street.ben
    async with db.begin() as tx:
        await mail_links.ask_confirm(tx, await queries.person(tx, ada.id), clock.now())
        someone = await sessions.open_session(tx, ben.id, "a browser in the house", clock.now())
        old = await passwords.hashed(PASSWORD)
        (await queries.person(tx, ada.id)).password_hash = old
    await courier.carry_all()
    async with browser(street.workers[0]) as reader:
        reader.cookies.set(cookie_name(), someone)
        answer = await reader.post(link_in(postbox, ada.email))
        assert await sessions_of(ada) == 0
        assert await sessions.prove(ada.email, PASSWORD) is None, "the squatter still knows it"
        link = answer.headers["location"]
        assert "Choose a new password" in (await reader.get(link)).text
        assert (await reader.post(link, data={"password": NEW})).status_code == 303
    assert await sessions_of(ada) == 1
    assert await sessions_of(ben) == 2, "it is nobody else's affair"
    assert await sessions.prove(ada.email, NEW)


async def test_an_address_that_has_changed_meanwhile_is_not_proved_by_the_old_letter(
    street: Street, postbox: Postbox
) -> None:
    async with db.begin() as tx:
        await mail_links.ask_confirm(tx, await queries.person(tx, street.ben.id), clock.now())
    await courier.carry_all()
    link = link_in(postbox, street.ben.email)
    async with db.begin() as tx:
        (await queries.person(tx, street.ben.id)).email = f"new.{street.ben.email}"
    async with browser(street.workers[0]) as visitor:
        assert (await visitor.post(link)).status_code == 404


async def test_who_signs_up_is_asked_to_prove_the_address(
    street: Street, here: httpx.AsyncClient, postbox: Postbox
) -> None:
    newcomer = f"zoe.{street.here.slug}@example.org"
    async with db.begin() as tx:
        await mail_links.invite(tx, newcomer, street.cora.viewer, clock.now())
    await courier.carry_all()
    (letter,) = postbox.to(newcomer)
    assert letter["Subject"] == f"{street.cora.name} invites you to {street.here.name}"
    link = link_in(postbox, newcomer)
    form = {"name": "Zoe Marsh", "email": newcomer, "password": PASSWORD, "of_age": "1"}
    joined = await here.post(link, data=form)
    assert joined.status_code == 303, joined.text
    here.cookies.clear()
    second = await here.post(link, data=form | {"email": f"b{newcomer}", "name": "Bo"})
    assert second.status_code == 422, "it was for one person"
    await courier.carry_all()
    assert link_in(postbox, newcomer).startswith("/confirm/")


async def test_a_link_that_was_asked_for_yesterday_is_not_sent_any_more(
    street: Street, postbox: Postbox
) -> None:
    async with db.begin() as tx:
        await mail_links.ask_reset(tx, street.cy.email, clock.now() - timedelta(days=1))
    await courier.carry_all()
    async with db.snapshot() as tx:
        letter = await tx.scalar(select(Letter).where(Letter.address == street.cy.email))
        assert letter is not None
        assert (letter.sending, letter.last_error) == ("failed", "too late")
    assert postbox.to(street.cy.email) == []


async def test_an_invitation_by_mail_counts_once_until_it_is_over(
    tx: db.Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "is_set_up", lambda: True)
    ada = await living.person(tx)
    by = await living.viewer(tx, await living.community(tx, ada), ada)
    for n in range(links.MOST_INVITATIONS):
        letter = await mail_links.invite(tx, f"n{n}@example.org", by, living.NOW)
        for _ in range(2):  # tries of the same letter
            assert await mail_links.open_invitation(tx, letter, living.NOW)
    with pytest.raises(Refusal, match="very many invitations"):
        await mail_links.invite(tx, "late@example.org", by, living.NOW)
    later = living.NOW + mail_links.INVITATION_LASTS
    assert await mail_links.invite(tx, "late@example.org", by, later)


async def test_coordinators_see_that_a_link_did_not_arrive(
    street: Street, postbox: Postbox
) -> None:
    async def desk() -> str:
        return await street.cora.opens(f"{street.cora.home}/jobs")

    postbox.answers.extend(["451 Later"] * 2 + ["550 Nobody here"])
    async with db.begin() as tx:
        await mail_links.ask_reset(tx, street.ada.email, clock.now())
        await mail_links.ask_confirm(tx, await queries.person(tx, street.ben.id), clock.now())
    await courier.carry_all()
    assert "Links by mail (addresses, passwords, invitations): 2 will be tried" in await desk()
    async with db.begin() as tx:
        for letter in await tx.scalars(select(Letter).where(Letter.sending == "ready")):
            letter.send_at = clock.now()
    await courier.carry_all()
    assert "1 could not be delivered in the last week. The last answer was 550" in await desk()


async def test_without_mail_a_coordinator_helps_as_before(street: Street) -> None:
    async with browser(street.workers[0]) as visitor:
        page = (await visitor.get("/forgotten")).text
        assert "Ask a coordinator" in page
        assert "Send me a link" not in page
        refused = await visitor.post("/forgotten", data={"email": street.ada.email})
        assert refused.status_code == 409
        assert "sends no mail yet" in refused.text
    assert "By mail" not in await street.cora.opens(f"{street.cora.home}/members")
    refused = await street.cora.posts(f"{street.cora.home}/invitations", email="x@example.org")
    assert "sends no mail yet" in refused.text
