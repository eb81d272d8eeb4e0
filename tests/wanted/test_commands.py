"""Asking for what nobody has listed, answering, listing it, and every way it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import clock, db
from app.errors import NotFound, Refusal
from app.members import blocks
from app.members import commands as members
from app.notices.models import Kind, Notice
from app.people.viewer import Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.wanted import commands, queries, rules, telling
from app.wanted.commands import WantedText
from app.wanted.models import Wanted, WantedAnswer, WantedState
from tests.loans.living import DAY, TODAY, Elm, elm_street
from tests.neighbours import Street
from tests.people.living import NOW
from tests.tools.test_categories import shelf

CUTTER = WantedText("  A tile cutter,  this weekend ", "saws", (TODAY + DAY, TODAY + 2 * DAY))


async def told(tx: db.Tx, who: Viewer) -> list[tuple[str, str]]:
    rows = await tx.scalars(
        select(Notice)
        .where(Notice.person_id == who.person_id, Notice.kind.startswith("wanted"))
        .order_by(Notice.id)
    )
    return [(one.kind, one.facts.get("reason", one.facts["tool"])) for one in rows]


async def seen(elm: Elm, who: Viewer) -> Sequence[Wanted]:
    return await queries.seen_by(elm.tx, who, NOW)


async def test_an_answer_becomes_a_tool_and_a_request_with_the_days_in_it(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    wanted = await commands.ask(tx, CUTTER, elm.ben, NOW)
    assert wanted.words == "A tile cutter, this weekend"
    assert wanted.ends_at == elm.days(1, 2)[1], "over with its days"
    mine = await commands.answer(tx, wanted.id, "", elm.ada, NOW)
    again = await commands.answer(tx, wanted.id, "Did I say so?", elm.ada, NOW)
    assert (mine.id, again.words) == (again.id, rules.I_HAVE_ONE)
    form = await telling.form_of_answer(tx, elm.ada, mine.id)
    assert form == {"answer": str(mine.id), "name": "Tile cutter", "category": "saws"}
    assert await telling.form_of_answer(tx, elm.cy, mine.id) == {}, "it is ada's"
    tool = await tools.list_tool(tx, ToolText(name="Tile cutter", category="saws"), elm.ada, NOW)
    await commands.listed(tx, mine.id, tool, elm.cy, NOW)  # nobody lists for somebody else's
    await commands.listed(tx, mine.id, tool, elm.ada, NOW)
    assert await told(tx, elm.ben) == [
        (Kind.WANTED_ANSWERED, rules.I_HAVE_ONE),
        (Kind.WANTED_LISTED, "Tile cutter"),
    ]
    assert [one.id for one in await seen(elm, elm.ben)] == [wanted.id]
    assert not await seen(elm, elm.cy), "answered: others look no further"
    (found,) = await seen(elm, elm.ben)
    path = telling.request_path(tool, found, elm.ben, NOW)
    assert path.endswith(f"/tools/{tool.id}?start={TODAY + DAY}&end={TODAY + 2 * DAY}#request")
    assert telling.request_path(tool, found, elm.ben, NOW + 9 * DAY).endswith(f"{tool.id}#request")


async def test_it_ends_by_itself_and_is_forgotten_a_month_later(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    wanted = await commands.ask(tx, WantedText("A tent"), elm.ben, NOW)
    assert wanted.ends_at == NOW + timedelta(days=14)
    here = elm.here.id
    await commands.run_out(tx, here, wanted.id, NOW + 13 * DAY)
    assert wanted.state == WantedState.OPEN
    await commands.run_out(tx, here, wanted.id, NOW + 14 * DAY)
    assert wanted.state == WantedState.OVER
    with pytest.raises(Refusal, match="not wanted any more"):
        await commands.answer(tx, wanted.id, "", elm.ada, NOW + 14 * DAY)
    await commands.run_out(tx, here, wanted.id, NOW + 45 * DAY)
    with pytest.raises(NotFound):
        await commands.answer(tx, wanted.id, "", elm.ada, NOW + 45 * DAY)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (WantedText(" \u200b "), "words"),
        (WantedText("x" * 141), "words"),
        (WantedText("A tent", "no-such-shelf"), "category"),
        (WantedText("A tent", days=(TODAY, TODAY - DAY)), "end"),
        (WantedText("A tent", days=(TODAY - 2 * DAY, TODAY - DAY)), "end"),
        (WantedText("A tent", days=(TODAY, TODAY + 400 * DAY)), "end"),
    ],
)
async def test_what_cannot_be_asked_for_says_which_field(
    tx: db.Tx, text: WantedText, field: str
) -> None:
    elm = await elm_street(tx)
    with pytest.raises(Refusal) as refused:
        await commands.ask(tx, text, elm.ben, NOW)
    assert refused.value.field_name == field


async def test_who_may_end_report_and_remove_it(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    wanted = await commands.ask(tx, CUTTER, elm.ben, NOW)
    mine = await commands.answer(tx, wanted.id, "Here", elm.ada, NOW)
    for wrong in (
        commands.take_back(tx, wanted.id, elm.ada, NOW),
        commands.answer(tx, wanted.id, "", elm.ben, NOW),
        commands.report(tx, wanted.id, "Why?", elm.ben, NOW),
        commands.report(tx, wanted.id, " ", elm.cy, NOW),
        commands.remove(tx, wanted.id, "Because", elm.cy, NOW),
    ):
        with pytest.raises(Refusal):
            await wrong
    with pytest.raises(NotFound):
        await commands.end_answer(tx, wanted.id, mine.id, elm.cy, NOW)
    await commands.report(tx, wanted.id, "This is no tool.", elm.cy, NOW)
    await commands.report(tx, wanted.id, "I think so, too.", elm.ada, NOW)
    assert await told(tx, elm.cora) == [(Kind.WANTED_REPORTED, "This is no tool.")], "once"
    await commands.end_answer(tx, wanted.id, mine.id, elm.cora, NOW)
    await commands.remove(tx, wanted.id, "Not here.", elm.cora, NOW)
    await commands.remove(tx, wanted.id, "Not here.", elm.cora, NOW)
    assert (await told(tx, elm.ben))[1:] == [(Kind.WANTED_REMOVED, "Not here.")]
    assert not await seen(elm, elm.ben)


async def test_a_block_hides_both_ways_and_tells_nothing(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    wanted = await commands.ask(tx, CUTTER, elm.ben, NOW)
    mine = await commands.answer(tx, wanted.id, "Here", elm.ada, NOW)
    other = await commands.ask(tx, WantedText("A tent"), elm.cy, NOW)
    await commands.answer(tx, other.id, "Ben's", elm.ben, NOW)
    await blocks.block(tx, elm.ada.person_id, elm.ben, NOW)
    assert [one.id for one in await seen(elm, elm.ada)] == [other.id]
    assert [len(one.answers) for one in await seen(elm, elm.ada)] == [0]
    assert [len(one.answers) for one in await seen(elm, elm.ben)] == [1, 0]
    for hidden in (
        commands.answer(tx, wanted.id, "", elm.ada, NOW),
        commands.report(tx, wanted.id, "Look", elm.ada, NOW),
    ):
        with pytest.raises(NotFound):
            await hidden
    before = await told(tx, elm.ben)
    await commands.listed(tx, mine.id, elm.drill, elm.ada, NOW)
    assert await told(tx, elm.ben) == before


async def test_who_leaves_takes_it_along_and_who_is_suspended_is_not_shown(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    wanted = await commands.ask(tx, CUTTER, elm.ben, NOW)
    await commands.answer(tx, wanted.id, "Here", elm.ada, NOW)
    theirs = await commands.ask(tx, WantedText("A tent"), elm.cy, NOW)
    await commands.answer(tx, theirs.id, "Ben's", elm.ben, NOW)
    await members.suspend(tx, elm.ben.person_id, elm.cora, NOW)
    assert [(one.id, len(one.answers)) for one in await seen(elm, elm.cora)] == [(theirs.id, 0)]
    await members.restore(tx, elm.ben.person_id, elm.cora, NOW)
    assert len(await seen(elm, elm.cora)) == 2
    await members.leave(tx, elm.ben, NOW)
    for rows in (Wanted, WantedAnswer):
        gone = select(func.count()).where(rows.person_id == elm.ben.person_id)
        assert await tx.scalar(gone) == 0
    assert [one.id for one in await seen(elm, elm.cora)] == [theirs.id]


async def test_what_is_wanted_stays_when_its_category_goes(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    await commands.ask(tx, CUTTER, elm.ben, NOW)
    saws, party = await shelf(elm, "saws"), await shelf(elm, "party")
    oak = await shelf(await elm_street(tx), "saws")
    with pytest.raises(NotFound):
        await commands.remove_category(tx, saws.id, oak.id, elm.cora)
    with pytest.raises(Refusal, match="Only a coordinator"):
        await commands.remove_category(tx, saws.id, party.id, elm.ada)
    for gone, into, hangs in ((saws, party, "party"), (party, None, None)):
        await commands.remove_category(tx, gone.id, into.id if into else None, elm.cora)
        (one,) = await seen(elm, elm.cy)
        assert (one.category.slug if one.category else None) == hangs


async def test_five_at_a_time_also_when_all_come_at_once(street: Street) -> None:
    async def ask(n: int) -> str:
        try:
            async with db.begin() as tx:
                await commands.ask(tx, WantedText(f"Thing {n}"), street.ben.viewer, clock.now())
        except Refusal as refusal:
            return refusal.sentence
        return ""

    said = await asyncio.gather(*(ask(n) for n in range(8)))
    assert sorted(said) == [""] * 5 + ["You ask for 5 things already."] * 3


async def test_answers_at_once_while_it_is_taken_back(street: Street) -> None:
    """Whoever comes first: each answer is there and told, or refused with a sentence."""
    async with db.begin() as tx:
        wanted = await commands.ask(tx, WantedText("A tent"), street.ben.viewer, clock.now())

    async def answer(who: Viewer) -> bool:
        try:
            async with db.begin() as tx:
                await commands.answer(tx, wanted.id, "Here", who, clock.now())
        except Refusal as refusal:
            refused.append(refusal.sentence)
            return False
        return True

    refused: list[str] = []

    async def end() -> None:
        async with db.begin() as tx:
            await commands.take_back(tx, wanted.id, street.ben.viewer, clock.now())

    ada, cy = street.ada.viewer, street.cy.viewer
    assert await answer(street.cora.viewer)
    *taken, _ = await asyncio.gather(answer(ada), answer(ada), answer(cy), end())
    async with db.begin() as tx:
        found = await tx.get_one(Wanted, (street.here.id, wanted.id))
        given = [one.person_id for one in await queries.answers_to(tx, found)]
        heard = await told(tx, street.ben.viewer)
    assert found.state == WantedState.TAKEN_BACK
    assert set(refused) <= {rules.GONE.sentence}
    assert len(given) == len(set(given)) == len(heard), "one each, and each was told"
    assert (cy.person_id in given) == taken[2]
    assert (ada.person_id in given) == (taken[0] or taken[1])
