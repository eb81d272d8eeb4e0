"""A table comes in: each row's fate before, all of it or nothing after, and the same once only."""

from __future__ import annotations

import os
from datetime import time, timedelta

import pytest
from sqlalchemy import func, select

from app import storage
from app.board import watching
from app.board.search import Search
from app.db import Tx
from app.errors import NotFound, Refusal
from app.inventory import bringing_in, columns, held_here, running, waiting_room
from app.loans import alone
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.queue import Job
from app.storage import StorageError
from app.tools import album, commands, photos
from app.tools import queries as tools
from app.tools.commands import ToolText
from app.tools.lending import Lending, Window
from app.tools.models import Tool
from app.tools.watches import LOOK
from tests.inventory.tables import (
    HEADER,
    brought,
    csv,
    exported,
    fates,
    looked,
    run,
    street,
    why,
    zipped,
)
from tests.people.living import NOW
from tests.tools import pictures

DRILL = ("d1", "Drill", "drills", "2.50")


async def count(tx: Tx, by: Viewer) -> int:
    found = select(func.count()).where(Tool.community_id == by.community_id)
    return await tx.scalar(found) or 0


async def with_everything(tx: Tx, ada: Viewer) -> None:
    """A tool that uses each field there is, with two photos; and one that uses none."""
    text = ToolText(
        name="=Drill; “big”, 18 V",
        category="drills",
        brand="-Makita",
        description='Two batteries,\nand a "case".\n@home',
        skill="expert",
        price_cents=250,
        parts="Charger\nBits, small",
        self_service=True,
    )
    tool = await commands.list_tool(tx, text, ada, NOW)
    windows = (
        Window(0, time(17), time(20)),
        Window(1, time(17), time(20)),
        Window(5, time(9), time(12)),
    )
    rules = Lending(2, 3, 4, 50, 6, windows, 2000, True, "+Wear glasses.")
    await commands.set_terms(tx, tool, rules, ada, NOW)
    await alone.change_box(tx, tool.id, "Behind\nthe pot", "=0815", ada, NOW)
    shots = [
        album.photo_of(tool, await photos.store(pictures.plain(60 + n)), ada, NOW, alt=alt)
        for n, alt in enumerate(("", "The case"))
    ]
    await album.arrange(tx, tool, shots, NOW)
    await commands.list_tool(tx, ToolText(name="Saw", category="saws"), ada, NOW)


async def test_export_import_export_loses_nothing(tx: Tx) -> None:
    ada, _ = await street(tx)
    await with_everything(tx, ada)
    first = await exported(tx, ada)
    files = {
        f"some/folder/{name}": (
            pictures.folder() / photos.name_of(photo.name, 1200, "jpg")
        ).read_bytes()
        for one in await held_here.exported_by(tx, ada)
        for name, photo in zip(one.names, one.photos, strict=True)
    }
    assert len(files) == 2
    zoe, _ = await street(tx)
    found = await brought(tx, zoe, first, zipped(files))
    assert (found.state, fates(found)) == ("done", [(2, "new"), (3, "new")])
    assert await exported(tx, zoe) == first
    drill = (await held_here.held_by(tx, zoe))[0]
    assert [photo.alt for photo in drill.photos] == ["", "The case"], "each with its own text"
    again = await looked(tx, zoe, first, zipped(files))
    assert fates(again) == [(2, "same"), (3, "same")]
    with pytest.raises(Refusal, match="nothing to import"):
        await bringing_in.start(tx, again.id, zoe, NOW)
    assert fates(await looked(tx, ada, first)) == [(2, "same"), (3, "same")], (
        "also at home, without the zip"
    )


async def test_each_row_says_what_would_become_of_it_and_nothing_happens_before_the_yes(
    tx: Tx,
) -> None:
    ada, _ = await street(tx)
    await brought(tx, ada, csv(DRILL, ("s1", "Saw", "saws", "")))
    found = await looked(
        tx,
        ada,
        csv(
            ("d1", "Drill", "Drills and Drivers", "3"),
            ("s1", "Saw", "saws", "0"),
            ("l1", "Ladder", "ladders", ""),
            ("x", "", "kitchen", "cheap"),
        ),
    )
    assert fates(found) == [(2, "changes"), (3, "same"), (4, "new"), (5, "refused")]
    assert found.fates[0]["changes"] == ["price"]
    assert [column for column, _ in why(found, 5)] == ["name", "price", "category"]
    assert all(sentence.endswith(".") for _, sentence in why(found, 5))
    assert await count(tx, ada) == 2
    await run(tx, await bringing_in.start(tx, found.id, ada, NOW), ada)
    assert (found.state, found.done, found.of) == ("done", 2, 2)
    prices = await tx.execute(
        select(Tool.key, Tool.price_cents).where(Tool.community_id == ada.community_id)
    )
    assert dict(prices.all()) == {"d1": 300, "s1": 0, "l1": 0}


