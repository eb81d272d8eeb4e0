"""Going through a page with the keyboard alone, as somebody who has to see where they are."""

from __future__ import annotations

from datetime import date

from playwright.async_api import Locator, expect

from tests.stories.windows import Window

MOST_STOPS = 60  # on the way to anything of a page
SEEN = """
    (wanted) => {
        const one = document.activeElement, box = one.getBoundingClientRect();
        if (one === document.body) return null; // around the end of the page
        const outlined = ({ outlineStyle, outlineWidth }) =>
            outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
        const looks = [getComputedStyle(one, "::after"), getComputedStyle(one, "::before")];
        for (let up = one; up; up = up.parentElement) looks.push(getComputedStyle(up));
        const within = one === window.stop; // a date's parts, which the browser marks itself
        window.stop = one;
        return {
            what: one.outerHTML.slice(0, 120),
            ringed: within || looks.some(outlined) || getComputedStyle(one).boxShadow !== "none",
            seen: box.bottom > 0 && box.top < innerHeight,
            there: one === wanted,
        };
    }
"""


async def tabs_to(window: Window, wanted: Locator) -> None:
    """Tab until it has the focus; at each stop one can see where one is."""
    for _ in range(MOST_STOPS):
        await window.page.keyboard.press("Tab")
        stop = await wanted.evaluate(SEEN)
        if stop is None:
            continue
        assert stop["ringed"], f"nobody sees that the focus is on {stop['what']}"
        assert stop["seen"], f"the focus is out of sight, on {stop['what']}"
        if stop["there"]:
            return
    raise AssertionError(f"{wanted} cannot be reached with the Tab key")


async def types_day(window: Window, label: str, day: date) -> None:
    """In the order that this browser's own language has; a first date tells which."""
    field, keys = window.page.get_by_label(label), window.page.keyboard
    await tabs_to(window, field)
    await keys.type("01022027")
    month_first = await field.input_value() == "2027-01-02"
    await keys.press("ArrowLeft")
    await keys.press("ArrowLeft")
    await keys.type(day.strftime("%m%d%Y" if month_first else "%d%m%Y"))
    await expect(field).to_have_value(day.isoformat())


async def enters(window: Window, wanted: Locator) -> None:
    await tabs_to(window, wanted)
    await window.page.keyboard.press("Enter")


async def is_somewhere(window: Window) -> None:
    """The focus has not been lost: something that is shown has it."""
    await expect(window.page.locator(":focus")).to_be_visible()
