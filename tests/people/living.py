"""Quick ways to people and communities inside one transaction."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from app.db import Tx
from app.people import commands, queries
from app.people.models import Community, Membership, Person, Role, Status
from app.people.viewer import Viewer

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PASSWORD = "seven quiet hammers"
_numbers = itertools.count(1)


async def person(tx: Tx, name: str = "Ada Moreno") -> Person:
    """Without a password."""
    made = Person(
        email=f"{name.split()[0].lower()}.{next(_numbers)}@living.example.org",
        name=name,
        password_hash="none",
        created_at=NOW,
    )
    tx.add(made)
    await tx.flush()
    return made


async def community(tx: Tx, first: Person, **more: object) -> Community:
    zone = str(more.pop("zone", "Europe/London"))
    slug = f"living-{next(_numbers)}"
    return await commands.found_community(
        tx,
        slug,
        "Elm Street",
        zone,
        first,
        NOW,
        **more,  # type: ignore[arg-type]
    )


async def member(
    tx: Tx,
    where: Community,
    name: str = "Ben Okafor",
    role: Role = Role.MEMBER,
    status: Status = Status.ACTIVE,
) -> Viewer:
    who = await person(tx, name)
    tx.add(
        Membership(
            community_id=where.id,
            person_id=who.id,
            role=role,
            status=status,
            asked_at=NOW,
            joined_at=NOW if status is not Status.PENDING else None,
        )
    )
    await tx.flush()
    return await viewer(tx, where, who)


async def viewer(tx: Tx, where: Community, who: Person) -> Viewer:
    standing = await queries.standing(tx, where.id, who.id)
    assert standing is not None
    return queries.viewer_of(who, (where, standing))
