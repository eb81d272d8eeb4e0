"""Who is behind a cookie, a token or a link, and where they belong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from app.db import Tx
from app.errors import NotFound
from app.people import keys
from app.people.models import (
    ApiToken,
    Community,
    JoinLink,
    Membership,
    Person,
    PersonId,
    ResetLink,
    Role,
    Session,
    Status,
)
from app.people.viewer import Here, Viewer

IDLE = timedelta(days=30)
HASHES = ARRAY(BYTEA)
IN_IT = (Status.ACTIVE, Status.SUSPENDED)

STATUS_WORDS = {
    Status.PENDING: "Waiting to be let in",
    Status.ACTIVE: "Member",
    Status.SUSPENDED: "Suspended",
    Status.LEFT: "Left",
}

Place = tuple[Community, Membership]


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody who showed a valid cookie or token, and all places where they are or wait."""

    person: Person
    key_hash: bytes
    seen_at: datetime
    expires_at: datetime
    places: Sequence[Place]

    def place(self, slug: str) -> Place | None:
        return next((place for place in self.places if place[0].slug == slug), None)

    def last_used(self) -> Place | None:
        """Where they were last, if they are still in it."""
        last = self.person.last_community_id
        return next((p for p in self.places if p[0].id == last and p[1].status in IN_IT), None)


async def signed_by_cookie(tx: Tx, secret: str, now: datetime) -> Signed | None:
    key_hash = keys.digest(secret)
    return (await signed_by_hashes(tx, [key_hash], now)).get(key_hash)


async def signed_by_hashes(
    tx: Tx, key_hashes: Collection[bytes], now: datetime
) -> dict[bytes, Signed]:
    """One query, however many: the sessions, their people, memberships and communities."""
    query = _with_places(select(Session, Person).join(Person, Person.id == Session.person_id))
    rows = await tx.execute(
        query.where(
            Session.key_hash == func.any(bindparam("hashes", list(key_hashes), type_=HASHES)),
            Session.expires_at > now,
            Session.seen_at > now - IDLE,
        )
    )
    by_session: dict[bytes, list[Row[Any, Any, Any, Any]]] = {}
    for row in rows:
        by_session.setdefault(row[0].key_hash, []).append(row)
    return {key_hash: _signed(found) for key_hash, found in by_session.items()}


def _signed(rows: Sequence[Row[Any, Any, Any, Any]]) -> Signed:
    session, person = rows[0][:2]
    ends = min(session.expires_at, session.seen_at + IDLE)
    return Signed(person, session.key_hash, session.seen_at, ends, _places(rows))


async def signed_by_token(tx: Tx, secret: str, now: datetime) -> Signed | None:
    query = _with_places(select(ApiToken, Person).join(Person, Person.id == ApiToken.person_id))
    rows = (
        await tx.execute(
            query.where(ApiToken.key_hash == keys.digest(secret), ApiToken.expires_at > now)
        )
    ).all()
    if not rows:
        return None
    token, person = rows[0][:2]
    return Signed(person, token.key_hash, token.used_at, token.expires_at, _places(rows))


def _with_places(query: Select[Any, Any]) -> Select[Any, Any, Any, Any]:
    return (
        query.add_columns(Community, Membership)
        .outerjoin(
            Membership,
            and_(Membership.person_id == Person.id, Membership.status != Status.LEFT),
        )
        .outerjoin(Community, Community.id == Membership.community_id)
    )


def _places(rows: Sequence[Row[Any, Any, Any, Any]]) -> list[Place]:
    places = [(community, standing) for *_, community, standing in rows if standing is not None]
    return sorted(places, key=lambda place: (place[0].name.casefold(), place[0].id))


def viewer_of(person: Person, place: Place | None = None) -> Viewer:
    """The person as a viewer; in the community only if they are in it."""
    if place is None or place[1].status not in IN_IT:
        return Viewer(PersonId(person.id), person.name, person.locale)
    community, standing = place
    return Viewer(
        PersonId(person.id),
        person.name,
        person.locale,
        Here.of(community),
        standing.role,
        standing.status == Status.SUSPENDED,
    )


def told(found: Signed) -> list[dict[str, str]]:
    """Their communities, as the pages list them."""
    return [
        {
            "name": community.name,
            "path": f"/c/{community.slug}",
            "area": community.area,
            "status": standing.status,
            "status_words": STATUS_WORDS[Status(standing.status)],
        }
        for community, standing in found.places
    ]


async def is_set_up(tx: Tx) -> bool:
    """Whether anybody has founded a community here."""
    return bool(await tx.scalar(select(exists().select_from(Community))))


async def person_by_email(tx: Tx, email: str) -> Person | None:
    return await tx.scalar(select(Person).where(func.lower(Person.email) == email.strip().lower()))


