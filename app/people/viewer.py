"""Who asks, and what stands between them and another: what rules, queries and drawings get."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.people.models import Community, PersonId, Role


@dataclass(frozen=True, slots=True)
class Here:
    """A community, as everything that is drawn or ruled in it needs to know it."""

    id: int
    slug: str
    name: str
    zone: ZoneInfo
    locale: str
    currency: str
    join_rule: str
    area: str = ""

    @classmethod
    def of(cls, community: Community) -> Here:
        return cls(
            id=community.id,
            slug=community.slug,
            name=community.name,
            zone=community.tz,
            locale=community.locale,
            currency=community.currency,
            join_rule=community.join_rule,
            area=community.area,
        )

    @property
    def scope(self) -> str:
        return f"c{self.id}"

    @property
    def path(self) -> str:
        return f"/c/{self.slug}"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person; `community` is where they stand now, if they stand in one."""

    person_id: PersonId
    name: str
    locale: str
    community: Here | None = None
    role: str | None = None
    suspended: bool = False

    @property
    def here(self) -> Here:
        assert self.community is not None, "asked for the community of a viewer outside any"
        return self.community

    @property
    def community_id(self) -> int:
        return self.here.id

    @property
    def is_coordinator(self) -> bool:
        return not self.suspended and self.role in (Role.COORDINATOR, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Apart:
    """A block between a viewer and somebody else. `mine`: the viewer's own (perhaps both have one).

    Only who blocks may be told of it: the other one sees what anybody could have a reason for.
    """

    name: str
    mine: bool

    @property
    def first_name(self) -> str:
        return self.name.split()[0]
