"""The floor plan: imports point down only, files stay small, migrations equal the models."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from app import db
from app.migrations.metadata import everything

APP = Path(__file__).parent.parent / "app"

# From the cellar up. A feature's rooms follow in their own order; its edges stand above all core.
CELLAR = ("realtime",)
GROUND = (
    "settings",
    "clock",
    "words",
    "errors",
    "topic",
    "db",
    "storage",
    "queue",
    "outgoing",
    "pages",
    "mail",
    "push",
    "http",
)
LINE = (
    *("people", "notices", "chat", "tools", "loans", "wanted", "members", "board", "inventory"),
)
EDGES = (
    "live",
    "doors",
    "entrance",
    "forms",
    "addresses",
    "preferring",
    "preferring_api",
    "unsubscribing",
    "pushing",
    "joining",
    "blocking",
    "desk",
    "chooser",
    "once",
    "recording",
    "handing",
    "labels",
    "repairing",
    "lending_page",
    "changing",
    "settling",
    "help",
    "changes_api",
    "finding",
    "reporting",
    "shapes",
    "pictures",
    "routes",
    "gallery_page",
    "gallery_api",
    "imports",
    "case_shapes",
    "holding",
    "days_off",
    "feeding",
    "keepers_page",
    "categories_page",
    "places_page",
    "districts_page",
    "places_api",
    "api",
    "handing_api",
    "alone_api",
    "mine_api",
    "case_door",
    "case_api",
    "tool_page",
    "waiting_shapes",
    "waiting",
    "asking",
    "watch_door",
)
ROOMS = (
    *(
        "states",
        "lending",
        "folded",
        "synonyms",
        "photo",
        "grid",
        "place",
        "models",
        "incident",
        "wishes",
        "watches",
        "papers",
        "proposal",
        "feed",
        "upkeep",
        "viewer",
    ),
    *("letters", "kinds", "deciding", "deliveries"),
    *("keys", "passwords", "keepers"),
    *(
        "choosing",
        "rules",
        "categories",
        "unsubscribe",
        "preferences",
        "devices",
        "fair",
        "story",
        "terms",
        "occupied",
        "availability",
        "quiet",
        "turns",
        "queries",
        "where",
        "passing",
        "dates",
    ),
    *("twice", "kept", "held", "waits", "cases", "sessions", "links", "mail_links", "reset_link"),
    *("feeds", "almanac", "ics"),
    *(
        "company",
        "wording",
        "stretch",
        "timeline",
        "meaning",
        "search",
        "talk",
        "questions",
        "asked",
        "matching",
        "reach",
    ),
    *(
        "developing",
        "photos",
        "showing",
        "suggestions",
        "album",
        "beforehand",
        "periods",
        "telling",
        "trust",
        "outlook",
        "calendar",
        "quick",
        "similar",
        "proposals",
        "proposal_words",
    ),
    *("mailing", "truth", "steps"),
    *(
        "reminders",
        "news",
        "saying",
        "ripple",
        "alike",
        "wall",
        "screens",
        "commands",
        "changes",
        "patience",
        "carrying",
        "troubles",
    ),
    *("offers", "amends", "off", "standing", "at_hand", "watching", "mine"),
    *("keeping", "unsafe", "incidents", "amounts", "mediation", "undo", "correct"),
    *(
        "case_words",
        "case_facts",
        "setup_code",
        "waitlist",
        "records",
        "handover",
        "codes",
    ),
    *("lend_now", "alone", "pick_up", "hands", "shelf", "noting", "sides", "clockwork", "blocks"),
    *("repairs", "past"),
    *("handing_over", "saved", "places", "districts"),
    *("holds", "blackouts", "edits", "reports", "cards"),
    *("cells", "columns", "packing", "held_here", "taking_along", "trial"),
    *("gallery", "waiting_room", "bringing_in", "hanging_up", "running"),
)
# Programs of their own: they start others, or wire everything.
DOORS = (
    *("main", "jobs", "courier", "post", "demo", "serve", "crew", "worker", "console"),
    *("embedded", "child", "instance", "migrations"),
)
# The edges of people say who asks; every other feature's edges stand on them.
ASKED_BY_ALL = ("app.people.doors", "app.people.entrance", "app.people.forms")


def modules() -> dict[str, Path]:
    found = {}
    for file in sorted(APP.rglob("*.py")):
        if "versions" in file.parts and "migrations" in file.parts:
            continue
        name = ".".join(("app", *file.relative_to(APP).with_suffix("").parts))
        found[name.removesuffix(".__init__")] = file
    return found


def imports(file: Path, known: dict[str, Path]) -> set[str]:
    """The modules of ours that a file imports, also inside functions and for types only."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in names}
    return {name for name in found if name == "app" or name.startswith("app.")}