async def person(tx: Tx, person_id: int) -> Person:
    """Raises NotFound."""
    found = await tx.get(Person, person_id)
    if found is None:
        raise NotFound
    return found


async def community_by_slug(tx: Tx, slug: str) -> Community:
    """Raises NotFound."""
    plain = slug.isascii() and slug.isprintable()
    found = await tx.scalar(select(Community).where(Community.slug == slug)) if plain else None
    if found is None:
        raise NotFound
    return found


async def standing(tx: Tx, community_id: int, person_id: int) -> Membership | None:
    return await tx.get(Membership, (community_id, person_id))


async def locked_standing(tx: Tx, community_id: int, person_id: int) -> Membership | None:
    """The membership, held until the transaction ends."""
    return await tx.scalar(
        select(Membership)
        .where(Membership.community_id == community_id, Membership.person_id == person_id)
        .with_for_update(key_share=True)  # rows that point here may still be written
        .execution_options(populate_existing=True)
    )


async def with_roles(tx: Tx, community_id: int, roles: Iterable[Role]) -> list[int]:
    """The active members who have one of these roles."""
    found = await tx.scalars(
        select(Membership.person_id).where(
            Membership.community_id == community_id,
            Membership.role.in_(list(roles)),
            Membership.status == Status.ACTIVE,
        )
    )
    return list(found)


async def slugs_of(tx: Tx, person_id: int) -> list[str]:
    """The communities the person is in."""
    slugs = await tx.scalars(
        select(Community.slug)
        .join(Membership, Membership.community_id == Community.id)
        .where(Membership.person_id == person_id, Membership.status.in_(IN_IT))
        .order_by(Community.slug)
    )
    return list(slugs)


async def still_in(tx: Tx, by: Viewer) -> None:
    """Holds the viewer's membership as it is until the transaction ends; before any tool's lock.

    The door has read the rights before; whoever was removed meanwhile is a stranger by now.
    Raises NotFound.
    """
    status = await tx.scalar(
        select(Membership.status)
        .where(Membership.community_id == by.community_id, Membership.person_id == by.person_id)
        .with_for_update(read=True)
    )
    if status not in IN_IT:
        raise NotFound


async def link_by_code(tx: Tx, code: str, *, lock: bool = False) -> JoinLink | None:
    query = select(JoinLink).where(JoinLink.code_hash == keys.code_digest(code))
    return await tx.scalar(query.with_for_update() if lock else query)


async def join_link(tx: Tx, community_id: int, link_id: int) -> JoinLink:
    """Raises NotFound."""
    found = await tx.get(JoinLink, (community_id, link_id))
    if found is None:
        raise NotFound
    return found


async def join_links_of(tx: Tx, community_id: int, now: datetime) -> list[JoinLink]:
    """The invitations that still open the door, newest first."""
    links = await tx.scalars(
        select(JoinLink)
        .where(
            JoinLink.community_id == community_id,
            JoinLink.expires_at > now,
            JoinLink.uses_left > 0,
        )
        .order_by(JoinLink.id.desc())
    )
    return list(links)


async def reset_link(tx: Tx, secret: str, now: datetime, *, lock: bool = False) -> ResetLink:
    """The unused reset link. Raises NotFound: used, expired and invented ones look the same."""
    query = select(ResetLink).where(
        ResetLink.key_hash == keys.digest(secret),
        ResetLink.used_at.is_(None),
        ResetLink.expires_at > now,
    )
    found = await tx.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


async def sessions_of(tx: Tx, person_id: int, now: datetime) -> list[Session]:
    """Where the person is signed in, last seen first."""
    sessions = await tx.scalars(
        select(Session)
        .where(
            Session.person_id == person_id,
            Session.expires_at > now,
            Session.seen_at > now - IDLE,
        )
        .order_by(Session.seen_at.desc())
    )
    return list(sessions)


async def last_here(tx: Tx, person_id: int) -> datetime | None:
    """When a browser of theirs was last used, to some minutes, if they let others see that."""
    return await tx.scalar(
        select(func.max(Session.seen_at))
        .join(Person, Person.id == Session.person_id)
        .where(Session.person_id == person_id, Person.shows_last)
    )


async def places_of(tx: Tx, person_id: int) -> dict[int, tuple[Here, Membership]]:
    """community id → the community and the standing in it, for all that a person is in."""
    rows = await tx.execute(
        select(Community, Membership)
        .join(Membership, Membership.community_id == Community.id)
        .where(Membership.person_id == person_id, Membership.status.in_(IN_IT))
        .order_by(Membership.status, Community.name, Community.id)
    )
    return {community.id: (Here.of(community), standing) for community, standing in rows}
