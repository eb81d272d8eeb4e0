"""The waitlist on pages and sockets of two workers, with the jobs that run in them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range

from app import clock, db, topic
from app.loans.models import Loan
from app.loans.states import State
from app.tools.models import Occupancy, OccupancyKind
from app.tools.wishes import Wish
from tests.clocks import Clock
from tests.neighbours import Neighbour, Street, browser, said

RACE = 50


def path(street: Street, tool: int, noun: str = "") -> str:
    return f"{street.here.path}/tools/{tool}/waitlist{noun}"


async def waits(street: Street, who: Neighbour, tool: int, first: int, last: int) -> None:
    days = {"wait_start": street.day(first), "wait_end": street.day(last)}
    await who.does(path(street, tool), **days)


async def lent(street: Street, first: int = 0, last: int = 3) -> tuple[int, int]:
    """A drill of ada's that ben has."""
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.day(first), street.day(last))
    await street.ada.acts(loan, "approval")
    return drill, loan


async def test_cy_waits_is_offered_what_ben_brings_back_and_takes_it(street: Street) -> None:
    drill, loan = await lent(street)
    await street.ada.acts(loan, "handover")
    await waits(street, street.cy, drill, 1, 2)
    line = topic.waitlist(street.here.id, drill)
    room = topic.loan(street.here.id, loan)
    async with street.cy.watches(line) as cys, street.ben.watches(room) as bens:
        assert "You are next" in (cys.html[line] or "")
        assert "Nobody can say" in (cys.html[line] or "")
        told = bens.html[room] or ""
        assert "Somebody is waiting for it" in told
        assert "Cy" not in told
        await street.ada.acts(loan, "return")
        html = await cys.shows(line, "It is kept for you")
        assert html in await street.cy.opens(f"{street.cy.home}/tools/{drill}")
    there = await street.cy.does(path(street, drill, "/offer/acceptance"))
    assert "is waiting for your answer" in await street.ada.opens(there)
    await street.ada.acts(int(there.rsplit("/", 1)[1]), "approval")
    assert "Approved" in await street.cy.opens(there)


async def test_others_see_an_offer_as_taken_and_nobody_a_name(street: Street) -> None:
    drill, loan = await lent(street, 1, 3)
    await waits(street, street.cy, drill, 1, 2)
    dates, line = topic.dates(street.here.id, drill), topic.waitlist(street.here.id, drill)
    async with street.ben.watches(dates, line) as screen:
        await street.ben.acts(loan, "cancellation")
        await screen.shows(dates, "offered to somebody who waits")
        assert "1 neighbour waits" in (screen.html[line] or "")
        assert "Cy" not in str(screen.frames)
    page = await street.ben.opens(f"{street.ben.home}/tools/{drill}")
    assert "Cy Tanaka" not in page
    for who in (street.ada, street.cora):
        assert "Cy Tanaka" in await who.opens(f"{who.home}/tools/{drill}")
    refused = await street.ben.posts(
        f"{street.ben.home}/tools/{drill}/loans", start=street.day(1), end=street.day(1)
    )
    assert refused.status_code == 409
    assert "Free instead" in refused.text


async def test_an_offer_stands_in_my_things_and_is_counted(street: Street) -> None:
    drill, loan = await lent(street, 1, 3)
    await waits(street, street.cy, drill, 1, 2)
    things, count = topic.things(street.cy.id), topic.waiting(street.cy.id)
    async with street.cy.watches(things, count) as screen:
        assert "you are next" in (screen.html[things] or "")
        await street.ben.acts(loan, "cancellation")
        await screen.shows(things, "Answer")
        await screen.shows(count, "1")
        await street.cy.does(path(street, drill, "/offer/refusal"))
        await screen.until(lambda: "I wait for" not in (screen.html[things] or "I wait for"))


