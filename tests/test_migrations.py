"""From the tables of the first release, with neighbours in them, to those of today."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from app import migrations
from app.embedded import create_database
from tests import servers
from tests.first_release import STORIES, TOOLS, OldStreet
from tests.neighbours import browser
from tests.workers import Worker, start_worker

FIRST = "0001"
WITHIN = 30.0  # seconds: a deadline on waiting
numbers = itertools.count(1)

Rows = dict[str, set[tuple[Any, ...]]]

# What a row of the first release has in columns that came later: all is as it was lent then.
AS_IT_WAS: dict[str, dict[str, object]] = {
    "tool": {
        **{"shortest_hours": 0, "longest_days": 7, "notice_hours": 0, "horizon_days": 90},
        **{"buffer_hours": 0, "deposit_cents": 0, "windows": "[]", "auto_approve": False},
        **{"safety": "", "parts": "", "self_service": False, "keepers": []},
        "skill": "anyone",
    },
    "loan": {
        **{"deposit_cents": 0, "safety": "", "waits_since": None, "fetched_said_at": None},
        **{"undo_until": None, "mediator_id": None, "named_id": None, "named_by": None},
        "keepers": [],
    },
    "conversation": {"question": False, "after_id": None},
    "message": {
        **{"quotes_id": None, "edited_at": None, "removed_at": None, "change_id": None},
        **{"photo_name": None, "photo_width": None, "photo_height": None},
    },
    "category": {"parent_id": None},
    "person": {"shows_here": False, "shows_typing": False, "shows_last": False},
}
DUE = {"unanswered": "expired", "never fetched": "lapsed", "back": "closed"}


def _bare(postgres: servers.Postgres) -> Iterator[str]:
    """The URL of a database without any table."""
    name = f"bare_{next(numbers)}_test"
    yield create_database(postgres, name)  # type: ignore[arg-type]
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


bare = pytest.fixture(_bare)
kept_bare = pytest.fixture(_bare, scope="module")


def _upgrade(connection: Connection, revision: str) -> None:
    prepared = migrations.config()
    prepared.attributes["connection"] = connection
    command.upgrade(prepared, revision)


async def upgrade(url: str, revision: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade, revision)
    await engine.dispose()


async def test_a_database_of_the_first_release_keeps_its_people(bare: str) -> None:
    await upgrade(bare, FIRST)
    engine = create_async_engine(bare)
    people = text(
        "INSERT INTO person (email, name, password_hash, locale, created_at) VALUES"
        " ('ada@example.org', 'Ada', 'none', 'en-GB', now()),"
        " ('ben@example.org', 'Ben', 'none', 'en-GB', now())"
    )
    async with engine.begin() as connection:
        await connection.execute(people)
    assert await migrations.upgrade(bare) == (FIRST, migrations.head())
    assert await migrations.upgrade(bare) == (migrations.head(), migrations.head())
    async with engine.begin() as connection:
        names = await connection.scalars(text("SELECT name FROM person ORDER BY name"))
        assert list(names) == ["Ada", "Ben"]
        assert await connection.scalar(text("SELECT count(*) FROM block")) == 0
    await engine.dispose()


async def test_questions_from_before_fall_asleep_too(bare: str) -> None:
    """30 days after what was said last; who has a job keeps it, a room without a word gets none."""
    script = ScriptDirectory.from_config(migrations.config()).get_revision("0022")
    assert script is not None
    assert isinstance(script.down_revision, str)
    await upgrade(bare, script.down_revision)
    connection = await asyncpg.connect(bare.replace("+asyncpg", ""))
    now = datetime.now(UTC)
    street = await OldStreet(connection, 1, now).write()
    rooms = dict(
        await connection.fetch(
            "UPDATE conversation SET question = true, asker_id = borrower_id, tool_id = l.tool_id"
            " FROM loan l WHERE conversation_id = conversation.id AND l.id = ANY($1)"
            " RETURNING l.id, conversation.id",
            [street.loans[one] for one in ("asked", "promised", "out", "late", "claimed")],
        )
    )
    asked, shy, planned, gone, quiet = rooms.values()
    said = "UPDATE message SET %s WHERE conversation_id = $1 AND kind = 'text'"
    await connection.execute(said % "created_at = $2", asked, now - timedelta(days=20))
    await connection.execute(said % "removed_at = $2", shy, now)
    await connection.execute(said % "created_at = $2", planned, now - timedelta(days=5))
    await connection.execute(said % "created_at = $2", gone, now - timedelta(days=90))
    await connection.execute(
        "INSERT INTO job (name, key, run_at, attempts, last_error, created_at)"
        " VALUES ('questions.sleep', $1, $2, 0, '', $2)",
        *(f"{street.id}/{planned}", now),
    )
    await connection.execute("DELETE FROM message WHERE conversation_id = $1", quiet)
    await upgrade(bare, "0022")
    jobs = await connection.fetch("SELECT key, run_at FROM job WHERE name = 'questions.sleep'")
    assert dict(jobs) == {
        f"{street.id}/{asked}": now + timedelta(days=10),
        f"{street.id}/{planned}": now,
        f"{street.id}/{gone}": now - timedelta(days=60),
    }
    await connection.close()


@dataclass
class Moved:
    """One database that went through every revision, with a street of the first release's in it
    from the start, and another one that the first release's statements wrote after each step."""

    url: str
    connection: Any
    columns: dict[str, dict[str, bool]]  # table → column → may be left out, at the first revision
    before: Rows
    after: Rows = field(default_factory=dict)
    streets: list[OldStreet] = field(default_factory=list)
    demanded: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
