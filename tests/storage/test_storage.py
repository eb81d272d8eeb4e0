"""A folder and a bucket keep photos alike, and each says in one sentence what is wrong with it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app import clock, db, queue, storage
from app.errors import Refusal
from app.storage import Storage, StorageError, bucket
from app.storage.bucket import BELOW, Bucket
from app.storage.folder import Folder
from app.tools import photos
from tests.neighbours import Neighbour, Street, found_street
from tests.storage.s3 import BUCKET, S3, started
from tests.tools import pictures
from tests.workers import start_worker


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with started(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, s3: S3, tmp_path: Path) -> Storage:
    return Folder(tmp_path / "photos") if request.param == "folder" else s3.bucket()


async def test_what_is_put_is_there_whole_until_it_is_deleted(place: Storage) -> None:
    first, second = pictures.random_bytes(300_000), b"2"
    assert await place.read("a-480.jpg") is None
    await place.put("a-480.jpg", first, "image/jpeg")
    assert await place.read("a-480.jpg") == first
    await place.put("a-480.jpg", second, "image/jpeg")
    await asyncio.gather(*(place.put(f"{n}", bytes([n]), "image/webp") for n in range(20)))
    assert [await place.read(f"{n}") for n in range(20)] == [bytes([n]) for n in range(20)]
    assert await place.read("a-480.jpg") == second
    for name in ("a-480.jpg", "a-480.jpg", *map(str, range(20))):
        await place.delete(name)
    assert await place.read("a-480.jpg") is None


async def test_it_is_tried_without_leaving_a_trace(place: Storage, s3: S3, tmp_path: Path) -> None:
    assert await place.why_not(thoroughly=True) is None
    assert await place.why_not() is None
    assert s3.in_it() == {}
    assert list(tmp_path.glob("photos/*")) == []


async def test_a_photo_lives_its_life_there(
    place: Storage, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored, kept by a row, finished, copied, taken away."""
    monkeypatch.setattr(storage, "_chosen", place)
    one = await photos.store(pictures.from_a_phone())
    there = [copy for copy in photos.COPIES if await place.read(photos.name_of(one.name, *copy))]
    assert there == [(1200, "jpg"), (480, "jpg")]
    async with db.begin() as tx:
        await photos.keep(tx, one, 1, clock.now())
        assert await queue.drop(tx, photos.FINISH, f"1/{one.name}"), "its small copies are due"
    await pictures.finished(one)
    two = await photos.again(one)
    assert two.whole
    for name in (one.name, two.name):
        for width, ending in photos.COPIES:
            content = await place.read(photos.name_of(name, width, ending))
            assert content
            assert b"Elm" not in content
    if isinstance(place, Bucket):
        assert set(s3.in_it().values()) == {"image/jpeg", "image/webp"}
        async with httpx.AsyncClient() as anybody:
            path = f"{s3.endpoint}/{BUCKET}/{BELOW}{photos.name_of(one.name, *photos.FULL)}"
            assert (await anybody.get(path)).status_code == 403, "nothing in it is public"
    for stored in (one, two):
        await photos.remove(stored.name)
        for copy in photos.COPIES:
            assert await place.read(photos.name_of(stored.name, *copy)) is None


@pytest.mark.parametrize(
    ("other", "name", "sentence"),
    [
        ({"secret_key": "not-that-one"}, BUCKET, bucket.NOT_LET_IN),
        ({"access_key": "AKIANOBODY"}, BUCKET, bucket.NOT_LET_IN),
        ({"endpoint": "http://127.0.0.1:1"}, BUCKET, bucket.AWAY),
        ({"endpoint": "http://nowhere.invalid"}, BUCKET, bucket.AWAY),
        ({}, "oak-photos", bucket.MISSING),
    ],
)
async def test_a_wrong_setting_is_told_without_what_it_says(
    s3: S3, other: dict[str, str], name: str, sentence: str
) -> None:
    place = s3.bucket(name, **other)
    for thoroughly in (False, True):
        said = await place.why_not(thoroughly=thoroughly)
        assert said == sentence
        assert not any(
            secret in said for secret in (name, *vars(s3.owner).values(), *other.values())
        )
    with pytest.raises(StorageError, match="bucket"):
        await place.put("a", b"1", "image/jpeg")


