"""Searching and counting what hangs on the wall."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.board import queries, states, wall
from app.board.search import Search
from app.db import Tx
from app.loans import commands as loans
from app.loans import handover, shelf
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.models import Tool
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW

GB = "en-GB"


async def lists(
    elm: Elm, name: str, category: str = "garden", brand: str = "", owner: Viewer | None = None
) -> Tool:
    text = ToolText(name=name, category=category, brand=brand)
    return await tools.list_tool(elm.tx, text, owner or elm.ada, NOW)


async def names(elm: Elm, like: str = "", category: str = "") -> list[str]:
    found = await wall.hanging(elm.tx, elm.here, Search.typed(like, category, False), NOW)
    return [tool.name for tool in await wall.tools_of(elm.tx, elm.here, found)]


async def test_a_tool_is_found_by_name_brand_and_category_in_any_case(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lists(elm, "Hedge trimmer", brand="Bosch")
    await lists(elm, "Ärmelschoner", "painting")
    for like in ("hedge", "TRIM", "bosch", "  hedge   bosch ", "garden hedge"):
        assert await names(elm, like) == ["Hedge trimmer"], like
    assert await names(elm, "ärmel") == ["Ärmelschoner"]
    assert await names(elm, "a\u0308rmel") == ["Ärmelschoner"]
    assert await names(elm, "hedge drill") == []


@pytest.mark.parametrize("like", ["%", "_", "\\", "100%", "a_b", "\\%"])
async def test_signs_mean_themselves(tx: Tx, like: str) -> None:
    elm = await elm_street(tx)
    await lists(elm, f"Odd {like} thing")
    assert await names(elm, like) == [f"Odd {like} thing"]


@pytest.mark.parametrize("like", ["\x00", "\x00drill", "drill\u202e", "'; --", "x" * 5000])
async def test_odd_searches_are_answered(tx: Tx, like: str) -> None:
    elm = await elm_street(tx)
    assert await names(elm, like) in ([], ["Drill"])
    assert await names(elm, category=like) in ([], ["Drill"])


async def test_a_category_shows_its_own_and_all_are_counted(tx: Tx) -> None:
    elm = await elm_street(tx)
    await lists(elm, "Spade")
    rake = await lists(elm, "Rake")
    await shelf.archive(tx, rake.id, elm.ada, NOW)
    assert await names(elm, category="garden") == ["Spade"]
    counted = {one.slug: n for one, n in await queries.category_counts(tx, elm.here)}
    assert (counted["garden"], counted["drills"], counted["saws"]) == (1, 1, 0)
    assert len(counted) == len(tools.CATEGORIES)


async def test_the_archive_is_off_the_board_and_a_paused_tool_is_on_it(tx: Tx) -> None:
    elm = await elm_street(tx)
    spade, rake = await lists(elm, "Spade"), await lists(elm, "Rake")
    await shelf.pause(tx, spade.id, elm.ada, NOW)
    await shelf.archive(tx, rake.id, elm.ada, NOW)
    assert await names(elm) == ["Drill", "Spade"]
    await shelf.restore(tx, rake.id, elm.ada, NOW)
    assert await names(elm) == ["Drill", "Rake", "Spade"]


async def test_the_board_of_another_street_is_not_searched(tx: Tx) -> None:
    elm, oak = await elm_street(tx), await elm_street(tx)
    await lists(oak, "Chainsaw", "saws")
    assert await names(elm, "chainsaw") == []
    found = await queries.on_the_board(tx, elm.here, only=[oak.drill.id, elm.drill.id])
    assert [tool.id for tool in found] == [elm.drill.id]


async def test_the_counters_count_each_tool_once(tx: Tx) -> None:
    elm = await elm_street(tx)
    wanted, late, paused = (
        await lists(elm, "Rake"),
        await lists(elm, "Saw"),
        await lists(elm, "Bin"),
    )
    await lists(elm, "Spade")
    await loans.request(tx, wanted.id, *elm.days(3), elm.ben, NOW)
    out = await loans.request(tx, late.id, *elm.days(0), elm.ben, NOW)
    await loans.approve(tx, out.id, elm.ada, NOW)
    await handover.hand_over(tx, out.id, elm.ada, NOW)
    await shelf.pause(tx, paused.id, elm.ada, NOW)
    await elm.promised(elm.cy, 0, 1)

    async def counted(now: datetime) -> list[int]:
        """Free, asked for, out, overdue, total: as the database says, and as each tool does."""
        told = await states.counts(tx, elm.here, now)
        on_it = await queries.on_the_board(tx, elm.here)
        each = [one.state for one in await queries.seen(tx, elm.here, on_it, now, GB)]
        kinds = [state.kind for state in each]
        assert told == {
            "free": sum(state.free_now for state in each),
            **{kind: kinds.count(kind) for kind in ("asked", "out", "overdue")},
            "total": len(each),
        }
        return list(told.values())

    assert await counted(NOW) == [2, 1, 1, 0, 5]
    assert await counted(NOW + DAY) == [2, 1, 0, 1, 5]
    assert await counted(NOW + 3 * DAY) == [3, 0, 0, 1, 5]
    await handover.claim_return(tx, out.id, elm.ben, NOW + DAY)
    assert await counted(NOW + 3 * DAY) == [3, 0, 1, 0, 5]


async def test_what_just_happened_names_no_borrower(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.promised(elm.ben, 1)
    lines = [str(line["text"]) for line in await queries.recent(tx, elm.here)]
    assert set(lines) == {"Drill was asked for", "Drill is promised", "New: Drill"}
    assert not any("Ben" in line for line in lines)


async def test_a_declined_request_is_nobodys_news(tx: Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.asked(elm.ben, 1)
    await loans.decline(tx, loan.id, elm.ada, NOW + HOUR, "No")
    lines = [line["text"] for line in await queries.recent(tx, elm.here)]
    assert "No" not in str(lines)
    assert len(lines) == 2


async def test_an_archived_tool_is_gone_from_the_news(tx: Tx) -> None:
    elm = await elm_street(tx)
    await elm.asked(elm.ben, 1)
    await shelf.archive(tx, elm.drill.id, elm.ada, NOW)
    assert await queries.recent(tx, elm.here) == []


async def test_the_news_is_short(tx: Tx) -> None:
    elm = await elm_street(tx)
    for n in range(queries.RECENT + 3):
        await lists(elm, f"Rake {n}")
    news = await queries.recent(tx, elm.here)
    assert len(news) == queries.RECENT
    assert len({line["id"] for line in news}) == queries.RECENT