MISTAKES = {
    "name": ("x" * 81, "A name may have 80"),
    "category": ("kitchenware", "no such category"),
    "brand": ("x" * 81, "A brand may have"),
    "description": ("x" * 4001, "A description may have"),
    "price": ("-1", "not a price"),
    "parts": ("x" * 81, "The list may have"),
    "belongs_to": ("community", "Only a coordinator"),
    "status": ("archived", "not known here"),
    "self_service": ("perhaps", "neither yes nor no"),
    "key_place": ("x" * 301, "300 characters"),
    "key_code": ("x" * 41, "40 characters"),
    "shortest_hours": ("169", "from 0 to 168"),
    "longest_days": ("0", "from 1 to 60"),
    "notice_hours": ("1.5", "from 0 to 336"),
    "horizon_days": ("²", "from 1 to 180"),
    "buffer_hours": ("-1", "from 0 to 168"),
    "windows": ("Someday 9-12", "no day with its hours"),
    "skill": ("wizard", "not known here"),
    "deposit": ("2000", "between 0 and"),
    "auto_approve": ("?", "neither yes nor no"),
    "safety": ("x" * 1001, "1000 characters"),
    "photos": ("gone.jpg", "no zip came with it"),
    "photo_texts": ("A text", "more texts than photos"),
    "key": ("x" * 81, "80 characters"),
}


async def test_thousands_of_rows_with_every_kind_of_error(tx: Tx) -> None:
    """5,000 rows: each mistake is told with its row and column, all others come, and once only."""
    ada, _ = await street(tx)
    names = [column.name for column in columns.ALL]
    assert set(MISTAKES) == set(names)
    right = {"key": "", "name": "Drill", "category": "drills", "longest_days": "5"}
    rows, wrong = [], {}
    for number in range(2, 5002):
        row = right | {"key": f"k{number}", "name": f"Drill {number}"}
        if number % 10 == 0:
            name = list(MISTAKES)[number // 10 % len(MISTAKES)]
            row[name], wrong[number] = MISTAKES[name][0], name
        rows.append([f'"{row.get(name, "")}"' for name in names])
    table = csv(*rows, header=names)
    found = await looked(tx, ada, table)
    assert len(found.fates) == 5000
    for number, name in wrong.items():
        column, sentence = (
            why(found, number)[0] if number < 400 else found.fates[number - 2]["why"][0]
        )
        assert column == name
        assert MISTAKES[name][1] in sentence, (name, sentence)
    assert sum(kind == "new" for _, kind in fates(found)) == 5000 - len(wrong)
    await run(tx, await bringing_in.start(tx, found.id, ada, NOW), ada)
    assert found.state == "done"
    assert await count(tx, ada) == 5000 - len(wrong)
    second = await looked(tx, ada, table)
    assert {kind for _, kind in fates(second)} == {"same", "refused"}


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("d1,Saw,saws", "", "fewer cells than the header"),
        ("d1,Saw,saws,1,2", "", "more cells than the header"),
        ("key,name,category,price", "", "header once more"),
        ("d1,Saw,saws,1", "key", "stands in row 2, too"),
    ],
)
async def test_a_row_that_fits_nowhere_is_told(tx: Tx, row: str, column: str, said: str) -> None:
    ada, _ = await street(tx)
    found = await looked(tx, ada, csv(DRILL, row.split(",")))
    assert fates(found) == [(2, "new"), (3, "refused")]
    assert why(found, 3)[0][0] == column
    assert said in why(found, 3)[0][1]


@pytest.mark.parametrize(
    ("name", "cell", "said"),
    [
        ("buffer_hours", "0" * 9 + "169", "from 0 to 168"),
        ("buffer_hours", "0" * 5000, "from 0 to 168"),
        ("windows", "Sat-Mon 09:00-12:00", "no day with its hours"),
    ],
)
async def test_what_only_looks_right_is_refused(tx: Tx, name: str, cell: str, said: str) -> None:
    ada, _ = await street(tx)
    found = await looked(tx, ada, csv((*DRILL, cell), header=(*HEADER, name)))
    assert fates(found) == [(2, "refused")]
    assert said in why(found, 2)[0][1]


