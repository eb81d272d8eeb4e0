"""Sessions, passwords and tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app import topic
from app.db import Tx
from app.errors import NotFound, Refusal
from app.people import keys, links, passwords, queries, sessions
from app.people.models import Person, PersonId, Role, Status
from app.people.sessions import Proof
from tests.people.living import NOW, PASSWORD, community, member, person, viewer

DAY = timedelta(days=1)


async def ada_with_password(tx: Tx) -> tuple[Person, Proof]:
    ada = await person(tx)
    ada.password_hash = await passwords.hashed(PASSWORD)
    await tx.flush()
    return ada, Proof(PersonId(ada.id), ada.password_hash)


async def is_signed_in(tx: Tx, secret: str, at: datetime = NOW) -> bool:
    return await queries.signed_by_cookie(tx, secret, at) is not None


async def test_a_session_opens_with_its_secret_only(tx: Tx) -> None:
    ada, proof = await ada_with_password(tx)
    secret = await sessions.sign_in(tx, proof, "Firefox on Linux", NOW)
    found = await queries.signed_by_cookie(tx, secret, NOW)
    assert found is not None
    assert found.person.id == ada.id
    for wrong in ("", secret[:-1], secret.swapcase(), found.key_hash.hex()):
        assert not await is_signed_in(tx, wrong)


async def test_a_session_sleeps_in_after_thirty_days_and_ends_after_half_a_year(tx: Tx) -> None:
    _, proof = await ada_with_password(tx)
    secret = await sessions.sign_in(tx, proof, "", NOW)
    assert await is_signed_in(tx, secret, NOW + 30 * DAY - timedelta(seconds=1))
    assert not await is_signed_in(tx, secret, NOW + 30 * DAY)
    for month in range(1, 8):
        await sessions.stamp_session(tx, keys.digest(secret), NOW + month * 25 * DAY)
    tx.expire_all()
    assert await is_signed_in(tx, secret, NOW + 180 * DAY - timedelta(seconds=1))
    assert not await is_signed_in(tx, secret, NOW + 180 * DAY)


async def test_signing_out_ends_one_session_and_tells_its_sockets(tx: Tx) -> None:
    ada, proof = await ada_with_password(tx)
    here = await sessions.sign_in(tx, proof, "", NOW)
    there = await sessions.sign_in(tx, proof, "", NOW)
    await sessions.sign_out(tx, keys.digest(here))
    assert not await is_signed_in(tx, here)
    assert await is_signed_in(tx, there)
    assert topic.access(ada.id) in tx.info["touched"]


async def test_a_new_password_ends_every_other_session_and_token(tx: Tx) -> None:
    _, proof = await ada_with_password(tx)
    former = await sessions.sign_in(tx, proof, "", NOW)
    token, _ = await sessions.issue_token(tx, proof, NOW)
    new = await sessions.change_password(tx, proof, "another good one", "", NOW)
    tx.expire_all()
    assert not await is_signed_in(tx, former)
    assert await queries.signed_by_token(tx, token, NOW) is None
    assert await is_signed_in(tx, new)


async def test_what_was_proved_with_the_former_password_opens_nothing(tx: Tx) -> None:
    _, stale = await ada_with_password(tx)
    await sessions.change_password(tx, stale, "another good one", "", NOW)
    with pytest.raises(Refusal):
        await sessions.sign_in(tx, stale, "", NOW)
    with pytest.raises(Refusal):
        await sessions.issue_token(tx, stale, NOW)
    with pytest.raises(Refusal):
        await sessions.change_password(tx, stale, "yet another one", "", NOW)


async def test_a_token_lives_as_long_as_it_is_used(tx: Tx) -> None:
    _, proof = await ada_with_password(tx)
    token, expires_at = await sessions.issue_token(tx, proof, NOW)
    assert expires_at == NOW + 30 * DAY
    assert await queries.signed_by_token(tx, token, NOW + 29 * DAY)
    await sessions.stamp_token(tx, keys.digest(token), NOW + 29 * DAY)
    tx.expire_all()
    assert await queries.signed_by_token(tx, token, NOW + 58 * DAY)
    assert await queries.signed_by_token(tx, token, NOW + 59 * DAY) is None
    await sessions.end_token(tx, keys.digest(token))
    assert await queries.signed_by_token(tx, token, NOW + 30 * DAY) is None


async def test_sessions_and_tokens_are_not_hoarded(tx: Tx) -> None:
    ada, proof = await ada_with_password(tx)
    opened = [
        await sessions.sign_in(tx, proof, "", NOW + timedelta(minutes=n))
        for n in range(sessions.SESSIONS_KEPT + 2)
    ]
    kept = await queries.sessions_of(tx, ada.id, NOW)
    assert len(kept) == sessions.SESSIONS_KEPT
    assert not await is_signed_in(tx, opened[1])
    assert await is_signed_in(tx, opened[2])


async def test_places_are_those_where_somebody_is_or_waits(tx: Tx) -> None:
    ada, proof = await ada_with_password(tx)
    secret = await sessions.sign_in(tx, proof, "", NOW)
    elm = await community(tx, ada)
    found = await queries.signed_by_cookie(tx, secret, NOW)
    assert found is not None
    assert found.place(elm.slug) == found.last_used() is not None
    standing = await queries.standing(tx, elm.id, ada.id)
    assert standing is not None
    for status in (Status.PENDING, Status.LEFT):
        standing.status = status
        await tx.flush()
        found = await queries.signed_by_cookie(tx, secret, NOW)
        assert found is not None
        assert found.last_used() is None
        assert (found.place(elm.slug) is None) is (status is Status.LEFT)
        assert queries.viewer_of(ada, (elm, standing)).community is None


async def test_a_new_start_works_once_and_ends_all_that_was_open(tx: Tx) -> None:
    cora = await person(tx, "Cora")
    elm = await community(tx, cora)
    ben = await member(tx, elm)
    by = await viewer(tx, elm, cora)
    void = await links.make_reset_link(tx, ben.person_id, by, NOW)
    secret = await links.make_reset_link(tx, ben.person_id, by, NOW)
    session = await sessions.open_session(tx, ben.person_id, "", NOW)
    with pytest.raises(NotFound):
        await links.use_reset_link(tx, void, "another good one", NOW)
    with pytest.raises(NotFound):
        await links.use_reset_link(tx, secret, "another good one", NOW + DAY)
    with pytest.raises(Refusal):
        await links.use_reset_link(tx, secret, "password", NOW)
    person_again = await links.use_reset_link(tx, secret, "another good one", NOW)
    await tx.refresh(person_again)
    assert await passwords.matches("another good one", person_again.password_hash)
    tx.expire_all()
    assert not await is_signed_in(tx, session)
    with pytest.raises(NotFound):
        await links.use_reset_link(tx, secret, "yet another one", NOW)


async def test_a_new_start_is_refused_for_who_is_mightier_elsewhere(tx: Tx) -> None:
    cora = await person(tx, "Cora")
    elm = await community(tx, cora)
    ben = await member(tx, elm)
    by = await viewer(tx, elm, cora)
    await links.make_reset_link(tx, ben.person_id, by, NOW)
    await community(tx, await queries.person(tx, ben.person_id))
    with pytest.raises(Refusal, match="admin"):
        await links.make_reset_link(tx, ben.person_id, by, NOW)
    with pytest.raises(NotFound):
        await links.make_reset_link(tx, PersonId((await person(tx)).id), by, NOW)


async def test_only_coordinators_make_invitations_and_new_starts(tx: Tx) -> None:
    elm = await community(tx, await person(tx, "Cora"))
    ben, cy = await member(tx, elm), await member(tx, elm, "Cy")
    with pytest.raises(Refusal):
        await links.make_join_link(tx, ben, NOW)
    with pytest.raises(Refusal):
        await links.make_reset_link(tx, cy.person_id, ben, NOW)
    coordinator = await member(tx, elm, "Dora", Role.COORDINATOR)
    link, _ = await links.make_join_link(tx, coordinator, NOW)
    await links.end_join_link(tx, link.id, coordinator, NOW)
    assert await queries.join_links_of(tx, elm.id, NOW) == []


async def test_an_invitation_of_another_community_is_not_there(tx: Tx) -> None:
    elm, oak = await community(tx, await person(tx)), await community(tx, await person(tx))
    ours = await member(tx, elm, "Dora", Role.COORDINATOR)
    theirs = await member(tx, oak, "Eve", Role.COORDINATOR)
    link, _ = await links.make_join_link(tx, ours, NOW)
    with pytest.raises(NotFound):
        await links.end_join_link(tx, link.id, theirs, NOW)
