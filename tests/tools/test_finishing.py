"""A photo is there at once, whole a moment later, and gone if nothing says that it stays."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from app import clock, db, jobs, queue, storage
from app.errors import Conflict
from app.migrations.metadata import everything
from app.queue import Job
from app.storage import StorageError
from app.storage.folder import Folder
from app.tools import photos
from app.tools.photos import Stored
from tests.neighbours import WITHIN, Neighbour, Street, said
from tests.tools import pictures
from tests.tools.test_beforehand import lays_by


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Photos of this test alone."""
    own = Folder(tmp_path / "photos")
    monkeypatch.setattr(storage, "_chosen", own)
    return own


def there(place: Folder) -> set[str]:
    return {file.name[32:] for file in place.path.glob("*")}


JPEGS = {"-480.jpg", "-1200.jpg"}
ALL = JPEGS | {"-480.webp", "-1200.webp"}


async def watched() -> set[str]:
    """The pictures of which nobody has said that they stay."""
    async with db.snapshot() as tx:
        return {*await tx.scalars(select(Job.key).where(Job.name == photos.ABANDON))}


async def named() -> set[str]:
    """The pictures that any row of any table names."""
    found: set[str] = set()
    async with db.snapshot() as tx:
        for table in chain.from_iterable(one.sorted_tables for one in everything()):
            for column in table.columns:
                if column.name == "photo_name" or ("photo" in table.name and column.name == "name"):
                    found |= {*await tx.scalars(select(column).where(column.is_not(None)))}
    return found


async def sends(who: Neighbour, path: str, field: str = "photo", **form: str) -> None:
    answer = await who.client.post(
        f"{who.home}{path}",
        data=form,
        files={field: ("a.jpg", pictures.from_a_phone(), "image/jpeg")},
    )
    assert answer.status_code == 303, f"{path}: {said(answer.text)}"


async def test_whichever_door_it_came_by_it_stays(street: Street) -> None:
    ada, ben = street.ada, street.ben
    before, were = await watched(), await named()
    drill = await ada.lists("Cordless drill")
    tool = {"name": "Cordless drill", "category": "drills"}
    await sends(ada, "/tools", **tool)
    await sends(ada, "/tools", **tool, how_many="3")
    assert (await lays_by(ada, uuid.uuid4())).is_success
    await sends(ada, f"/tools/{drill}/edit", **tool)
    await sends(ada, f"/tools/{drill}/photos")
    loan = await ben.asks_for(drill, street.today)
    await ada.acts(loan, "approval")
    await ada.acts(loan, "handover")
    await sends(ada, f"/loans/{loan}/handover/out", "photos", says_how="1", condition="worn")
    await sends(ben, f"/loans/{loan}/incidents", kind="damage", reason="The chuck is bent.")
    saw = await ada.lists("Saw")
    question = await ben.does(f"{ben.home}/tools/{saw}/questions", about="This one?")
    await sends(ben, f"{question.removeprefix(ben.home)}/photos")
    shed = await ada.lists("Ladder", self_service="on", parts="")
    taken = await ben.asks_for(shed, street.today)
    await ada.acts(taken, "approval")
    await sends(ben, f"/loans/{taken}/taking")
    new = await named() - were
    assert len(new) == 11
    assert not new & await watched()
    assert await watched() == before


async def test_its_small_copies_come_by_themselves(street: Street) -> None:
    tool = await street.ada.lists("Cordless drill")
    await sends(street.ada, f"/tools/{tool}/photos")
    page = await street.ben.opens(f"{street.ben.home}/tools/{tool}")
    name = page.split("/photos/")[1][:32]
    async with asyncio.timeout(WITHIN):
        waits = True
        while waits:  # whichever worker takes it up
            await jobs.run_due()
            async with db.snapshot() as tx:
                due = select(Job.id).where(Job.name == photos.FINISH, Job.key.endswith(name))
                waits = await tx.scalar(due) is not None
    answer = await street.ben.client.get(f"{street.ben.home}/photos/{name}-480.webp")
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]