async def test_a_column_is_named_shortly_however_long_its_name(tx: Tx) -> None:
    ada, _ = await street(tx)
    found = await looked(tx, ada, csv((*DRILL, ""), header=(*HEADER, "x" * 100_000)))
    assert found.warnings == [f"The column {'x' * 80} is not known, and passed over."]


async def test_what_the_table_lacks_is_told_and_what_it_has_too_much_is_passed_over(tx: Tx) -> None:
    ada, _ = await street(tx)
    with pytest.raises(Refusal, match="column category is missing"):
        await looked(tx, ada, b"name,price\nDrill,1\n")
    with pytest.raises(Refusal, match="a column id and a column key"):
        await looked(tx, ada, b"id,key,name,category\n1,1,Drill,drills\n")
    found = await looked(tx, ada, b"name,category,colour\nDrill,drills,red\n")
    assert [
        word in text for word, text in zip(("colour", "no column key"), found.warnings, strict=True)
    ] == [True, True]
    await brought(tx, ada, csv(DRILL))
    changed = await brought(tx, ada, b"id,price\nd1,9\n")
    assert (changed.state, changed.fates[0]["changes"]) == ("done", ["price"])
    assert changed.fates[0]["name"] == "Drill", "it has one, though the table does not say it"
    twice = await looked(tx, ada, b"id,Key place\nd1,Shed\nID,Key place\n")
    assert "header once more" in why(twice, 3)[0][1]
    left = await looked(tx, ada, b"id,price\nnew,9\n")
    assert why(left, 2) == [("name", "A new tool needs the column name.")]


async def test_what_changed_since_the_look_stops_all_of_it(tx: Tx) -> None:
    ada, _ = await street(tx)
    await brought(tx, ada, csv(DRILL))
    found = await looked(tx, ada, csv(("d1", "Drill", "drills", "4"), ("n", "Saw", "saws", "")))
    await bringing_in.start(tx, found.id, ada, NOW)
    (drill,) = await tools.tools_of(tx, ada)
    await commands.edit(tx, drill.id, ToolText(price_cents=400), ada, NOW)
    await run(tx, found, ada)
    assert (found.state, fates(found)) == ("looked", [(2, "same"), (3, "new")])
    assert "Nothing was imported" in found.said
    assert await count(tx, ada) == 1
    await run(tx, await bringing_in.start(tx, found.id, ada, NOW), ada)
    assert (found.state, await count(tx, ada)) == ("done", 2)


async def test_a_photo_that_is_none_stops_all_of_it_and_names_its_rows(tx: Tx) -> None:
    ada, _ = await street(tx)
    before = await pictures.kept()
    header = ("key", "name", "category", "photos")
    table = csv(
        ("a", "Drill", "drills", "good.jpg"), ("b", "Saw", "saws", "bad.jpg"), header=header
    )
    files = {"good.jpg": pictures.plain(), "bad.jpg": b"<svg/>"}
    found = await looked(tx, ada, table, zipped(files))
    assert fates(found) == [(2, "new"), (3, "new")]
    await run(tx, await bringing_in.start(tx, found.id, ada, NOW), ada)
    assert found.state == "stopped"
    assert (found.fates[0]["why"], found.fates[1]["why"][0][0]) == ([], "photos")
    assert await count(tx, ada) == 0
    assert await pictures.kept() == before, "nothing is left behind"


async def test_files_are_there_until_it_is_so_that_it_is_over(tx: Tx) -> None:
    """Whatever is rolled back finds them again."""
    ada, _ = await street(tx)
    found = await looked(tx, ada, csv(DRILL))
    table = waiting_room.table(found.stored)
    await bringing_in.start(tx, found.id, ada, NOW)
    for _ in range(2):
        async with tx.begin_nested() as half:
            await running.run(tx, f"{ada.community_id}/{found.id}", NOW)
            assert (found.state, table.exists()) == ("done", True)
            await half.rollback()
        await tx.refresh(found)
    await run(tx, found, ada)
    assert (found.state, table.exists()) == ("done", False)


