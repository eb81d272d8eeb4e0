"""What hangs on the wall for a search: one answer for the page, the push and the plain GET."""

from __future__ import annotations

import base64
import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import topic
from app.board.search import KEY_LENGTH, Days, Search
from app.tools import grid
from app.tools.models import Skill
from tests.clocks import Clock
from tests.neighbours import Neighbour, Screen, Street

FILTERS: tuple[dict[str, object], ...] = (
    {},
    {"free": 1},
    {"category": "drills"},
    {"q": "lad"},
    {"q": "drill", "category": "drills", "free": 1},
)


@given(
    st.text(max_size=100),
    st.text(max_size=40),
    st.booleans(),
    st.none() | st.tuples(st.dates(), st.dates()),
    st.none() | st.integers(),
    st.sampled_from(("", *Skill)) | st.text(),
    st.integers(),
    st.integers(),
)
def test_a_key_says_what_was_asked_and_fits_a_topic(
    q: str,
    category: str,
    free: bool,
    days: Days | None,
    price: int | None,
    skill: str,
    lender: int,
    pages: int,
) -> None:
    search = Search.typed(
        *(q, category, free, days), price=price, skill=skill, lender=lender, pages=pages
    )
    assert re.fullmatch(r"[\w-]*", search.key, re.ASCII)
    assert len(search.key) <= KEY_LENGTH
    assert Search.of(search.key) == search


@pytest.mark.parametrize("letter", ["\N{LATIN SMALL LETTER A}", "ж", "☂", "🪚", "İ", "𝅘𝅥𝅮"])
def test_a_hundred_of_the_widest_letters_still_ask_something(letter: str) -> None:
    search = Search.typed(
        *(letter * 100, letter * 40, True, (date.min, date.max)),
        price=99_999,
        skill=Skill.PRACTICE,
        lender=2**62 - 1,
        pages=20,
        district=2**62 - 1,
        near=grid.cell_of(grid.Point(89.9, 179.99)),
        distance=10_000,
        alike=2**62 - 1,
    )
    assert len(search.key) <= KEY_LENGTH
    assert Search.of(search.key) == search


def test_equal_questions_are_one_topic() -> None:
    typed = ("hedge  trimmer", " Hedge Trimmer ", "hedge trimmer")
    assert len({Search.typed(q, "", True).key for q in typed}) == 1
    assert Search.typed("", "", False).key == ""


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "====",
        "é",
        "a" * 5000,
        base64.urlsafe_b64encode(b"Drill").decode(),
        base64.urlsafe_b64encode(b"\n\nfree?").decode(),
        base64.urlsafe_b64encode(b"\n\n\n2026-05-01\n").decode(),
        base64.urlsafe_b64encode(b"\n\n\n20260501\n20260502").decode(),
    ],
)
def test_a_key_that_no_board_has_is_nothing(key: str) -> None:
    assert Search.of(key) is None


@given(st.text(max_size=60) | st.from_regex(r"[\w-]{1,80}", fullmatch=True))
def test_no_guessed_key_breaks_anything(key: str) -> None:
    assert (found := Search.of(key)) is None or found.key == key


def named(street: Street, filters: dict[str, object]) -> str:
    search = Search.typed(
        str(filters.get("q", "")), str(filters.get("category", "")), bool(filters.get("free"))
    )
    return topic.listing(street.here.id, search.key)


async def on_the_page(who: Neighbour, filters: dict[str, object]) -> list[str]:
    answer = await who.client.get(who.home, params={key: str(v) for key, v in filters.items()})
    return re.findall(r'<article class="card[^>]*data-topic="([^"]+)"', answer.text) or re.findall(
        r'<article data-topic="([^"]+)"', answer.text
    )


async def on_the_wire(who: Neighbour, name: str) -> list[str]:
    answer = await who.client.get("/live", params={"topic": name})
    assert answer.status_code == 200
    items: list[str] = answer.json()["items"]
    return items


async def furnish(street: Street) -> dict[str, int]:
    """Ada's drill is out with ben, her ladder and cora's drill are free."""
    found = {
        "drill": await street.ada.lists("Cordless drill"),
        "ladder": await street.ada.lists("Long ladder", "ladders"),
        "coras": await street.cora.lists("Another drill"),
    }
    loan = await street.ben.asks_for(found["drill"], street.today)
    await street.ada.acts(loan, "approval")
    return found


