"""Names, addresses, and who may come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.errors import NotFound, Refusal
from app.people import rules
from app.people.models import Community, JoinLink, JoinRule, Membership, PersonId, Role, Status
from app.people.viewer import Apart, Here, Viewer

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada   Moreno ", "Ada Moreno"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("Иван\tПетров", "Иван Петров"),
        ("👩‍🔧 Kim", "👩‍🔧 Kim"),
        ("<b>Bob</b>", "<b>Bob</b>"),
        ("x" * 80, "x" * 80),
    ],
)
def test_a_name_is_kept_as_it_was_meant(typed: str, kept: str) -> None:
    assert rules.check_name(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "   ", "x" * 81, "bad\x00name", "evil\u202egnp.exe", "\u200b"]
)
def test_a_name_that_nobody_could_read_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.check_name(typed)
    assert refused.value.field_name == "name"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "a b@example.org",
        "a@b",
        "x" * 300 + "@example.org",
        "a\x00@example.org",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.check_email(typed)
    assert refused.value.field_name == "email"


def test_an_address_is_trimmed_and_keeps_its_letters() -> None:
    assert rules.check_email(" Ada.M@Example.ORG ") == "Ada.M@example.org"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Elm Street", "elm-street"),
        ("  Größe & Söhne! ", "grosse-sohne"),
        ("東京", "neighbours"),
        ("x" * 60, "x" * 40),
    ],
)
def test_a_community_gets_a_short_name_for_its_address(name: str, slug: str) -> None:
    assert rules.check_slug(rules.slug_of(name)) == slug


@pytest.mark.parametrize("zone", ["", "Europe", "Moon/Base", "../etc/passwd"])
def test_a_zone_has_to_exist(zone: str) -> None:
    with pytest.raises(Refusal):
        rules.check_zone(zone)


def link(**more: object) -> JoinLink:
    return JoinLink(**{"uses_left": 1, "expires_at": NOW + timedelta(seconds=1)} | more)


def test_an_invitation_opens_until_it_is_used_up_or_over() -> None:
    assert rules.why_not_use(link(), NOW) is None
    closed = [None, link(uses_left=0), link(expires_at=NOW)]
    refusals = [rules.why_not_use(one, NOW) for one in closed]
    assert len({str(one) for one in refusals}) == 1
    assert None not in refusals


def standing(status: Status, role: Role = Role.MEMBER, **more: object) -> Membership:
    return Membership(person_id=2, community_id=1, status=status, role=role, **more)


def community(rule: JoinRule) -> Community:
    return Community(join_rule=rule)


@pytest.mark.parametrize(
    ("rule", "before", "invited", "after"),
    [
        (JoinRule.OPEN, None, False, Status.ACTIVE),
        (JoinRule.REQUEST, None, False, Status.PENDING),
        (JoinRule.REQUEST, None, True, Status.ACTIVE),
        (JoinRule.INVITE, None, True, Status.ACTIVE),
        (JoinRule.REQUEST, standing(Status.PENDING), True, Status.ACTIVE),
        (JoinRule.REQUEST, standing(Status.ACTIVE), False, Status.ACTIVE),
        (JoinRule.REQUEST, standing(Status.LEFT), True, Status.ACTIVE),
        (JoinRule.OPEN, standing(Status.LEFT, removed_at=NOW), False, Status.PENDING),
        (JoinRule.OPEN, standing(Status.LEFT, removed_at=NOW), True, Status.PENDING),
    ],
)
def test_the_door_opens_at_once_or_a_coordinator_does(
    rule: JoinRule, before: Membership | None, invited: bool, after: Status
) -> None:
    assert rules.status_after_joining(community(rule), before, invited=invited) is after


def test_nobody_asks_at_a_door_that_does_not_show() -> None:
    with pytest.raises(NotFound):
        rules.why_not_ask(community(JoinRule.INVITE), None, NOW)


def test_a_suspended_member_does_not_come_in_again_through_the_front_door() -> None:
    assert rules.why_not_join(standing(Status.SUSPENDED))


def test_who_was_turned_away_asks_again_a_week_later() -> None:
    away = standing(Status.LEFT, removed_at=NOW - timedelta(days=7) + timedelta(seconds=1))
    assert rules.why_not_ask(community(JoinRule.REQUEST), away, NOW)
    away.removed_at = NOW - timedelta(days=7)
    assert rules.why_not_ask(community(JoinRule.REQUEST), away, NOW) is None


def viewer(role: Role, person_id: int = 1) -> Viewer:
    from zoneinfo import ZoneInfo

    here = Here(1, "elm", "Elm", ZoneInfo("UTC"), "en-GB", "EUR", "request")
    return Viewer(PersonId(person_id), "Cora", "en-GB", here, role)


@pytest.mark.parametrize(
    ("by", "highest", "allowed"),
    [
        (Role.COORDINATOR, Role.MEMBER, True),
        (Role.COORDINATOR, Role.COORDINATOR, False),
        (Role.COORDINATOR, Role.ADMIN, False),
        (Role.ADMIN, Role.MEMBER, True),
        (Role.ADMIN, Role.COORDINATOR, True),
        (Role.ADMIN, Role.ADMIN, False),
        (Role.MEMBER, Role.MEMBER, False),
    ],
)
def test_a_new_start_is_never_made_for_somebody_mightier(
    by: Role, highest: Role, allowed: bool
) -> None:
    refusal = rules.why_not_reset(standing(Status.ACTIVE), viewer(by), highest)
    assert (refusal is None) is allowed


def test_a_new_start_is_for_members_only_and_not_for_oneself() -> None:
    with pytest.raises(NotFound):
        rules.why_not_reset(None, viewer(Role.ADMIN), Role.MEMBER)
    with pytest.raises(NotFound):
        rules.why_not_reset(standing(Status.LEFT), viewer(Role.ADMIN), Role.MEMBER)
    assert rules.why_not_reset(standing(Status.ACTIVE), viewer(Role.ADMIN, 2), Role.MEMBER)


def test_only_who_blocks_is_told_of_the_block() -> None:
    mine = rules.why_not_write_to(Apart("Ben Okafor", mine=True))
    theirs = rules.why_not_write_to(Apart("Ada Moreno", mine=False))
    assert mine is not None
    assert theirs is not None
    assert (mine.sentence, mine.way_out) == (
        "You blocked Ben.",
        "End the block in your profile to write.",
    )
    assert "block" not in f"{theirs.sentence} {theirs.way_out} {theirs.code}"
    assert "Ada" not in theirs.sentence
    assert rules.why_not_write_to(None) is None
