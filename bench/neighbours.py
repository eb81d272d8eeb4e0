"""Who acts while it is measured: people of the demo, and a street of pairs that lend and borrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app import clock, db
from app.people import commands as people
from app.people import queries, sessions
from app.people.models import Community, Membership, Person, Role, Status
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText

ELM = "elm"


@dataclass(frozen=True)
class Neighbour:
    viewer: Viewer
    cookie: str

    @property
    def home(self) -> str:
        return self.viewer.here.path


async def of_elm(first: str) -> Neighbour:
    """Somebody of the demo, signed in."""
    async with db.begin() as tx:
        community = await queries.community_by_slug(tx, ELM)
        person = await queries.person_by_email(tx, f"{first}@example.org")
        assert person is not None, "the demo is loaded"
        return await _signed_in(tx, person, community.id)


async def lists(owner: Neighbour, name: str) -> int:
    """Hangs a tool on the board; answers its id."""
    async with db.begin() as tx:
        text = ToolText(name=name, category="drills", description="Only here to be measured.")
        return (await tools.list_tool(tx, text, owner.viewer, clock.now())).id


async def list_many(owner: Neighbour, name: str, count: int) -> list[int]:
    """So many at once, in one transaction; answers their ids."""
    async with db.begin() as tx:
        texts = [ToolText(name=f"{name}.{n}", category="drills") for n in range(count)]
        return [(await tools.list_tool(tx, one, owner.viewer, clock.now())).id for one in texts]


async def street_of(pairs: int, slug: str = "street") -> Sequence[tuple[Neighbour, Neighbour]]:
    """A community of its own: pairs of a lender and a borrower who share nothing but the board."""
    now = clock.now()
    async with db.begin() as tx:
        persons = [
            Person(
                email=f"{number}.{slug}@example.org",
                name=f"Neighbour {number}",
                password_hash="none",
                created_at=now - timedelta(days=1),
            )
            for number in range(2 * pairs)
        ]
        tx.add_all(persons)
        await tx.flush()
        made = await people.found_community(
            tx, slug, "A measured street", "Europe/London", persons[0], now
        )
        tools.furnish(tx, made.id)
        tx.add_all(
            Membership(
                community_id=made.id,
                person_id=person.id,
                role=Role.MEMBER,
                status=Status.ACTIVE,
                asked_at=now,
                joined_at=now,
            )
            for person in persons[1:]
        )
        await tx.flush()
        living = [await _signed_in(tx, person, made.id) for person in persons]
        return list(zip(living[::2], living[1::2], strict=True))


async def _signed_in(tx: db.Tx, person: Person, community_id: int) -> Neighbour:
    """With a session made here: hashing a password is not what is measured."""
    standing = await queries.standing(tx, community_id, person.id)
    community = await tx.get(Community, community_id)
    assert standing is not None, "they belong here"
    assert community is not None, "it is there"
    viewer = queries.viewer_of(person, (community, standing))
    person.last_community_id = community_id  # else the first page they open writes it
    cookie = await sessions.open_session(tx, viewer.person_id, "a measurement", clock.now())
    return Neighbour(viewer, cookie)