async def finish(stored: Stored) -> None:
    await pictures.finished(stored)


async def test_whoever_dies_over_it_leaves_what_can_be_seen_and_the_next_one_ends_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await photos.store(pictures.plain(900, 600))
    put: Callable[..., Any] = folder.put

    async def dies(name: str, content: bytes, kind: str) -> None:
        if name.endswith("-1200.webp"):
            raise StorageError("The disk is gone.")
        await put(name, content, kind)

    with monkeypatch.context() as disk:
        disk.setattr(folder, "put", dies)
        with pytest.raises(StorageError):
            await finish(stored)
    assert there(folder) == ALL - {"-1200.webp"}
    await finish(stored)
    assert there(folder) == ALL
    at = (folder.path / photos.name_of(stored.name, 1200, "webp")).stat().st_mtime_ns
    await finish(stored)
    assert (folder.path / photos.name_of(stored.name, 1200, "webp")).stat().st_mtime_ns == at


@pytest.mark.parametrize("after", ["-480.webp", "-1200.webp"])
async def test_what_is_taken_away_meanwhile_is_gone_for_good(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    stored = await photos.store(pictures.plain(900, 600))
    put: Callable[..., Any] = folder.put

    async def put_and_gone(name: str, content: bytes, kind: str) -> None:
        if name.endswith(after):
            await photos.remove(stored.name)
        await put(name, content, kind)

    monkeypatch.setattr(folder, "put", put_and_gone)
    await finish(stored)
    assert there(folder) == set()
    await finish(stored)
    assert there(folder) == set()


async def test_what_nothing_names_in_time_is_deleted(folder: Folder) -> None:
    stored = await photos.store(pictures.plain())
    assert stored.name in await watched()
    assert there(folder) == JPEGS
    async with db.begin() as tx:
        job = await tx.scalar(select(Job).where(Job.key == stored.name))
        assert job is not None
        assert job.run_at - job.created_at == photos.KEPT_WITHIN
        job.run_at = clock.now()
    async with db.begin() as tx:
        await photos.abandon(tx, stored.name, clock.now())
        await tx.execute(delete(Job).where(Job.key == stored.name))  # as the loop does then
    assert there(folder) == set()
    async with db.sessions() as tx, tx.begin():
        with pytest.raises(Conflict, match="too long"):
            await photos.keep(tx, stored, 1, clock.now())


@pytest.mark.parametrize("keeps", [True, False], ids=["kept first", "given up first"])
async def test_kept_and_given_up_at_once_is_one_of_the_two(folder: Folder, keeps: bool) -> None:
    """Whoever is second waits for the first, and hears what came of it."""
    stored = await photos.store(pictures.plain())
    started = asyncio.Event()

    async def kept() -> None:
        async with db.begin() as tx:
            await photos.keep(tx, stored, 1, clock.now())
            await _second(started, keeps)

    async def given_up() -> None:
        async with db.begin() as tx:
            await photos.abandon(tx, stored.name, clock.now())
            await _second(started, not keeps)
            await queue.drop(tx, photos.ABANDON, stored.name)

    first, second = (kept, given_up) if keeps else (given_up, kept)
    one = asyncio.create_task(first())
    await started.wait()
    two = asyncio.create_task(second())
    outcome = await asyncio.gather(one, two, return_exceptions=True)
    if keeps:
        assert [*outcome] == [None, None]
        assert there(folder) == JPEGS
    else:
        assert isinstance(outcome[1], Conflict)
        assert there(folder) == set()
    async with db.begin() as tx:
        await queue.drop(tx, photos.FINISH, f"1/{stored.name}")


async def _second(started: asyncio.Event, first: bool) -> None:
    """The first one lets the other begin, and stays in its transaction until that waits."""
    if not first:
        return
    started.set()
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'job'"
    )
    async with asyncio.timeout(WITHIN), db.engine.connect() as connection:
        while not (await connection.exec_driver_sql(waiting)).scalar():
            await connection.rollback()
