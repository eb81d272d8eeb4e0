"""The two communities of the demo, and who lives there since when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from app.demo.script import Scene, scenes
from app.people.models import JoinRule
from app.tools.commands import ToolText

HERE = Path(__file__).parent
PICTURES = HERE.parent.parent / "web" / "demo"
SHOTS = PICTURES / "shots"  # what people photograph at a hand-over, or as evidence


@dataclass(frozen=True)
class Neighbour:
    """`since`: the first founds the community, others come in; a `note` asks to be let in."""

    first: str
    name: str
    since: str
    note: str = ""


@dataclass(frozen=True)
class Hung:
    """A tool of the story, with the drawing that shows it; with `count` there are others like it.

    With `keepers` it is the community's: whom `owner`, who lists it, names beside themselves.
    """

    key: str
    owner: str
    text: ToolText
    picture: Path
    keepers: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True)
class Place:
    slug: str
    name: str
    zone: str
    currency: str
    area: str
    join_rule: JoinRule
    people: tuple[Neighbour, ...]
    first_tool: int  # the day on which the first is listed, and the last of the many
    last_tool: int
    invitation: str  # since when the invitation is valid whose code is told
    districts: tuple[str, ...] = ()
    # Address, district and point of what somebody lends; all of it in a sea without an island.
    homes: Mapping[str, tuple[str, str, str]] = field(default_factory=dict, hash=False)

    @cached_property
    def tools(self) -> list[Hung]:
        listed = HERE / f"{self.slug}.json"
        file = listed if listed.exists() else PICTURES / "tools.json"
        return [_hung(each) for each in json.loads(file.read_text(encoding="utf-8"))]

    @cached_property
    def story(self) -> list[Scene]:
        return list(scenes((HERE / f"{self.slug}.txt").read_text(encoding="utf-8")))


def _hung(each: dict[str, Any]) -> Hung:
    text = ToolText(
        name=each["name"],
        category=each["category"],
        brand=each["brand"],
        description=each["description"],
        skill=each.get("skill"),
        price_cents=each["price_cents"],
        of_all=bool(each.get("keepers")),
    )
    picture = PICTURES / each["file"]
    keepers, count = tuple(each.get("keepers", ())), each.get("count", 1)
    return Hung(picture.stem, each["owner"], text, picture, keepers, count)


ELM = Place(
    slug="elm",
    name="Elm Street",
    zone="Europe/London",
    currency="GBP",
    area="Elm Street, from the bakery to the railway bridge",
    join_rule=JoinRule.REQUEST,
    people=(
        Neighbour("cora", "Cora Lindqvist", "-126 19:30"),
        Neighbour("ada", "Ada Moreno", "-124 18:10"),
        Neighbour("ben", "Ben Okafor", "-124 20:45"),
        Neighbour("gus", "Gus Pemberton", "-123 09:20"),
        Neighbour("june", "June Adeyemi", "-122 16:05"),
        Neighbour("fay", "Fay Sinclair", "-121 12:40"),
        Neighbour("eli", "Eli Rosen", "-120 21:10"),
        Neighbour("hana", "Hana Novotná", "-119 08:50"),
        Neighbour("dee", "Dee Whitlock", "-118 17:30"),
        Neighbour("ivo", "Ivo Petrov", "-116 19:15"),
        Neighbour("cy", "Cy Tanaka", "-71 18:25"),
        Neighbour(
            "zoe",
            "Zoe Marchetti",
            "230 min ago",
            note="We moved into number 27, above the bakery. I have a good bread mixer to lend, "
            "and a balcony that needs a drill.",
        ),
    ),
    first_tool=-115,
    last_tool=-58,
    invitation="-12 18:40",
    districts=("By the bakery", "By the bridge", "By the church"),
    homes={
        "cora": ("Elm Street 1, above the bakery", "By the bakery", "0.0022, 0.0022"),
        "ada": ("Elm Street 4, second bell", "By the bakery", "0.0031, 0.0047"),
        "ben": ("Elm Street 9", "By the bakery", "0.0071, 0.0028"),
        "gus": ("Elm Street 16, the yellow door", "By the bridge", "0.0123, 0.0029"),
        "june": ("Elm Street 18", "By the bridge", "0.0121, 0.0034"),
        "fay": ("Elm Street 22, ring Sinclair", "By the bridge", "0.0128, 0.0076"),
        "eli": ("Churchyard Row 2", "By the church", "0.0025, 0.0171"),
        "hana": ("Churchyard Row 7", "By the church", "0.0078, 0.0182"),
        "dee": ("Platform Cottages 3", "By the bridge", "0.0219, 0.0031"),
        "cy": ("Elm Street 6, third floor", "By the bakery", "0.0069, 0.0021"),
    },
)
MILL = Place(
    slug="mill",
    name="Mill Lane Makers",
    zone="Europe/Berlin",
    currency="EUR",
    area="The workshop in the old mill",
    join_rule=JoinRule.OPEN,
    people=(
        Neighbour("lena", "Lena Vogel", "-80 18:00"),
        Neighbour("mats", "Mats Lindgren", "-79 19:20"),
        Neighbour("nora", "Nora Bauer", "-77 10:15"),
        Neighbour(
            "cy", "Cy Tanaka", "-52 20:05", note="I live in London, but spend my summers here."
        ),
    ),
    first_tool=-76,
    last_tool=-50,
    invitation="-9 11:30",
)
