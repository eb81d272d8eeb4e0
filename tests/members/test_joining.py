"""Coming in by invitation or by asking, waiting, and leaving, as a browser meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from app import clock, db, topic
from app.people import links, passwords, queries, sessions
from app.people.doors import cookie_name
from app.people.models import Community, JoinRule, Membership, Person, Role
from tests.neighbours import Street, browser
from tests.people.living import PASSWORD

FORM = {"name": "Dee Novak", "password": PASSWORD, "of_age": "1"}


@pytest.fixture
async def stranger(street: Street) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(street.workers[1]) as client:
        yield client


async def invitation(street: Street, uses: int = 5) -> str:
    async with db.begin() as tx:
        _, code = await links.make_join_link(tx, street.cora.viewer, clock.now(), uses=uses)
    return code


async def rule(street: Street, rule: JoinRule) -> None:
    async with db.begin() as tx:
        await tx.execute(
            update(Community).where(Community.id == street.here.id).values(join_rule=rule)
        )


def dee(street: Street) -> dict[str, str]:
    return FORM | {"email": f"dee.{street.here.slug}@example.org"}


async def standing_of(email: str, street: Street) -> Membership | None:
    async with db.snapshot() as tx:
        person = await queries.person_by_email(tx, email)
        return await queries.standing(tx, street.here.id, person.id) if person else None


async def test_a_stranger_signs_up_through_an_invitation(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    code = await invitation(street)
    page = await stranger.get(f"/join/{code.lower()}")
    assert page.status_code == 200
    assert f"Join {street.here.name}" in page.text
    answer = await stranger.post(f"/join/{code}", data=dee(street))
    assert (answer.status_code, answer.headers["location"]) == (303, street.here.path)
    assert (await stranger.get(street.here.path)).status_code == 200
    assert (await stranger.get(f"{street.here.path}/members")).status_code == 404
    again = await stranger.post(f"/join/{code}", data=dee(street))
    assert again.headers["location"] == street.here.path
    async with db.snapshot() as tx:
        link = await queries.link_by_code(tx, code)
        assert link is not None
        assert link.uses_left == 4


async def test_what_was_typed_stays_but_never_the_password(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    code = await invitation(street)
    for wrong, said in (
        ({"email": "dee at home"}, "not an e-mail"),
        ({"password": "password1"}, "tried first"),
        ({"name": " "}, "name is needed"),
        ({"of_age": ""}, "18 or older"),
    ):
        page = await stranger.post(f"/join/{code}", data=dee(street) | wrong)
        assert (page.status_code, said in page.text) == (422, True), wrong
        assert PASSWORD not in page.text
        assert "password1" not in page.text
        for name in {"name", "email"} - wrong.keys():
            assert f'value="{dee(street)[name]}"' in page.text
    assert await standing_of(dee(street)["email"], street) is None


async def test_an_account_cannot_be_taken_over_by_signing_up(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    code = await invitation(street)
    answer = await stranger.post(f"/join/{code}", data=dee(street) | {"email": street.ada.email})
    assert answer.status_code == 422
    assert "do not belong together" in answer.text
    assert cookie_name() not in stranger.cookies


async def test_who_was_here_before_joins_with_the_password_they_have(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    async with db.begin() as tx:
        kept = await passwords.hashed(PASSWORD)
        email = dee(street)["email"]
        tx.add(Person(email=email, name="Dee", password_hash=kept, created_at=clock.now()))
    answer = await stranger.post(f"/join/{await invitation(street)}", data=dee(street))
    assert answer.headers["location"] == street.here.path
    async with db.snapshot() as tx:
        person = await queries.person_by_email(tx, email)
        assert person is not None
        assert person.name == "Dee"


async def test_a_signed_in_person_joins_with_one_button(street: Street) -> None:
    code = await invitation(street)
    async with db.begin() as tx:
        kim = Person(
            email=f"kim.{street.here.slug}@example.org",
            name="Kim",
            password_hash="none",
            created_at=clock.now(),
        )
        tx.add(kim)
        await tx.flush()
        secret = await sessions.open_session(tx, kim.id, "", clock.now())  # type: ignore[arg-type]
    async with browser(street.workers[0], secret) as client:
        assert "Join as Kim" in (await client.get(f"/join/{code}")).text
        answer = await client.post(f"/join/{code}")
        assert answer.headers["location"] == street.here.path
        assert (await client.get(street.here.path)).status_code == 200


async def test_the_last_use_of_an_invitation_lets_exactly_one_in(street: Street) -> None:
    code = await invitation(street, uses=1)

    async def come(number: int) -> int:
        async with browser(street.workers[number % 2]) as client:
            form = FORM | {"email": f"race{number}.{street.here.slug}@example.org"}
            return (await client.post(f"/join/{code}", data=form)).status_code

    answers = await asyncio.gather(*(come(number) for number in range(6)))
    assert sorted(answers) == [303, *[422] * 5]
    async with db.snapshot() as tx:
        came = select(func.count()).select_from(Person).where(Person.email.like("race%"))
        count = await tx.scalar(came.where(Person.email.like(f"%.{street.here.slug}@example.org")))
    assert count == 1


async def test_an_invitation_that_is_over_says_so_and_no_more(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    code = await invitation(street)
    async with db.begin() as tx:
        link = await queries.link_by_code(tx, code)
        assert link is not None
        link.expires_at = clock.now() - timedelta(seconds=1)
    over, invented = await stranger.get(f"/join/{code}"), await stranger.get("/join/AAAA-BBBB-CCCC")
    assert over.status_code == invented.status_code == 422
    for page in (over, invented):
        assert "not valid any more" in page.text
        assert street.here.name not in page.text


async def test_a_stranger_asks_waits_and_is_let_in_live(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    cora = street.cora
    here = topic.members(street.here.id)
    async with cora.watches(here) as screen:
        page = await stranger.get(f"/join?community={street.here.slug}")
        assert f"Ask to join {street.here.name}" in page.text
        form = dee(street) | {"note": "Number 12 <script>"}
        answer = await stranger.post(f"/join?community={street.here.slug}", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, street.here.path)
        shut = await stranger.get(street.here.path)
        assert shut.headers["location"] == f"{street.here.path}/waiting"
        assert "Nearly there" in (await stranger.get(f"{street.here.path}/waiting")).text
        html = await screen.shows(here, "Number 12")
        assert "<script>" not in html
        standing = await standing_of(form["email"], street)
        assert standing is not None
        await cora.does(f"{cora.home}/members/{standing.person_id}/admission")
        await screen.until(lambda: "Number 12" not in (screen.html[here] or ""))
    assert (await stranger.get(street.here.path)).status_code == 200
    done = await stranger.get(f"{street.here.path}/waiting")
    assert done.headers["location"] == street.here.path


async def test_an_open_community_lets_in_at_once_and_a_closed_one_is_not_there(
    street: Street, stranger: httpx.AsyncClient
) -> None:
    path = f"/join?community={street.here.slug}"
    await rule(street, JoinRule.INVITE)
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(path, data=dee(street))).status_code == 404
    assert await standing_of(dee(street)["email"], street) is None
    await rule(street, JoinRule.OPEN)
    await stranger.post(path, data=dee(street))
    assert (await stranger.get(street.here.path)).status_code == 200


async def test_a_member_who_asks_again_is_led_in(street: Street) -> None:
    answer = await street.ben.client.get(f"/join?community={street.here.slug}")
    assert answer.headers["location"] == street.here.path


async def test_who_waits_elsewhere_learns_nothing_of_this_place(street: Street) -> None:
    async with db.begin() as tx:
        kim = Person(
            email=f"kim2.{street.here.slug}@example.org",
            name="Kim",
            password_hash="none",
            created_at=clock.now(),
        )
        tx.add(kim)
        await tx.flush()
        secret = await sessions.open_session(tx, kim.id, "", clock.now())  # type: ignore[arg-type]
    async with browser(street.workers[0], secret) as client:
        assert (await client.get(f"{street.here.path}/waiting")).status_code == 404


async def test_leaving_closes_the_door_and_the_socket(street: Street) -> None:
    cy, board = street.cy, topic.board(street.here.id)
    await street.ada.lists("Drill")
    async with cy.watches(board) as screen:
        assert screen.html[board]
        assert await cy.does(f"{cy.home}/leave") == "/communities"
        await screen.until(lambda: screen.html[board] is None)
    assert (await cy.client.get(cy.home)).status_code == 404
    assert "no longer a member" in (await cy.client.get(f"{cy.home}/waiting")).text


async def test_the_only_admin_cannot_leave(street: Street) -> None:
    refused = await street.cora.posts(f"{street.cora.home}/leave")
    assert (refused.status_code, "last admin" in refused.text) == (409, True)


async def test_two_admins_who_leave_at_once_do_not_both_go(street: Street) -> None:
    async with db.begin() as tx:
        standing = await queries.standing(tx, street.here.id, street.ada.id)
        assert standing is not None
        standing.role = Role.ADMIN
    left = await asyncio.gather(
        street.ada.posts(f"{street.ada.home}/leave"), street.cora.posts(f"{street.cora.home}/leave")
    )
    assert sorted(answer.status_code for answer in left) == [303, 409]