async def test_a_photo_that_goes_while_it_comes_in_is_taken_out_of_the_zip(tx: Tx) -> None:
    ada, _ = await street(tx)
    header = ("key", "name", "category", "photos")
    files = {"one.jpg": pictures.plain(), "two.jpg": pictures.plain(20)}
    await brought(tx, ada, csv(("a", "Chair", "party", "one.jpg"), header=header), zipped(files))
    table = csv(("a", "Chair", "party", '"one.jpg\ntwo.jpg"'), header=header)
    found = await looked(tx, ada, table, zipped(files))
    await bringing_in.start(tx, found.id, ada, NOW)
    await running.run(tx, f"{ada.community_id}/{found.id}", NOW)
    assert set(found.staged) == {"two.jpg"}, "the other one hangs there already"
    (chair,) = await tools.tools_of(tx, ada)
    await album.arrange(tx, chair, [], NOW)
    await run(tx, found, ada)
    assert (found.state, found.done, found.of) == ("done", 3, 3)
    (held,) = await held_here.held_by(tx, ada)
    assert list(held.names) == ["one.jpg", "two.jpg"]


async def test_a_photo_that_is_not_needed_any_more_is_not_left_behind(tx: Tx) -> None:
    ada, _ = await street(tx)
    header = ("key", "name", "category", "photos")
    chair, saw = ("a", "Chair", "party", "one.jpg"), ("b", "Saw", "saws", "")
    files = {"one.jpg": pictures.plain()}
    found = await looked(tx, ada, csv(chair, saw, header=header), zipped(files))
    await bringing_in.start(tx, found.id, ada, NOW)
    await running.run(tx, f"{ada.community_id}/{found.id}", NOW)
    assert set(found.staged) == {"one.jpg"}
    await brought(tx, ada, csv(chair, header=header), zipped(files))
    before = await pictures.kept()
    (staged,) = found.staged.values()
    await run(tx, found, ada)
    assert (found.state, fates(found)) == ("looked", [(2, "same"), (3, "new")])
    await run(tx, await bringing_in.start(tx, found.id, ada, NOW), ada)
    assert (found.state, found.staged) == ("done", {})
    gone = before - await pictures.kept()
    assert {file.name.partition("-")[0] for file in gone} == {staged[0]}


async def test_two_tools_may_show_one_file_and_photos_change_order_without_a_zip(tx: Tx) -> None:
    ada, _ = await street(tx)
    header = ("key", "name", "category", "photos")
    table = csv(
        ("a", "Chair", "party", '"one.jpg\ntwo.jpg"'),
        ("b", "Chair", "party", "one.jpg"),
        header=header,
    )
    await brought(
        tx, ada, table, zipped({"one.jpg": pictures.plain(), "two.jpg": pictures.plain(20)})
    )
    chairs = {one.tool.key: one for one in await held_here.held_by(tx, ada)}
    assert list(chairs["a"].names) == ["one.jpg", "two.jpg"]
    assert chairs["a"].tool.photo_id == chairs["a"].photos[0].id
    assert len({photo.name for one in chairs.values() for photo in one.photos}) == 3
    assert fates(await looked(tx, ada, table)) == [(2, "same"), (3, "same")], "once only"
    turned = await brought(
        tx, ada, csv(("a", "Chair", "party", '"two.jpg\none.jpg"'), header=header)
    )
    assert turned.state == "done"
    chairs = {one.tool.key: one for one in await held_here.held_by(tx, ada)}
    assert list(chairs["a"].names) == ["two.jpg", "one.jpg"]


async def test_a_copied_row_shows_the_same_photo_and_no_two_files_share_a_name(tx: Tx) -> None:
    """As the export names it: the row that was copied stands before the one it came from."""
    ada, _ = await street(tx)
    header = ("key", "name", "category", "photos")
    await brought(tx, ada, csv(("b", "Chair", "party", ""), header=header))
    (chair,) = await held_here.held_by(tx, ada)
    shot = album.photo_of(chair.tool, await photos.store(pictures.plain()), ada, NOW)
    await album.arrange(tx, chair.tool, [shot], NOW)
    ours = f"{shot.name}.jpg"
    table = csv(("b", "Chair", "party", ours), ("a", "A chair", "party", ours), header=header)
    await brought(tx, ada, table, zipped({ours: pictures.plain()}))
    held = await held_here.held_by(tx, ada)
    assert [one.tool.key for one in held] == ["a", "b"]
    assert len({name for one in held for name in one.names}) == 2
    assert fates(await looked(tx, ada, table)) == [(2, "same"), (3, "same")]
    twice = csv(("a", "A chair", "party", f'"{ours}\n{held[0].names[0]}"'), header=header)
    assert why(await looked(tx, ada, twice), 2)[0][0] == "photos"


