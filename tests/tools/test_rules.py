"""What may be written about a tool, what it may cost, and who sees and changes it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refusal
from app.people.models import PersonId, Role
from app.people.viewer import Here, Viewer
from app.tools import rules
from app.tools.models import Tool, ToolStatus

HERE = Here(1, "elm", "Elm Street", ZoneInfo("Europe/London"), "en-GB", "GBP", "request")
ELSEWHERE = Here(2, "oak", "Oak Street", ZoneInfo("Europe/London"), "en-GB", "GBP", "request")
ADA, BEN = 1, 2


def viewer(
    person: int, role: Role = Role.MEMBER, suspended: bool = False, here: Here = HERE
) -> Viewer:
    return Viewer(PersonId(person), "Somebody", "en-GB", here, role, suspended)


def tool(status: ToolStatus = ToolStatus.LISTED) -> Tool:
    return Tool(community_id=1, id=7, owner_id=ADA, name="Drill", status=status)


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("", 0),
        ("   ", 0),
        ("0", 0),
        ("0.00", 0),
        ("2.50", 250),
        ("2,50", 250),
        ("2,5", 250),
        (" 3 ", 300),
        ("€3", 300),
        ("£ 3.05", 305),
        ("2,50 €", 250),
        ("2,50\u00a0€", 250),
        (".5", 50),
        ("5.", 500),
        ("007", 700),
        ("٣", 300),
        ("1000", 100_000),
        ("1000.00", 100_000),
    ],
)
def test_a_price_is_read_as_people_write_it(typed: str, cents: int) -> None:
    assert rules.price_from(typed) == cents


@pytest.mark.parametrize(
    "typed",
    [
        "-1",
        "+1",
        "1e3",
        "1000.01",
        "1001",
        "9999999",
        "2.505",
        "1.000,50",
        "1,000",
        "2 50",
        "²",
        "½",
        "free",
        ".",
        ",",
        "nan",
        "inf",
        "0x10",
        "1_000",
        "3\x00",
        "€-1",
        "2.-5",
    ],
)
def test_what_is_no_price_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.price_from(typed)
    assert (refused.value.field_name, refused.value.status) == ("price", 422)
    assert refused.value.way_out


@given(st.text(max_size=30))
def test_no_text_whatsoever_gives_a_price_beyond_the_bounds(typed: str) -> None:
    try:
        cents = rules.price_from(typed)
    except Refusal:
        return
    assert 0 <= cents <= rules.PRICE_HIGHEST


@given(st.integers(0, rules.PRICE_HIGHEST))
def test_a_price_that_was_shown_in_the_form_comes_back_as_it_was(cents: int) -> None:
    assert rules.price_from(f"{cents / 100:.2f}") == cents


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Cordless \t drill\n", "Cordless drill"),
        ("Dri\x00ll", "Drill"),
        ("Drill\u202egnp.exe", "Drillgnp.exe"),
        ("\u2067Drill\u2069", "Drill"),
        ("\ufeffDri\u200bll", "Drill"),
        ("Sa\u0308ge", "S\u00e4ge"),
        ("👩\u200d🔧 set", "👩\u200d🔧 set"),
        ("<script>", "<script>"),
        ("x" * 80, "x" * 80),
        ("e\u0301" * 80, "\u00e9" * 80),
    ],
)
def test_a_name_is_kept_as_it_was_meant(typed: str, kept: str) -> None:
    assert rules.check_name(typed) == kept


@pytest.mark.parametrize("typed", ["", "  ", "\n", "\x00", "\u200b", "\u202e\u2069", "x" * 81])
def test_a_name_that_nobody_could_read_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.check_name(typed)
    assert refused.value.field_name == "name"


@given(st.text(max_size=120))
def test_no_name_that_is_kept_has_anything_that_hides(typed: str) -> None:
    try:
        name = rules.check_name(typed)
    except Refusal:
        return
    assert 1 <= len(name) <= rules.NAME_LONGEST
    assert not set(name) & set("\x00\n\r\t\u202a\u202b\u202c\u202d\u202e\u2066\u2069\u200b\ufeff")
    assert rules.check_name(name) == name


def test_a_description_keeps_its_lines_and_ends_at_4000() -> None:
    assert rules.check_description(" One.\r\nTwo.\x07 ") == "One.\nTwo."
    assert rules.check_description("") == ""
    assert len(rules.check_description("x" * 4000)) == 4000
    with pytest.raises(Refusal, match="4000"):
        rules.check_description("x" * 4001)


def test_a_brand_is_one_short_line() -> None:
    assert rules.check_brand(" Black\n&  Decker ") == "Black & Decker"
    with pytest.raises(Refusal) as refused:
        rules.check_brand("x" * 81)
    assert refused.value.field_name == "brand"


@pytest.mark.parametrize("status", ToolStatus)
def test_members_see_what_hangs_on_the_board_and_only_that(status: ToolStatus) -> None:
    on_it = status in rules.ON_THE_BOARD
    assert rules.sees(tool(status), viewer(BEN)) is on_it
    assert rules.sees(tool(status), viewer(BEN, suspended=True)) is on_it
    assert rules.sees(tool(status), viewer(ADA))
    assert rules.sees(tool(status), viewer(BEN, Role.COORDINATOR))
    for role in Role:
        assert not rules.sees(tool(status), viewer(ADA, role, here=ELSEWHERE))


def test_only_the_owner_changes_a_tool_and_not_while_suspended() -> None:
    assert rules.why_not_edit(tool(), viewer(ADA)) is None
    for somebody in (
        viewer(BEN),
        viewer(BEN, Role.ADMIN),
        viewer(ADA, suspended=True),
        viewer(BEN, Role.COORDINATOR),
    ):
        refusal = rules.why_not_edit(tool(), somebody)
        assert refusal is not None
        assert refusal.status == 403


def test_an_archived_tool_is_brought_back_before_it_is_changed() -> None:
    refusal = rules.why_not_edit(tool(ToolStatus.ARCHIVED), viewer(ADA))
    assert refusal is not None
    assert refusal.way_out == "Bring it back first."


def test_who_is_suspended_lists_nothing() -> None:
    assert rules.why_not_list(viewer(ADA)) is None
    refusal = rules.why_not_list(viewer(ADA, suspended=True))
    assert refusal is not None
    assert refusal.status == 403