def floor(module: str) -> tuple[int, int, int]:
    """How high it stands: (floor, feature or file in it, room). Lower may not know higher."""
    _, top, *rest = module.split(".") if "." in module else ("app", "app")
    room = rest[0] if rest else ""
    if top in CELLAR or top == "app":
        return 0, 0, 0
    if top in GROUND:
        return 1, 0, 0
    if top in DOORS:
        return 4, 0, 0
    if room in EDGES:
        return 3, LINE.index(top), EDGES.index(room)
    return 2, LINE.index(top), ROOMS.index(room) + 1 if room else 0


def may_know(here: str, there: str) -> bool:
    mine, its = floor(here), floor(there)
    if mine[0] in (0, 4) and mine[0] == its[0]:
        return True
    if mine[0] == its[0] == 1:
        return True
    if mine[0] == its[0] == 3:
        return there in ASKED_BY_ALL or (mine[1] == its[1] and its[2] <= mine[2])
    return its < mine


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_down(module: str) -> None:
    known = modules()
    wrong = {there for there in imports(known[module], known) if not may_know(module, there)}
    assert not wrong - {module}, f"{module} looks up to {', '.join(sorted(wrong))}"


def test_the_engine_knows_nothing_of_ours() -> None:
    known = modules()
    for module, file in known.items():
        if module.startswith("app.realtime"):
            outside = {there for there in imports(file, known) if "realtime" not in there}
            assert not outside, f"{module} knows {outside}"


def test_only_one_module_writes_occupancy() -> None:
    writers = set()
    for module, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            arguments = [one.id for one in node.args if isinstance(one, ast.Name)]
            made = node.func.id == "Occupancy"
            changed = node.func.id in ("update", "delete", "insert") and "Occupancy" in arguments
            if made or changed:
                writers.add(module)
    assert writers == {"app.tools.availability"}


def test_no_state_of_a_loan_is_set_outside_its_own_table_of_moves() -> None:
    for module, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr == "state":
                    assert module in ("app.loans.models", "app.main"), module


def test_a_loan_steps_back_or_aside_only_by_the_two_commands_for_it() -> None:
    """Beside the table of moves a state changes by `Loan.undo` and `Loan.correct` alone."""
    found = set()
    for module, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in ("loan.undo", "loan.correct"):
                found.add((called, module))
            if called == "setattr":
                assert "'state'" not in ast.unparse(node), module
    assert found == {("loan.undo", "app.loans.undo"), ("loan.correct", "app.loans.correct")}


async def test_the_migrations_make_what_the_models_say() -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = compare_metadata(context, everything())  # type: ignore[arg-type]
        return found

    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize("name", ["alone.txt", "first.txt"])
def test_what_runs_alone_or_first_is_there(name: str) -> None:
    lines = (APP.parent / "tests" / name).read_text().splitlines()
    gone = [one for one in lines if not one.startswith("#") and not (APP.parent / one).exists()]
    assert not gone, f"tests/{name} names {gone}, which are not there"