async def test_page_and_listing_agree_for_every_search_and_viewer(street: Street) -> None:
    found = await furnish(street)
    await street.ada.does(f"{street.ada.home}/people/{street.cy.id}/block")
    for who in (street.ada, street.ben, street.cy):
        for filters in FILTERS:
            page = await on_the_page(who, filters)
            assert page == await on_the_wire(who, named(street, filters)), (who.name, filters)
    ladder = topic.tool(street.here.id, found["ladder"])
    free = named(street, {"free": 1})
    assert ladder in await on_the_wire(street.ben, free)
    assert ladder not in await on_the_wire(street.cy, free), "paused, as far as cy can tell"


def lists(screen: Screen, name: str) -> list[list[str]]:
    return [frame["items"] for frame in screen.frames if frame.get("topic") == name]


async def test_a_filter_by_state_follows_the_states(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    card, free = topic.tool(street.here.id, drill), named(street, {"free": 1})
    async with street.cy.watches() as screen:
        await screen.watch(free)
        assert lists(screen, free)[-1] == [card]
        loan = await street.ben.asks_for(drill, street.today)
        await street.ada.acts(loan, "approval")
        await screen.until(lambda: lists(screen, free)[-1] == [])
        await street.ada.acts(loan, "cancellation", reason="It broke.")
        await screen.until(lambda: lists(screen, free)[-1] == [card])


async def test_a_block_takes_a_tool_from_an_open_list_of_what_is_free(street: Street) -> None:
    card = topic.tool(street.here.id, await street.ada.lists("Cordless drill"))
    free = named(street, {"free": 1})
    async with street.cy.watches() as cys, street.ben.watches() as bens:
        for screen in (cys, bens):
            await screen.watch(free)
            assert lists(screen, free)[-1] == [card]
        await street.ada.does(f"{street.ada.home}/people/{street.cy.id}/block")
        await cys.until(lambda: lists(cys, free)[-1] == [])
        assert lists(bens, free)[-1] == [card]


async def test_a_broken_key_is_gone_and_nothing_else(street: Street) -> None:
    async with street.cy.watches() as screen:
        name = f"{topic.community(street.here.id)}/list/broken"
        await screen.watch(name)
        assert screen.html.get(name) is None
    assert (await street.cy.client.get("/live", params={"topic": name})).status_code == 404


async def test_free_on_certain_days_is_what_nothing_blocks_on_any_of_them(street: Street) -> None:
    drill = await street.ada.lists("Cordless drill")
    saw = await street.ada.lists("Hand saw", "saws")
    loan = await street.ben.asks_for(drill, street.day(2), street.day(4))
    days: dict[str, object] = {"free_from": street.day(4), "free_to": street.day(6)}
    name = topic.listing(
        street.here.id, Search.typed("", "", False, (street.day(4), street.day(6))).key
    )

    async def found() -> list[str]:
        wire = await on_the_wire(street.cy, name)
        assert wire == await on_the_page(street.cy, days)
        return wire

    both = [topic.tool(street.here.id, tool) for tool in (drill, saw)]
    assert await found() == both, "what is asked for is still free"
    async with street.cy.watches(name) as screen:
        version = screen.version[name]
        await street.ada.acts(loan, "approval")
        await screen.rises_above(name, version)
        assert screen.frames[-1]["items"] == both[1:] or await found() == both[1:]
    assert await found() == both[1:]
    await street.ada.does(f"{street.ada.home}/people/{street.cy.id}/block")
    assert await found() == [], "what is not lent to cy is not free for her"
    page = await street.cy.client.get(
        street.cy.home, params={"free_from": str(street.day(4)), "free_to": str(street.day(3))}
    )
    assert "comes before the first" in page.text


async def test_what_is_left_empty_leaves_the_address(street: Street) -> None:
    """As a form sends it without script."""
    day = str(street.day(1))
    asked = {"q": "saw & drill", "free_from": day, "free_to": "", "category": ""}
    answer = await street.cy.client.get(street.cy.home, params=asked, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{street.cy.home}?q=saw+%26+drill&free_from={day}"
    bare = await street.cy.client.get(street.cy.home, params={"q": ""}, follow_redirects=False)
    assert bare.headers["location"] == street.cy.home


async def test_what_is_late_is_not_free_today(street: Street, the_clock: Clock) -> None:
    drill = await street.ada.lists("Cordless drill")
    loan = await street.ben.asks_for(drill, street.today)
    await street.ada.acts(loan, "approval")
    await street.ada.acts(loan, "handover")
    the_clock.move(timedelta(days=1))
    for first, free in ((street.today, 0), (street.day(1), 1)):
        assert len(await on_the_page(street.cy, {"free_from": first})) == free
