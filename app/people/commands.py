"""Founding a community, setting up the instance, signing up and joining."""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app import topic
from app.db import Tx
from app.errors import NotFound, mistyped
from app.http.log import security
from app.people import keys, passwords, queries, rules
from app.people.models import (
    Community,
    Instance,
    JoinRule,
    Membership,
    Person,
    PersonId,
    Role,
    Status,
)
from app.people.viewer import Viewer
from app.realtime import touch


async def found_community(
    tx: Tx,
    slug: str,
    name: str,
    zone: str,
    first: Person,
    now: datetime,
    *,
    join_rule: JoinRule = JoinRule.REQUEST,
    locale: str = "en-GB",
    currency: str = "EUR",
    area: str = "",
) -> Community:
    """A community with its first person as admin. It has no categories yet: see tools.commands."""
    community = Community(
        slug=rules.check_slug(slug),
        name=rules.check_name(name),
        zone=rules.check_zone(zone),
        join_rule=join_rule,
        locale=locale,
        currency=currency,
        area=area,
        created_at=now,
    )
    tx.add(community)
    await tx.flush()
    tx.add(
        Membership(
            community_id=community.id,
            person_id=first.id,
            role=Role.ADMIN,
            status=Status.ACTIVE,
            asked_at=now,
            joined_at=now,
        )
    )
    first.last_community_id = community.id
    await tx.flush()
    touch(tx, topic.access(first.id), topic.members(community.id))
    return community


async def set_up(
    tx: Tx,
    code: str,
    name: str,
    zone: str,
    person_name: str,
    email: str,
    password: str,
    now: datetime,
) -> tuple[Community, Person]:
    """The first community and its first person, once in the life of an instance.

    Raises NotFound ever after, Refusal with the field for a wrong code or a mistyped text.
    """
    instance = await tx.scalar(select(Instance).with_for_update())
    if instance is None or instance.set_up_at is not None or await queries.is_set_up(tx):
        raise NotFound
    if not hmac.compare_digest(instance.code_hash or b"", keys.code_digest(code)):
        raise mistyped("code", "This is not the code.", "It was printed where ToolShare started.")
    name, zone = rules.check_name(name, "community"), rules.check_zone(zone)
    person = await add_person(tx, email, person_name, password, now)
    community = await found_community(tx, rules.slug_of(name), name, zone, person, now)
    instance.set_up_at, instance.code_hash = now, None
    await tx.flush()
    security("set_up", person=person.id, community=community.id)
    return community, person


async def make_set_up_code(tx: Tx) -> str | None:
    """A new one-time code; the one before is void. None once the instance is set up."""
    await tx.execute(insert(Instance).values(id=1).on_conflict_do_nothing())
    instance = await tx.scalar(select(Instance).with_for_update())
    if instance is None or instance.set_up_at is not None or await queries.is_set_up(tx):
        return None
    code = keys.fresh_code()
    instance.code_hash = keys.code_digest(code)
    await tx.flush()
    return code


async def add_person(tx: Tx, email: str, name: str, password: str, now: datetime) -> Person:
    """A new account that belongs nowhere yet. Raises Refusal with the field."""
    email, name = rules.check_email(email), rules.check_name(name)
    # Hashed before the first statement: until then the transaction holds no connection.
    password_hash = await passwords.hashed(passwords.check(password, name, email))
    added = (
        insert(Person)
        .values(email=email, name=name, password_hash=password_hash, created_at=now)
        .on_conflict_do_nothing()
        .returning(Person)
    )
    person = await tx.scalar(added)
    if person is None:
        raise rules.bad_sign_in()
    return person


async def sign_up(
    tx: Tx, email: str, name: str, password: str, code: str, now: datetime
) -> tuple[Person, Membership]:
    """A new account that comes in through an invitation: as a member, never more.

    An address that is known already gets the answer of a wrong password.
    """
    person = await add_person(tx, email, name, password, now)
    standing = await join(tx, PersonId(person.id), code, now)
    security("signed_up", person=person.id, community=standing.community_id)
    return person, standing


async def join(tx: Tx, person_id: PersonId, code: str, now: datetime) -> Membership:
    """Comes in through an invitation. Whoever is in already uses nothing of it up.

    Raises Refusal if the invitation is not valid any more, or the person is suspended.
    """
    link = await queries.link_by_code(tx, code, lock=True)
    if refusal := rules.why_not_use(link, now):
        raise refusal
    assert link is not None, "a missing invitation is refused"
    community = await tx.get_one(Community, link.community_id)
    before = await queries.locked_standing(tx, community.id, person_id)
    if refusal := rules.why_not_join(before):
        raise refusal
    status = rules.status_after_joining(community, before, invited=True)
    if before is None or before.status != status:
        link.uses_left -= 1
    return await _enter(tx, community, person_id, before, status, None, now)


async def ask_to_join(
    tx: Tx, person_id: PersonId, slug: str, note: str, now: datetime
) -> Membership:
    """In at once where the door is open; else a coordinator reads the note and decides.

    Raises NotFound for a community by invitation only.
    """
    note = rules.check_note(note)
    community = await queries.community_by_slug(tx, slug)
    before = await queries.locked_standing(tx, community.id, person_id)
    if refusal := rules.why_not_ask(community, before, now):
        raise refusal
    status = rules.status_after_joining(community, before, invited=False)
    return await _enter(tx, community, person_id, before, status, note, now)


async def _enter(
    tx: Tx,
    community: Community,
    person_id: PersonId,
    before: Membership | None,
    status: Status,
    note: str | None,
    now: datetime,
) -> Membership:
    standing = before or await _first_standing(tx, community.id, person_id, now)
    if standing.status == status:
        return standing
    if status is Status.ACTIVE:
        standing.joined_at = standing.joined_at or now
    standing.role, standing.status, standing.asked_at = Role.MEMBER, status, now
    if note is not None:
        standing.note = note
    await tx.flush()
    await remember(tx, person_id, community.id)
    touch(tx, topic.access(person_id), topic.members(community.id))
    return standing


async def _first_standing(
    tx: Tx, community_id: int, person_id: PersonId, now: datetime
) -> Membership:
    """Two taps at once make one row: the second waits for the first and finds it."""
    row = insert(Membership).values(
        community_id=community_id,
        person_id=person_id,
        role=Role.MEMBER,
        status=Status.LEFT,
        note="",
        asked_at=now,
    )
    await tx.execute(row.on_conflict_do_nothing())
    standing = await queries.locked_standing(tx, community_id, person_id)
    assert standing is not None, "the row was written a line above"
    return standing


async def remember(tx: Tx, person_id: PersonId, community_id: int) -> None:
    """The community that `/` opens next time."""
    await tx.execute(
        update(Person)
        .where(Person.id == person_id, Person.last_community_id.is_distinct_from(community_id))
        .values(last_community_id=community_id)
    )


async def show_presence(tx: Tx, by: Viewer, *, here: bool, typing: bool, last: bool) -> None:
    """Whether others, in a room that is theirs too, see that one is there, types, was there."""
    me = await queries.person(tx, by.person_id)
    me.shows_here, me.shows_typing, me.shows_last = here, typing, last
    touch(tx, topic.access(by.person_id))  # open pages read it with the rights