async def moved(kept_bare: str) -> AsyncIterator[Moved]:
    await upgrade(kept_bare, FIRST)
    connection = await asyncpg.connect(kept_bare.replace("+asyncpg", ""))
    now = datetime.now(UTC)
    first = await OldStreet(connection, 1, now).write()
    known = await columns_of(connection)
    made = Moved(kept_bare, connection, known, await rows(connection, known), streets=[first])
    scripts = ScriptDirectory.from_config(migrations.config()).walk_revisions(FIRST, "heads")
    steps = [script.revision for script in scripts if script.revision != FIRST]
    for number, revision in enumerate(reversed(steps), 2):
        old = await columns_of(connection)
        await upgrade(kept_bare, revision)
        new = await columns_of(connection)
        made.demanded += [
            f"{revision}: {table}.{column}"
            for table in old
            for column, optional in new.get(table, {}).items()
            if column not in old[table] and not optional
        ]
        made.streets.append(await OldStreet(connection, number, now).write())
    made.after = await rows(connection, known)
    yield made
    await connection.close()


async def columns_of(connection: Any) -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = {}
    for row in await connection.fetch(
        "SELECT table_name, column_name, is_nullable = 'YES' OR column_default IS NOT NULL"
        " OR is_identity = 'YES' AS optional FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    ):
        found.setdefault(row["table_name"], {})[row["column_name"]] = row["optional"]
    return found


async def rows(connection: Any, columns: dict[str, dict[str, bool]]) -> Rows:
    """Every row of these tables, in these columns only."""
    found = {}
    for table, names in columns.items():
        quoted = ", ".join(f'"{name}"' for name in names)
        found[table] = {
            tuple(row) for row in await connection.fetch(f"SELECT {quoted} FROM {table}")
        }
    return found


async def test_every_row_of_the_first_release_is_kept_with_every_value(moved: Moved) -> None:
    assert set(moved.before) == set(moved.after)
    for table, old in moved.before.items():
        assert old, f"nothing was written into {table}"
        assert old <= moved.after[table], f"{table} has lost {old - moved.after[table]}"
    assert {len(street.loans) for street in moved.streets} == {len(STORIES)}


async def test_what_came_later_says_that_it_is_lent_as_before(moved: Moved) -> None:
    for table, expected in AS_IT_WAS.items():
        names = ", ".join(expected)
        found = await moved.connection.fetch(f"SELECT DISTINCT {names} FROM {table}")
        assert [dict(row) for row in found] == [expected], table
    first = moved.streets[0]
    records = await moved.connection.fetch(
        "SELECT direction, count(*), bool_and(pressed_at = happened_at), bool_and(by_id = $2)"
        " FROM handover WHERE community_id = $1 GROUP BY direction",
        *(first.id, first.people["ada"]),
    )
    acts = [act for story in STORIES.values() for act, *_ in story.acts]
    counted = {row[0]: tuple(row)[1:] for row in records}
    assert counted == {
        "out": (acts.count("hand_over"), True, True),
        "in": (acts.count("take_back"), True, True),
    }
    reminded = await moved.connection.fetch(
        "SELECT key FROM job WHERE name = 'loans.remind' AND key LIKE $1", f"{first.id}/%"
    )
    open_ones = await moved.connection.fetch(
        "SELECT id FROM loan WHERE community_id = $1 AND ended_at IS NULL", first.id
    )
    assert {row[0] for row in reminded} == {f"{first.id}/{row[0]}" for row in open_ones}


async def test_the_release_before_goes_on_after_each_step(moved: Moved) -> None:
    """It names the columns that it knows: each new one fills itself in."""
    assert moved.demanded == []


@pytest.fixture(scope="module")
async def today(moved: Moved, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """The app of today on that database. Its clock is the machine's, as the migration's was."""
    clock = str(tmp_path_factory.mktemp("moved") / "clock")
    worker = await start_worker(
        "moved", DATABASE_URL=moved.url, REDIS_PREFIX="moved_test", CLOCK_FILE=clock
    )
    yield worker
    await worker.stop()


@pytest.fixture(params=[0, -1], ids=["written-before", "written-by-the-release-before"])
def old(moved: Moved, request: pytest.FixtureRequest) -> OldStreet:
    return moved.streets[int(request.param)]


async def test_the_jobs_that_were_due_have_run(today: Worker, moved: Moved, old: OldStreet) -> None:
    wanted = {old.loans[name]: state for name, state in DUE.items()}
    found: dict[int, str] = {}
    async with asyncio.timeout(WITHIN):
        while found != wanted:
            found = dict(
                await moved.connection.fetch(
                    "SELECT id, state FROM loan WHERE community_id = $1 AND id = ANY($2)",
                    *(old.id, list(wanted)),
                )
            )
    assert not await moved.connection.fetch("SELECT name, last_error FROM job WHERE attempts > 0")


async def test_every_page_and_the_api_answer_those_who_may_see_them(
    today: Worker, old: OldStreet
) -> None:
    # Of what was written last, hers are the pages that show the most.
    for name in ("ada", "ben", "cora") if old.number == 1 else ("ada",):
        async with browser(today, old.cookie(name)) as client:
            for path in pages_of(old, name):
                answer = await client.get(path)
                assert answer.status_code == 200, (name, path, today.last_error())
            for tool in TOOLS if name == "ben" else ():
                seen = (await client.get(f"{old.path}/tools/{old.tools[tool]}")).status_code
                assert seen == (404 if tool in ("chisel", "anvil", "easel") else 200), tool
    async with api(today, old, "ada") as client:
        tools = (await client.get("/tools")).json()
        loans = (await client.get("/loans")).json()
        assert tools["items"], tools
        assert {one["id"] for one in loans["items"]} <= set(old.loans.values())
        for loan in old.loans.values():
            answer = await client.get(f"/loans/{loan}")
            assert answer.status_code == 200, answer.text
        assert (await client.get(f"/loans/{old.loans['out']}/messages")).json()["items"]


def pages_of(old: OldStreet, name: str) -> list[str]:
    found = ["", "/things", "/rooms", "/notices"]
    if name == "cora":
        found += ["/members", "/jobs", "/help"]
    if name == "ben":
        found += [f"/tools/{id_}" for key, id_ in old.tools.items() if key in STORIES]
    if name == "ada":
        found += [f"/tools/{id_}" for key, id_ in old.tools.items() if key in TOOLS]
        found += [f"/tools/{old.tools['drill']}/{form}" for form in ("edit", "lending")]
    if name in ("ada", "ben"):
        mine = {key for key, story in STORIES.items() if name == "ada" or story.borrower == "ben"}
        found += [f"/loans/{id_}" for key, id_ in old.loans.items() if key in mine]
    return [f"{old.path}{page}" for page in found]


def api(worker: Worker, old: OldStreet, name: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{worker.url}/api/v1{old.path}",
        headers={"Authorization": f"Bearer {old.token(name)}"},
        timeout=WITHIN,
    )


async def test_what_was_open_is_moved_on_by_the_commands_of_today(
    today: Worker, moved: Moved, old: OldStreet
) -> None:
    acts = {
        **{"asked": ("approval", "approved"), "promised": ("handover", "out")},
        **{"out": ("return", "returned"), "late": ("return", "returned")},
        "claimed": ("return-claim/end", "out"),
    }
    async with browser(today, old.cookie("ada")) as ada, api(today, old, "ada") as client:
        for name, (noun, state) in acts.items():
            path = f"{old.path}/loans/{old.loans[name]}"
            answer = await ada.post(f"{path}/{noun}")
            assert answer.status_code == 303, (name, answer.text, today.last_error())
            assert (await client.get(f"/loans/{old.loans[name]}")).json()["state"] == state
            assert (await ada.get(path)).status_code == 200
        for direction in ("out", "in"):
            record = f"{old.path}/loans/{old.loans['out']}/handover/{direction}"
            assert (await ada.get(record)).status_code == 200
    events = await moved.connection.fetch(
        "SELECT version, (SELECT count(*) FROM loan_event e WHERE e.community_id = l.community_id"
        " AND e.loan_id = l.id) FROM loan l WHERE community_id = $1 AND id = ANY($2)",
        *(old.id, [old.loans[name] for name in ("asked", "promised", "out", "late")]),
    )
    assert len(events) == 4
    assert all(version == told for version, told in events), "each act counts on from the old ones"