async def test_who_may_only_read_is_found_out_at_the_start(s3: S3) -> None:
    place = s3.bucket(**vars(s3.reader))
    assert await place.why_not(thoroughly=True) == bucket.NOT_LET_IN


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[str, list[object]]]:
    """Takes connections and never says anything: its address, and who has come."""
    came: list[object] = []
    over = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)
        await over.wait()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", came
        over.set()


async def test_a_bucket_that_never_answers_holds_up_a_few_threads_and_nobody_else(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "WITHIN", 0.5)
    monkeypatch.setattr(bucket, "SPARED", 3600.0)
    async with silent() as (endpoint, came):
        place = s3.bucket(endpoint=endpoint)
        many = [place.read(f"{n}") for n in range(5 * bucket.THREADS)]
        answers = await asyncio.gather(*many, return_exceptions=True)
        assert all(isinstance(answer, StorageError) for answer in answers)
        assert 0 < len(came) <= bucket.THREADS
        before = len(came)
        with pytest.raises(StorageError):
            await place.read("next")
        assert len(came) == before, "for a while nobody waits for it again"


async def test_a_full_or_forbidden_folder_is_told_and_keeps_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Folder(tmp_path / "photos")
    await place.put("a", b"1", "image/jpeg")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        assert "no room left" in (await place.why_not(thoroughly=True) or "")
        disk.setattr(storage, "_chosen", place)
        with pytest.raises(Refusal, match="there is no room") as refused:
            await photos.store(pictures.plain())
        assert refused.value.status == 507
        with pytest.raises(StorageError):
            await place.put("a", b"22", "image/jpeg")
    assert [file.name for file in place.path.iterdir()] == ["a"]
    assert await place.read("a") == b"1"
    (tmp_path / "file").write_text("no folder")
    said = await Folder(tmp_path / "file").why_not(thoroughly=True)
    assert said is not None
    assert "cannot be used" in said
    assert str(tmp_path) not in said


async def test_a_street_whose_photos_are_in_a_bucket_goes_on_without_it(tmp_path: Path) -> None:
    with started(tmp_path) as s3:
        names = {name.upper(): value for name, value in s3.settings().items()}
        worker = await start_worker("bucket", port=0, **names)
        try:
            async with found_street((worker, worker)) as street:
                await _there_and_away(street, s3)
        finally:
            await worker.stop()


async def _there_and_away(street: Street, s3: S3) -> None:
    ada, ben = street.ada, street.ben
    drill = await ada.lists("Cordless drill")
    assert (await _health(ben))["photos"] == "ok"
    sent = await _hangs(ada, drill)
    path = f"{ada.home}/photos/{sent.json()['name']}"
    assert set(s3.in_it().values()) == {"image/jpeg"}
    small = await ben.client.get(f"{path}-480.webp")
    assert small.headers["content-type"] == "image/jpeg", "the one until the other is made"
    assert "immutable" not in small.headers["cache-control"]
    shown = await ben.client.get(f"{path}-1200.jpg")
    assert "immutable" in shown.headers["cache-control"]
    tag = {"If-None-Match": shown.headers["etag"]}
    assert (await ben.client.get(f"{path}-1200.jpg", headers=tag)).status_code == 304
    outside = await ben.client.get(f"/c/oak/photos/{sent.json()['name']}-1200.jpg", headers=tag)
    assert outside.status_code == 404, "who may not see it learns nothing from its tag"

    s3.process.stop()
    health = await _health(ben)
    assert (health["status"], health["photos"]) == ("degraded", bucket.AWAY)
    assert "Cordless drill" in await ben.opens(ben.home)
    for answer, sentence in (
        (await ben.client.get(f"{path}-1200.jpg"), "Photos cannot be shown right now."),
        (await _hangs(ada, drill), "nothing can be stored right now"),
    ):
        assert (answer.status_code, sentence in answer.text) == (503, True)
        assert "immutable" not in answer.headers["cache-control"]


async def _hangs(who: Neighbour, tool: int) -> httpx.Response:
    return await who.client.post(
        f"{who.home}/tools/{tool}/photos",
        files={"photo": ("1.jpg", pictures.from_a_phone(), "image/jpeg")},
        headers={"Accept": "application/json"},
    )


async def _health(who: Neighbour) -> dict[str, str]:
    found: dict[str, str] = (await who.client.get("/health")).json()
    return found
