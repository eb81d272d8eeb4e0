"""Looking after a tool: broken, missing, repaired, in order; and its past, for whom it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from app import db, topic
from app.errors import Refusal
from app.loans import handover, past, repairs, shelf, unsafe
from app.loans.models import Loan
from app.loans.states import State
from app.members import blocks
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools.models import ToolStatus
from app.tools.upkeep import UpkeepKind
from tests.loans.living import DAY, HOUR, TODAY, Elm, elm_street
from tests.neighbours import Street
from tests.people.living import NOW


async def told(elm: Elm, who: Viewer) -> list[Kind]:
    rows = await elm.tx.scalars(
        select(Notice.kind).where(Notice.person_id == who.person_id).order_by(Notice.id)
    )
    return [Kind(kind) for kind in rows]


async def seen(elm: Elm, who: Viewer) -> Mapping[str, Any] | None:
    return await past.of_tool(elm.tx, who, elm.drill, NOW)


@pytest.mark.parametrize(
    ("kind", "status", "hears"),
    [
        (UpkeepKind.BROKEN, ToolStatus.MAINTENANCE, Kind.TOOL_BROKEN),
        (UpkeepKind.MISSING, ToolStatus.MISSING, Kind.TOOL_MISSING),
    ],
)
async def test_whoever_it_is_promised_to_hears_that_it_is_off_and_in_order_again(
    tx: db.Tx, kind: UpkeepKind, status: ToolStatus, hears: Kind
) -> None:
    elm = await elm_street(tx)
    promised, asked = await elm.promised(elm.ben, 1), await elm.asked(elm.cy, 3)
    await repairs.mark(tx, elm.drill.id, kind, " The  chuck\nis stuck. ", elm.ada, NOW)
    assert elm.drill.status == status
    states = {one.id: one.state for one in await tx.scalars(select(Loan))}
    assert states[promised.id] == State.APPROVED, "what is promised stands"
    assert states[asked.id] == State.DECLINED
    assert (await told(elm, elm.ben))[-1] == hears
    with pytest.raises(Refusal):
        await repairs.mark(tx, elm.drill.id, kind, "", elm.ada, NOW)
    await repairs.mend(tx, elm.drill.id, "New chuck.", elm.ada, NOW + DAY)
    assert elm.drill.status == ToolStatus.LISTED
    assert (await told(elm, elm.ben))[-1] == Kind.TOOL_IN_ORDER
    lines = await repairs.lines_of(tx, elm.drill)
    assert [(one.kind, one.words) for one in lines] == [
        (UpkeepKind.IN_ORDER, "New chuck."),
        (kind, "The chuck is stuck."),
    ]


async def test_what_others_find_is_a_line_of_its_past_without_their_words(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.out(elm.ben, 0)
    await unsafe.mark(tx, loan.id, elm.ben, NOW, "The cable is bare.")
    await shelf.resume(tx, elm.drill.id, elm.ada, NOW)
    lines = await repairs.lines_of(tx, elm.drill)
    assert [(one.kind, one.words) for one in lines] == [
        (UpkeepKind.IN_ORDER, ""),
        (UpkeepKind.BROKEN, ""),
    ]


async def test_a_neighbour_reads_counts_and_repairs_its_lender_names_and_costs(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    first = await elm.out(elm.ben, 0)
    await handover.take_back(tx, first.id, elm.ada, NOW + 5 * HOUR)
    later = NOW + 6 * HOUR
    second = await elm.out(elm.cy, 0, now=later)
    await handover.take_back(tx, second.id, elm.ada, later + 2 * HOUR)
    await repairs.note(tx, elm.drill.id, TODAY, "New cable", 1250, elm.ada, later)
    adas, bens = await seen(elm, elm.ada), await seen(elm, elm.ben)
    assert adas
    assert bens
    assert (bens["count"], bens["average"], bens["longest"]) == (2, "4 hours", "5 hours")
    assert [one["who"] for one in adas["loans"]] == ["Cy Tanaka", "Ben Okafor"]
    assert bens["loans"] == []
    assert (adas["spent"], bens["spent"]) == ("€12.50", "")
    assert [line["words"] for line in bens["lines"]] == ["New cable"]
    assert [line["cost"] for line in bens["lines"]] == [""]
    coras = await seen(elm, elm.cora)
    assert coras
    assert (coras["loans"], coras["spent"]) == ([], ""), "a coordinator lends nothing of it"


async def test_behind_a_block_and_while_it_is_off_it_has_no_past(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await blocks.block(tx, elm.cy.person_id, elm.ada, NOW)
    assert await seen(elm, elm.cy) is None
    assert await seen(elm, elm.ben)
    await shelf.pause(tx, elm.drill.id, elm.ada, NOW)
    assert await seen(elm, elm.ben) is None
    assert await seen(elm, elm.ada)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"words": "", "day": "2026-05-01"}, "words"),
        ({"words": "x" * 501, "day": "2026-05-01"}, "words"),
        ({"words": "Cable", "day": "yesterday"}, "day"),
        ({"words": "Cable", "day": "2999-01-01"}, "day"),
        ({"words": "Cable", "day": "1026-05-01"}, "day"),
        ({"words": "Cable", "day": "2026-05-01", "cost": "much"}, "cost"),
        ({"words": "Cable", "day": "2026-05-01", "cost": "100000.01"}, "cost"),
    ],
)
async def test_what_cannot_be_taken_says_why_and_stays_typed(
    street: Street, typed: dict[str, str], field: str
) -> None:
    drill = await street.ada.lists("Cordless drill")
    answer = await street.ada.posts(f"{street.ada.home}/tools/{drill}/repairs", **typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert typed["words"] in answer.text


async def test_a_repair_may_cost_more_than_any_price_for_a_day(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    there = f"{street.ada.home}/tools/{drill}"
    await street.ada.does(f"{there}/repairs", words="New motor", day=street.today, cost="1234,50")
    assert "1,234.50" in await street.ada.opens(f"{there}/maintenance")


async def test_it_is_live_on_the_page_and_only_its_lender_may(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    name = topic.history(street.here.id, drill)
    for noun in ("maintenance", "maintenance/end", "repairs", "repairs/1/end"):
        answer = await street.ben.posts(f"{street.ben.home}/tools/{drill}/{noun}", kind="broken")
        assert answer.status_code == 403, noun
    async with street.ben.watches(name, topic.tool(street.here.id, drill)) as screen:
        there = f"{street.ada.home}/tools/{drill}"
        await street.ada.does(f"{there}/repairs", words="New cable", day=street.today, cost="12.5")
        assert "12.50" not in await screen.shows(name, "New cable")
        await street.ada.does(f"{there}/maintenance", kind="broken", said="The chuck is stuck.")
        await screen.shows(topic.tool(street.here.id, drill), "Being repaired")
        assert "Broken" in await street.ada.opens(f"{there}/maintenance")
        await street.ada.does(f"{there}/maintenance/end", said="New chuck.")
        await screen.shows(name, "The chuck is stuck.")
