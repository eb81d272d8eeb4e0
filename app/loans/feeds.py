"""Making, replacing and ending the addresses of calendars, and finding whose one is."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from app.db import Tx
from app.errors import NotFound, Refusal
from app.http.log import security
from app.loans.feed import Feed, FeedKind
from app.people import keys
from app.people import queries as people
from app.people.models import Community, Membership, Person, Status
from app.people.viewer import Viewer
from app.tools import queries as tools

MOST = 30  # tools whose calendar one person keeps


@dataclass(frozen=True)
class Asked:
    """Whose calendar a program asks for, and where they stand there."""

    feed: Feed
    community: Community
    viewer: Viewer


def why_not_make(by: Viewer) -> Refusal | None:
    if by.suspended:
        return Refusal(
            "Your membership is suspended, so there is no calendar of it.",
            "Talk to a coordinator.",
            status=403,
        )
    return None


async def make(tx: Tx, kind: FeedKind, tool_id: int | None, by: Viewer, now: datetime) -> Feed:
    """A new address; the one before opens nothing from now on.

    Raises NotFound for a tool that the viewer may not see.
    """
    standing = await people.locked_standing(tx, by.community_id, by.person_id)
    if standing is None or standing.status not in people.IN_IT:
        raise NotFound
    if refusal := why_not_make(by):
        raise refusal
    if (kind is FeedKind.TOOL) != (tool_id is not None):
        raise Refusal("Say which tool the calendar is of.", status=422, field_name="tool")
    if tool_id is not None:
        await tools.tool_for(tx, by, tool_id)
    await tx.execute(
        delete(Feed).where(
            Feed.community_id == by.community_id,
            Feed.person_id == by.person_id,
            Feed.kind == kind,
            Feed.tool_id.is_not_distinct_from(tool_id),
        )
    )
    if len(await of_person(tx, by)) >= MOST + 2:
        raise Refusal("You keep the calendars of very many tools.", "End one that is not needed.")
    nonce = secrets.token_bytes(16)
    feed = Feed(
        community_id=by.community_id,
        person_id=by.person_id,
        kind=kind,
        tool_id=tool_id,
        nonce=nonce,
        key_hash=keys.digest(keys.feed_secret(nonce)),
        created_at=now,
    )
    tx.add(feed)
    await tx.flush()
    security("made_feed", person=by.person_id, community=by.community_id)
    return feed


async def end(tx: Tx, feed_id: int, by: Viewer) -> bool:
    """The address opens nothing any more; False: there was none of theirs."""
    gone = await tx.scalar(
        delete(Feed)
        .where(
            Feed.community_id == by.community_id,
            Feed.person_id == by.person_id,
            Feed.id == feed_id,
        )
        .returning(Feed.id)
    )
    if gone is None:
        return False
    security("ended_feed", person=by.person_id, community=by.community_id)
    return True


async def person_left(tx: Tx, community_id: int, person_id: int) -> None:
    """Who has left or is suspended comes back with new addresses only."""
    mine = (Feed.community_id == community_id, Feed.person_id == person_id)
    await tx.execute(delete(Feed).where(*mine))


async def of_person(tx: Tx, by: Viewer) -> Sequence[Feed]:
    rows = await tx.scalars(
        select(Feed)
        .where(Feed.community_id == by.community_id, Feed.person_id == by.person_id)
        .order_by(Feed.id)
    )
    return rows.all()


async def asked(tx: Tx, secret: str) -> Asked:
    """Raises NotFound: revoked, invented and those of who is no member look the same."""
    row = await tx.execute(
        select(Feed, Community, Membership, Person)
        .join(Community, Community.id == Feed.community_id)
        .join(
            Membership,
            (Membership.community_id == Feed.community_id)
            & (Membership.person_id == Feed.person_id),
        )
        .join(Person, Person.id == Feed.person_id)
        .where(Feed.key_hash == keys.digest(secret[:200]), Membership.status == Status.ACTIVE)
    )
    found = row.one_or_none()
    if found is None:
        raise NotFound
    feed, community, standing, person = found
    return Asked(feed, community, people.viewer_of(person, (community, standing)))


def shown_secret(feed: Feed) -> str | None:
    """None if SECRET_KEY has changed since it was made: it still opens, but cannot be shown."""
    return keys.shown_feed_secret(feed.nonce, feed.key_hash)