async def test_photos_that_cannot_be_stored_right_now_are_tried_again(
    tx: Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = await street(tx)
    before = await pictures.kept()
    header = ("key", "name", "category", "photos")
    table = csv(("a", "Chair", "party", "1.jpg"), ("b", "Saw", "saws", "2.jpg"), header=header)
    files = {"1.jpg": pictures.plain(), "2.jpg": pictures.plain(20)}
    found = await looked(tx, ada, table, zipped(files))
    await bringing_in.start(tx, found.id, ada, NOW)
    place, left = storage.kept(), 1
    put = place.put

    async def once_only(name: str, content: bytes, kind: str) -> None:
        nonlocal left
        if name.endswith("-480.webp"):
            left -= 1
        if left < 0:
            raise StorageError("It does not answer.")
        await put(name, content, kind)

    with monkeypatch.context() as network:
        network.setattr(place, "put", once_only)
        with pytest.raises(Refusal, match="right now"):
            async with tx.begin_nested():
                await running.run(tx, f"{ada.community_id}/{found.id}", NOW)
    await tx.refresh(found)
    assert (found.state, [kept for kept in found.staged.values() if kept]) == ("running", [])
    assert await pictures.kept() == before
    await run(tx, found, ada)
    assert (found.state, await count(tx, ada)) == ("done", 2)
    assert len(await pictures.kept() - before) == 2 * len(photos.COPIES)


async def test_a_coordinator_brings_what_is_the_communitys_and_nobody_touches_anothers(
    tx: Tx,
) -> None:
    ada, cora = await street(tx)
    header = (*("key", "name", "category"), "belongs_to")
    await brought(tx, ada, csv(("1", "Drill", "drills", "me"), header=header))
    found = await brought(
        tx, cora, csv(("1", "Tent", "party", "community"), ("2", "Saw", "saws", ""), header=header)
    )
    assert found.state == "done"
    assert b"Drill" not in await exported(tx, cora)
    assert b"Tent" in await exported(tx, cora)
    assert b"Tent" not in await exported(tx, ada)
    with pytest.raises(NotFound):
        await held_here.import_for(tx, ada, found.id)


async def test_who_watches_is_told_of_what_came_in(tx: Tx) -> None:
    ada, cora = await street(tx)
    await watching.keep(tx, Search.typed("saw", "", free=False), cora, NOW)
    header = ("key", "name", "category", "status")
    rows = (("1", "Drill", "drills", ""), ("2", "Saw", "saws", ""), ("3", "Saw", "saws", "paused"))
    await brought(tx, ada, csv(*rows, header=header))
    looks = select(Job.key, Job.run_at).where(
        Job.name == LOOK, Job.key.startswith(f"{ada.community_id}/")
    )
    keys = (await tx.execute(looks.order_by(Job.run_at))).all()
    assert len(keys) == 2, "nobody can ask for what is paused"
    for key, at in keys:
        await watching.look(tx, key, at)
    notices = await tx.scalars(select(Notice).where(Notice.person_id == cora.person_id))
    assert [one.facts["tool"] for one in notices if one.kind == Kind.WATCHED] == ["Saw"]


async def test_what_was_never_started_is_forgotten(tx: Tx) -> None:
    ada, _ = await street(tx)
    found = await looked(tx, ada, csv(DRILL))
    file = waiting_room.table(found.stored)
    await bringing_in.forget_old(tx, NOW + timedelta(days=3))
    await tx.flush()
    with pytest.raises(NotFound):
        await held_here.import_for(tx, ada, found.id)
    assert not file.exists()
    first = await looked(tx, ada, csv(DRILL))
    for _ in range(bringing_in.OPEN_MOST):
        last = await looked(tx, ada, csv(DRILL))
    assert (await held_here.import_for(tx, ada, last.id)).state == "looked"
    assert (first.state, first.said) == ("stopped", bringing_in.REPLACED)
    with pytest.raises(Refusal, match="has ended"):
        await bringing_in.start(tx, first.id, ada, NOW)


async def test_files_that_nothing_names_go_after_some_days(tx: Tx) -> None:
    ada, _ = await street(tx)
    waits = waiting_room.table((await looked(tx, ada, csv(DRILL))).stored)
    left, new = (waiting_room.table(waiting_room.keep(b"", None)) for _ in range(2))
    long_ago = left.stat().st_mtime - bringing_in.KEPT.total_seconds() - 60
    for file in (left, waits):
        os.utime(file, (long_ago, long_ago))
    await bringing_in.forget_old(tx, NOW)
    assert [file.exists() for file in (left, new, waits)] == [False, True, True]