async def test_a_countdown_rests_at_night_and_then_passes_on(
    street: Street, the_clock: Clock
) -> None:
    drill, loan = await lent(street, 2, 3)
    await waits(street, street.cy, drill, 2, 3)
    await waits(street, street.cora, drill, 2, 3)
    line, hers = topic.waitlist(street.here.id, drill), street.cora
    async with street.cy.watches(line) as cys, hers.watches(line) as coras:
        await street.ben.acts(loan, "cancellation")
        await cys.shows(line, "It is kept for you")
        the_clock.move(timedelta(hours=20))  # noon to eight: two quiet hours short of 21
        assert "You wait for it" in (coras.html[line] or "")
        await street.ben.says(loan, "Sorry!")
        the_clock.move(timedelta(hours=1, seconds=2))
        await coras.shows(line, "It is kept for you")
    late = await street.cy.posts(path(street, drill, "/offer/acceptance"))
    assert late.status_code == 409


async def test_what_was_typed_is_kept_where_waiting_is_not_possible(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    for form, sentence in (
        ({"wait_start": street.day(3), "wait_end": street.day(4)}, "it is free"),
        ({"wait_start": street.day(3), "wait_end": street.day(1)}, "before the first"),
        ({"wait_days": "many"}, "not a number"),
    ):
        answer = await street.cy.posts(path(street, drill), **form)
        assert answer.status_code in (409, 422)
        assert sentence in answer.text
        assert all(
            f'value="{typed}"' in answer.text for name, typed in form.items() if typed != "many"
        )


async def test_a_loser_is_invited_with_one_tap(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    bens = await street.ben.asks_for(drill, street.day(1))
    cys = await street.cy.asks_for(drill, street.day(1), street.day(2))
    await street.ada.acts(bens, "approval")
    assert "You can wait for it" in await street.cy.opens(f"{street.cy.home}/notices")
    room = await street.cy.opens(f"{street.cy.home}/loans/{cys}")
    assert "Wait for these dates" in room
    await street.cy.does(path(street, drill), like=cys)
    async with db.snapshot() as tx:
        wish = await tx.scalar(select(Wish).where(Wish.tool_id == drill))
        assert wish is not None
        assert wish.dates == clock.days(street.day(1), street.day(2), street.here.zone)


async def test_a_coordinator_moves_somebody_on_the_page(street: Street) -> None:
    drill, _ = await lent(street, 1, 3)
    dee = street.cora
    await waits(street, street.cy, drill, 1, 2)
    page = await dee.opens(f"{dee.home}/tools/{drill}")
    assert "Move" not in page, "there is only one"
    refused = await street.cy.posts(
        path(street, drill, "/order"), person=street.cy.id, place=1, reason="Me"
    )
    assert (refused.status_code, "Only a coordinator" in said(refused.text)) == (403, True)


async def test_who_is_blocked_sees_what_a_pause_shows(street: Street) -> None:
    drill, loan = await lent(street, 1, 3)
    await waits(street, street.cy, drill, 1, 2)
    await waits(street, street.cora, drill, 1, 2)
    await street.ada.does(f"{street.ada.home}/people/{street.cy.id}/block")
    blocked = await street.cy.opens(f"{street.cy.home}/tools/{drill}")
    await street.ada.does(f"{street.ada.home}/tools/{drill}/pause")
    paused = await street.cora.opens(f"{street.cora.home}/tools/{drill}")
    for page in (blocked, paused):
        assert "It is not lent at the moment." in page
        assert "Nobody can say" not in page
    await street.ada.does(f"{street.ada.home}/tools/{drill}/pause/end")
    line = topic.waitlist(street.here.id, drill)
    async with street.cy.watches(line) as cys, street.cora.watches(line) as coras:
        await street.ben.acts(loan, "cancellation")
        await coras.shows(line, "It is kept for you")
        assert "kept" not in str(cys.frames)


async def kept(tool: int) -> Counter[str]:
    async with db.snapshot() as tx:
        rows = await tx.scalars(select(Occupancy.kind).where(Occupancy.tool_id == tool))
        return Counter(rows)


async def overlaps(tool: int) -> int:
    """Pairs of rows that block the same moment: the database allows none."""
    async with db.snapshot() as tx:
        rows = (await tx.scalars(select(Occupancy.period).where(Occupancy.tool_id == tool))).all()
    pairs = ((a, b) for n, a in enumerate(rows) for b in rows[n + 1 :])
    return sum(a.overlaps(b) for a, b in pairs)


@pytest.mark.parametrize("first", ["offer", "anybody"])
async def test_fifty_at_once_for_what_has_come_free_have_one_winner(
    street: Street, first: str
) -> None:
    """Cy accepts, ben asks, ada approves what was asked before, all of it many times over."""
    drill, loan = await lent(street, 2, 3)
    await waits(street, street.cy, drill, 2, 3)
    line = topic.waitlist(street.here.id, drill)
    async with street.cy.watches(line) as screen:
        await street.ben.acts(loan, "cancellation")
        asked = None
        if first == "offer":
            await screen.shows(line, "It is kept for you")
        else:  # ben may be faster than the job
            answer = await street.ben.posts(
                f"{street.ben.home}/tools/{drill}/loans", start=street.day(2), end=street.day(3)
            )
            if answer.status_code == 303:
                asked = int(answer.headers["location"].rsplit("/", 1)[1])
        tool = f"{street.here.path}/tools/{drill}"
        async with (
            browser(street.workers[0], street.cy.cookie) as cy,
            browser(street.workers[1], street.ben.cookie) as ben,
            browser(street.workers[1], street.ada.cookie) as ada,
        ):
            posts = []
            days = {"start": str(street.day(2)), "end": str(street.day(3))}
            for n in range(RACE):
                if n % 3 == 0:
                    posts.append(cy.post(path(street, drill, "/offer/acceptance")))
                elif n % 3 == 1 or asked is None:
                    posts.append(ben.post(f"{tool}/loans", data=days))
                else:
                    posts.append(ada.post(f"{street.here.path}/loans/{asked}/approval"))
            answers = await asyncio.gather(*posts)
    codes = Counter(answer.status_code for answer in answers)
    assert set(codes) <= {303, 409}, codes
    async with db.snapshot() as tx:
        states = Counter(await tx.scalars(select(Loan.state).where(Loan.tool_id == drill)))
        holders = await tx.scalar(
            select(func.count())
            .select_from(Occupancy)
            .where(
                Occupancy.tool_id == drill,
                Occupancy.period.op("&&")(
                    Range(*clock.days(street.day(2), street.day(3), street.here.zone))
                ),
            )
        )
    assert holders == 1, f"one has it: {states}"
    assert await overlaps(drill) == 0
    if first == "offer":
        assert codes == {303: 1, 409: RACE - 1}
        assert states == {State.CANCELLED: 1, State.REQUESTED: 1}
        assert await kept(drill) == {OccupancyKind.OFFER: 1}


async def test_the_order_is_kept_however_many_join_and_answer_at_once(street: Street) -> None:
    """All join at once; then each declines as soon as it is offered: nobody is passed over."""
    drill, loan = await lent(street, 2, 3)
    people = (street.cy, street.cora)
    form = {"wait_start": street.day(2), "wait_end": street.day(3)}
    joined = await asyncio.gather(*(who.posts(path(street, drill), **form) for who in people * 10))
    assert Counter(answer.status_code for answer in joined) == {303: 2, 409: 18}
    async with db.snapshot() as tx:
        order = list(
            await tx.scalars(select(Wish).where(Wish.tool_id == drill).order_by(Wish.turn))
        )
    assert [wish.turn for wish in order] == [1, 2]
    await street.ben.acts(loan, "cancellation")
    line, served = topic.waitlist(street.here.id, drill), []
    for wish in order:
        who = next(one for one in people if one.id == wish.person_id)
        async with who.watches(line) as screen:
            await screen.shows(line, "It is kept for you")
            served.append(who.id)
            await asyncio.gather(
                *(who.posts(path(street, drill, "/offer/refusal")) for _ in range(5))
            )
    assert served == [wish.person_id for wish in order]
    assert await overlaps(drill) == 0
