"""Signing up, joining, asking, and the first start."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import topic
from app.db import Tx
from app.errors import NotFound, Refusal
from app.people import commands, links, queries
from app.people.models import (
    Community,
    JoinLink,
    JoinRule,
    Membership,
    Person,
    PersonId,
    Role,
    Status,
)
from tests.people.living import NOW, PASSWORD, community, member, person, viewer

LATER = NOW + timedelta(hours=1)


async def invite(tx: Tx, uses: int = 2, **more: object) -> tuple[Community, JoinLink, str]:
    """A community, an invitation to it, and its code."""
    cora = await person(tx, "Cora Lindqvist")
    elm = await community(tx, cora, **more)
    link, code = await links.make_join_link(tx, await viewer(tx, elm, cora), NOW, uses=uses)
    return elm, link, code


def touched(tx: Tx) -> set[str]:
    found: set[str] = tx.info.pop("touched", set())
    return found


async def test_who_founds_a_community_is_its_admin(tx: Tx) -> None:
    cora = await person(tx)
    elm = await community(tx, cora)
    standing = await queries.standing(tx, elm.id, cora.id)
    assert standing is not None
    assert (standing.role, standing.status) == (Role.ADMIN, Status.ACTIVE)
    assert cora.last_community_id == elm.id


async def test_an_invitation_makes_a_member_and_nothing_more(tx: Tx) -> None:
    elm, link, code = await invite(tx)
    ben, standing = await commands.sign_up(
        tx, "Ben@Example.org", " Ben ", PASSWORD, code.lower(), LATER
    )
    assert (ben.name, ben.email) == ("Ben", "Ben@example.org")
    assert (standing.role, standing.status) == (Role.MEMBER, Status.ACTIVE)
    assert link.uses_left == 1
    assert touched(tx) >= {topic.access(ben.id), topic.members(elm.id)}


async def test_a_known_address_gets_the_answer_of_a_wrong_password(tx: Tx) -> None:
    _, _, code = await invite(tx)
    await commands.sign_up(tx, "ben@example.org", "Ben", PASSWORD, code, NOW)
    with pytest.raises(Refusal) as refused:
        await commands.sign_up(tx, "BEN@example.org", "Bob", "another password", code, NOW)
    assert refused.value.code == "sign_in"


async def test_joining_twice_uses_the_invitation_once(tx: Tx) -> None:
    _, link, code = await invite(tx)
    ben = await person(tx, "Ben")
    await commands.join(tx, PersonId(ben.id), code, NOW)
    touched(tx)
    await commands.join(tx, PersonId(ben.id), code, LATER)
    assert link.uses_left == 1
    assert not touched(tx)


async def test_a_used_up_and_an_expired_invitation_open_nothing(tx: Tx) -> None:
    _, link, code = await invite(tx, uses=1)
    await commands.join(tx, PersonId((await person(tx)).id), code, NOW)
    with pytest.raises(Refusal, match="not valid"):
        await commands.join(tx, PersonId((await person(tx)).id), code, NOW)
    link.uses_left = 5
    with pytest.raises(Refusal, match="not valid"):
        await commands.join(tx, PersonId((await person(tx)).id), code, link.expires_at)


async def test_an_admin_who_opens_an_invitation_stays_admin(tx: Tx) -> None:
    elm, _, code = await invite(tx)
    cora = await tx.scalar(select(Membership).where(Membership.community_id == elm.id))
    assert cora is not None
    await commands.join(tx, PersonId(cora.person_id), code, NOW)
    assert (cora.role, cora.status) == (Role.ADMIN, Status.ACTIVE)


async def test_who_was_sent_away_waits_even_with_an_invitation(tx: Tx) -> None:
    elm, _, code = await invite(tx)
    gone = await member(tx, elm, status=Status.LEFT)
    standing = await queries.standing(tx, elm.id, gone.person_id)
    assert standing is not None
    standing.removed_at = NOW
    assert (await commands.join(tx, gone.person_id, code, LATER)).status == Status.PENDING


@pytest.mark.parametrize(
    ("rule", "status"), [(JoinRule.OPEN, Status.ACTIVE), (JoinRule.REQUEST, Status.PENDING)]
)
async def test_asking_opens_the_door_or_lets_a_coordinator_decide(
    tx: Tx, rule: JoinRule, status: Status
) -> None:
    elm = await community(tx, await person(tx), join_rule=rule)
    ben = await person(tx, "Ben")
    note = "Third floor left\nnumber 12"
    standing = await commands.ask_to_join(tx, PersonId(ben.id), elm.slug, note, NOW)
    assert (standing.status, standing.note) == (status, note)
    again = await commands.ask_to_join(tx, PersonId(ben.id), elm.slug, "Please!", LATER)
    assert (again.status, again.asked_at) == (status, NOW)


async def test_nobody_can_ask_where_only_invitations_count(tx: Tx) -> None:
    elm = await community(tx, await person(tx), join_rule=JoinRule.INVITE)
    ben = await person(tx, "Ben")
    for slug in (elm.slug, "no-such-place"):
        with pytest.raises(NotFound):
            await commands.ask_to_join(tx, PersonId(ben.id), slug, "", NOW)


async def test_a_suspended_member_gets_in_by_no_door(tx: Tx) -> None:
    elm, _, code = await invite(tx, join_rule=JoinRule.OPEN)
    ben = await member(tx, elm, status=Status.SUSPENDED)
    with pytest.raises(Refusal, match="suspended"):
        await commands.join(tx, ben.person_id, code, NOW)
    with pytest.raises(Refusal, match="suspended"):
        await commands.ask_to_join(tx, ben.person_id, elm.slug, "", NOW)


async def test_a_wrong_field_is_named_and_leaves_no_account(tx: Tx) -> None:
    _, _, code = await invite(tx)
    wrong = {
        "email": ("ben", "Ben", PASSWORD),
        "name": ("ben@example.org", " ", PASSWORD),
        "password": ("ben@example.org", "Ben", "password1"),
    }
    before = await tx.scalar(select(func.count()).select_from(Person))
    for field, (email, name, password) in wrong.items():
        with pytest.raises(Refusal) as refused:
            await commands.sign_up(tx, email, name, password, code, NOW)
        assert refused.value.field_name == field
    assert await tx.scalar(select(func.count()).select_from(Person)) == before
