"""One community of the demo: who does what when, through the commands that everybody uses."""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from app.db import Tx
from app.demo.places import Hung, Neighbour, Place
from app.demo.played import Played
from app.demo.script import Calendar
from app.loans import keeping, pick_up
from app.people import commands as people
from app.people import links, queries
from app.people.models import Person, PersonId, Status
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools import districts
from app.tools.models import Tool
from app.tools.photos import Stored
from app.tools.places import PlaceText

Act = Callable[[Tx, datetime], Awaitable[object]]
Shot = Callable[[str], Awaitable[Stored]]
LISTS = "lists"


async def not_taken(_: str) -> Stored:
    """A photo of which there is no file: where nobody looks at one."""
    return Stored(secrets.token_hex(16), 800, 600)


@dataclass
class Cast:
    """The people of all places: one may live in several."""

    password_hash: str
    persons: dict[str, Person] = field(default_factory=dict)

    async def enter(self, tx: Tx, neighbour: Neighbour, now: datetime) -> Person:
        """The person, with an account since their first appearance."""
        if neighbour.first not in self.persons:
            person = Person(
                email=f"{neighbour.first}@example.org",
                name=neighbour.name,
                password_hash=self.password_hash,
                created_at=now,
            )
            tx.add(person)
            await tx.flush()
            self.persons[neighbour.first] = person
        return self.persons[neighbour.first]


@dataclass
class Stage:
    """Where a place's story is played, and what has come of it so far."""

    place: Place
    cast: Cast
    now: datetime
    shot: Shot = not_taken
    code: str = ""
    viewers: dict[str, Viewer] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    districts: dict[str, int] = field(default_factory=dict)
    alike: dict[str, list[Tool]] = field(default_factory=dict)  # the others of each kind

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.now, ZoneInfo(self.place.zone))

    def acts(self) -> Iterator[tuple[datetime, Act]]:
        """Everything that happens, each with its instant; not yet in order."""
        instant = self.calendar.instant
        founder, *others = self.place.people
        yield instant(founder.since), partial(self._found, founder)
        for other in others:
            yield instant(other.since), partial(self._come_in, other)
        yield from self._listing()
        yield instant(self.place.invitation), self._invite
        for scene in self.place.story:
            played = Played(self, scene)
            for line in scene.lines:
                if line.does != LISTS:
                    yield instant(line.at), partial(played.act, line)

    def _listing(self) -> Iterator[tuple[datetime, Act]]:
        """Evenly over the first weeks, in an order that mixes owners and kinds."""
        told = {
            scene.tool: line.at
            for scene in self.place.story
            for line in scene.lines
            if line.does == LISTS
        }
        many = [tool for tool in self.place.tools if tool.key not in told]
        mixed = random.Random(self.place.slug).sample(many, len(many))
        days = self.place.last_tool - self.place.first_tool
        for number, tool in enumerate(mixed):
            day = self.place.first_tool + days * number // len(mixed)
            at = f"{day} {9 + number * 5 % 12:02}:{number * 17 % 60:02}"
            yield self.calendar.instant(at), partial(self.list_tool, tool)
        for tool in self.place.tools:
            if tool.key in told:
                yield self.calendar.instant(told[tool.key]), partial(self.list_tool, tool)

    async def list_tool(self, tool: Hung, tx: Tx, now: datetime) -> None:
        by = self.viewers[tool.owner]
        self.tools[tool.key] = listed = await tools.list_tool(tx, tool.text, by, now)
        for keeper in tool.keepers:
            await keeping.name(tx, listed.id, self.viewers[keeper].person_id, by, now)
        self.alike[tool.key] = [
            await tools.list_tool(tx, tool.text, by, now) for _ in range(tool.count - 1)
        ]

    async def _found(self, founder: Neighbour, tx: Tx, now: datetime) -> None:
        place = self.place
        community = await people.found_community(
            tx,
            place.slug,
            place.name,
            place.zone,
            await self.cast.enter(tx, founder, now),
            now,
            join_rule=place.join_rule,
            currency=place.currency,
            area=place.area,
        )
        tools.furnish(tx, community.id)
        await self._see(tx, founder)
        for name in place.districts:
            made = await districts.add(tx, name, "", self.viewers[founder.first])
            self.districts[name] = made.id
        await self._live_somewhere(tx, founder, now)
        await self._invite(tx, now)

    async def _invite(self, tx: Tx, now: datetime) -> None:
        by = self.viewers[self.place.people[0].first]
        _, self.code = await links.make_join_link(tx, by, now)

    async def _come_in(self, neighbour: Neighbour, tx: Tx, now: datetime) -> None:
        person_id = PersonId((await self.cast.enter(tx, neighbour, now)).id)
        if neighbour.note:
            await people.ask_to_join(tx, person_id, self.place.slug, neighbour.note, now)
        else:
            await people.join(tx, person_id, self.code, now)
        await self._see(tx, neighbour)
        await self._live_somewhere(tx, neighbour, now)

    async def _live_somewhere(self, tx: Tx, neighbour: Neighbour, now: datetime) -> None:
        home = self.place.homes.get(neighbour.first)
        if home and neighbour.first in self.viewers:
            address, district, point = home
            text = PlaceText(address, self.districts.get(district), point)
            await pick_up.keep(tx, text, self.viewers[neighbour.first], now)

    async def _see(self, tx: Tx, neighbour: Neighbour) -> None:
        """From now on they act as who they are here, if they are in."""
        community = await queries.community_by_slug(tx, self.place.slug)
        person = self.cast.persons[neighbour.first]
        standing = await queries.standing(tx, community.id, person.id)
        if standing is not None and standing.status == Status.ACTIVE:
            self.viewers[neighbour.first] = queries.viewer_of(person, (community, standing))
