"""Watches: whom a tool that is listed or comes free is told, once a day, and whom it is not."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from app import clock, db, topic
from app.board import mine, watching
from app.board.search import Search
from app.errors import NotFound, Refusal
from app.loans import blackouts, correct, handover, incidents, shelf
from app.loans import commands as loans
from app.loans.states import State
from app.members import blocks
from app.members import commands as members
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.queue import Job
from app.tools import categories
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.watches import LOOK, Watch
from tests.inventory.tables import brought, csv
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.neighbours import Street
from tests.people.living import NOW
from tests.tools.test_categories import shelf as shelf_of


def search(q: str, category: str = "") -> Search:
    return Search.typed(q, category, free=False)


async def looked(elm: Elm, now: datetime = NOW) -> None:
    """Runs the looks that are due by then, as the job loop would."""
    due = select(Job).where(
        Job.name == LOOK, Job.run_at <= now, Job.key.startswith(f"{elm.here.id}/")
    )
    while jobs := (await elm.tx.scalars(due)).all():
        for job in jobs:
            key = job.key
            await elm.tx.delete(job)
            await elm.tx.flush()
            await watching.look(elm.tx, key, now)


async def told(elm: Elm, who: Viewer) -> list[str]:
    rows = await elm.tx.scalars(
        select(Notice)
        .where(Notice.person_id == who.person_id, Notice.kind == Kind.WATCHED)
        .order_by(Notice.id)
    )
    return [one.facts["tool"] for one in rows]


async def listed(elm: Elm, who: Viewer) -> list[dict[str, str]]:
    """In My things."""
    found: Any = (await mine.things(elm.tx, who, NOW))["watches"]
    return list(found)


async def lists(elm: Elm, who: Viewer, name: str, now: datetime = NOW) -> int:
    text = ToolText(name=name, category="cleaning")
    return (await tools.list_tool(elm.tx, text, who, now)).id


async def test_what_is_listed_is_told_once_a_day_to_whom_it_fits(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await watching.keep(tx, search("presure washer"), elm.ben, NOW)  # a typo, forgiven
    await watching.keep(tx, search("", "cleaning"), elm.cy, NOW)
    await watching.keep(tx, search("tent"), elm.cora, NOW)
    await watching.keep(tx, search("washer"), elm.ada, NOW)
    await lists(elm, elm.ada, "Pressure washer")
    await looked(elm)
    await lists(elm, elm.ada, "Small pressure washer")
    await looked(elm)
    assert await told(elm, elm.ben) == await told(elm, elm.cy) == ["Pressure washer"]
    assert await told(elm, elm.cora) == await told(elm, elm.ada) == []
    await lists(elm, elm.ada, "Third pressure washer", NOW + DAY)
    await looked(elm, NOW + DAY)
    assert (await told(elm, elm.ben))[1:] == ["Third pressure washer"]


async def test_what_comes_free_is_told_when_it_is_and_nothing_that_was_free(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await watching.keep(tx, search("drill"), elm.cy, NOW)
    later = await elm.promised(elm.ben, 5)
    await loans.cancel(tx, later.id, elm.ben, NOW, "")
    await looked(elm)
    assert await told(elm, elm.cy) == [], "it was free all the time"
    loan = await elm.out(elm.ben, 0)
    await handover.take_back(tx, loan.id, elm.ada, NOW + 2 * DAY)  # late: no row blocks it by then
    await looked(elm, NOW + 2 * DAY)
    assert await told(elm, elm.cy) == ["Drill"]
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW + 3 * DAY)
    await looked(elm, NOW + 3 * DAY)
    assert len(await told(elm, elm.cy)) == 1
    await shelf.resume(tx, elm.drill.id, elm.ada, NOW + 3 * DAY + HOUR)
    await looked(elm, NOW + 3 * DAY + HOUR)
    assert len(await told(elm, elm.cy)) == 2
    await blackouts.black_out(tx, elm.drill.id, *elm.days(5), elm.ada, NOW + 4 * DAY)
    await looked(elm, NOW + 4 * DAY)
    assert len(await told(elm, elm.cy)) == 2


async def test_a_tool_that_is_taken_again_by_then_is_not_told(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await watching.keep(tx, search("drill"), elm.cy, NOW)
    loan = await elm.promised(elm.ben, 0)
    await loans.cancel(tx, loan.id, elm.ben, NOW, "")
    await elm.promised(elm.cora, 0)
    await looked(elm)
    assert await told(elm, elm.cy) == []


async def test_nothing_is_told_across_a_block_nor_to_who_is_suspended_or_left(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    for who in (elm.ben, elm.cy, elm.cora):
        await watching.keep(tx, search("washer"), who, NOW)
    await blocks.block(tx, elm.ada.person_id, elm.ben, NOW)
    await members.suspend(tx, elm.cy.person_id, elm.cora, NOW)
    await lists(elm, elm.ada, "Pressure washer")
    await looked(elm)
    assert [len(await told(elm, who)) for who in (elm.ben, elm.cy, elm.cora)] == [0, 0, 1]
    await members.leave(tx, elm.ben, NOW)
    left = select(func.count()).where(Watch.person_id == elm.ben.person_id)
    assert await tx.scalar(left) == 0


async def test_a_watch_is_kept_once_shown_in_my_things_and_ended(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    watch = await watching.keep(tx, search("Pressure  WASHER", "cleaning"), elm.ben, NOW)
    again = await watching.keep(tx, search("pressure washer", "cleaning"), elm.ben, NOW)
    assert again.id == watch.id
    (shown,) = await listed(elm, elm.ben)
    assert shown["said"] == "“pressure washer” in Cleaning"
    assert shown["path"].endswith("?q=pressure+washer&category=cleaning&free=1")
    with pytest.raises(NotFound):
        await watching.end(tx, watch.id, elm.cy)
    await watching.end(tx, watch.id, elm.ben)
    assert await listed(elm, elm.ben) == []
    for wrong, field in ((search(" "), "q"), (search("drill", "no-such-shelf"), "category")):
        with pytest.raises(Refusal) as refused:
            await watching.keep(tx, wrong, elm.ben, NOW)
        assert refused.value.field_name == field
    for n in range(watching.MOST):
        await watching.keep(tx, search(f"thing {n}"), elm.ben, NOW)
    with pytest.raises(Refusal, match="20 searches"):
        await watching.keep(tx, search("one more"), elm.ben, NOW)


async def test_what_comes_in_a_table_is_told_as_what_is_listed(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await watching.keep(tx, search("ladder"), elm.cy, NOW)
    rows = (("l1", "Ladder", "ladders", "paused"), ("l2", "Old ladder", "ladders", "listed"))
    await brought(tx, elm.ada, csv(*rows, header=("key", "name", "category", "status")))
    await looked(elm)
    assert await told(elm, elm.cy) == ["Old ladder"]


async def test_a_watch_goes_where_its_category_goes_or_ends_with_it(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    drills, saws, party = [await shelf_of(elm, slug) for slug in ("drills", "saws", "party")]
    for words, category in (("", "saws"), ("", "party"), ("lamp", "party"), ("lamp", "drills")):
        await watching.keep(tx, search(words, category), elm.ben, NOW)
    await watching.keep(tx, search("lamp", "party"), elm.cy, NOW)
    await categories.remove(tx, party.id, drills.id, elm.cora)
    kept = [(one.words, one.category) for one in await watching.kept_by(tx, elm.ben)]
    assert kept == [("", "saws"), ("", "drills"), ("lamp", "drills")], "one of each"
    assert [one["said"] for one in await listed(elm, elm.cy)] == ["“lamp” in Drills and drivers"]
    text = ToolText(name="Work lamp", category="drills")
    await tools.list_tool(tx, text, elm.ada, NOW)
    await looked(elm)
    assert await told(elm, elm.cy) == ["Work lamp"]
    await categories.remove(tx, saws.id, None, elm.cora)
    assert len(await listed(elm, elm.ben)) == 2


async def test_very_many_watches_are_looked_through_in_turn(
    tx: db.Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "AT_ONCE", 1)
    elm = await elm_street(tx)
    for who in (elm.ben, elm.cy, elm.cora):
        await watching.keep(tx, search("washer"), who, NOW)
    await lists(elm, elm.ada, "Pressure washer")
    await looked(elm)
    assert [len(await told(elm, who)) for who in (elm.ben, elm.cy, elm.cora)] == [1, 1, 1]


async def test_a_long_search_in_any_letters_is_watched_and_comes_back(street: Street) -> None:
    ben, home = street.ben, street.here.path
    there = f"{home}?{urlencode({'q': 'ж' * 100})}"
    page = await ben.opens(there)
    assert f'name="back" value="{there}"' in page
    assert await ben.does(f"{home}/watches", q="ж" * 100, back=there) == there
    assert "You are told when one is listed" in await ben.opens(there)


async def test_two_tools_at_once_tell_once_and_the_bell_leads_to_the_search(street: Street) -> None:
    ben, home = street.ben, street.here.path
    await ben.does(f"{home}/watches", q="washer", back=f"{home}?q=washer")
    assert "You are told when one is listed" in await ben.opens(f"{home}?q=washer")
    bell = topic.notices(ben.id)
    async with ben.watches(bell) as screen:
        await asyncio.gather(street.ada.lists("Pressure washer"), street.cora.lists("Washer"))
        await screen.shows(bell, "You look for “washer”")
    async with db.snapshot() as tx:
        rows = await tx.scalars(
            select(Notice).where(Notice.person_id == ben.id, Notice.kind == Kind.WATCHED)
        )
        (one,) = rows.all()
        watch = await tx.scalar(select(Watch).where(Watch.person_id == ben.id))
    assert watch is not None
    assert watch.told_on == clock.local_day(clock.now(), street.here.zone)
    assert one.subject == topic.watch(street.here.id, watch.id)
    there = await ben.client.get(f"{home}/watches/{watch.id}")
    assert there.headers["location"] == f"{home}?q=washer&free=1"
    assert (await street.cy.client.get(f"{home}/watches/{watch.id}")).status_code == 404
    await ben.does(f"{home}/watches/{watch.id}/end")
    assert "Tell me when one is listed" in await ben.opens(f"{home}?q=washer")


async def test_what_is_free_again_after_a_dispute_a_no_show_or_a_correction_is_told(
    tx: db.Tx,
) -> None:
    elm = await elm_street(tx)
    await watching.keep(tx, search("drill"), elm.cy, NOW)
    lent = await elm.out(elm.ben, 0)
    at = lent.end + 2 * DAY  # no row blocks it by then
    case = await incidents.open_incident(tx, lent.id, elm.ada, at, "damage", "Bent.", dispute=True)
    terms = incidents.Terms("Never mind.")
    await incidents.offer(tx, lent.id, case.id, elm.ada, at, terms)
    await incidents.accept(tx, lent.id, case.id, elm.ben, at)
    await looked(elm, at)
    assert len(await told(elm, elm.cy)) == 1
    missed = await elm.promised(elm.ben, 6, 9)
    at = missed.start + 2 * DAY
    await handover.no_show(tx, missed.id, elm.ada, at)
    await looked(elm, at)
    assert len(await told(elm, elm.cy)) == 2
    lent = await elm.promised(elm.ben, 12)
    await handover.hand_over(tx, lent.id, elm.ada, lent.start)
    at = lent.end + 2 * DAY
    truth = correct.Truth(State.CLOSED, "So it was.", back_at=at)
    await correct.correct(tx, lent.id, elm.cora, at, truth)
    await looked(elm, at)
    assert len(await told(elm, elm.cy)) == 3
