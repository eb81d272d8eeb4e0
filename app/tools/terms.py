"""The lending rules as their owner types them, and kept with the tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time

from app.errors import Refusal, mistyped
from app.tools import lending, rules
from app.tools.lending import WEEKDAYS, Lending, Window
from app.tools.models import Tool

NUMBERS = ("shortest_hours", "longest_days", "notice_hours", "horizon_days", "buffer_hours")
FIELDS = (
    *NUMBERS,
    *(f"{name}_{day}" for day in range(7) for name in ("opens", "closes")),
    "deposit",
    "auto_approve",
    "safety",
)
FIELDS_OF_ALL = frozenset({*FIELDS, "windows", *(f"window_{day}" for day in range(7))})


def keep(tool: Tool, terms: Lending) -> None:
    """Raises Refusal with the field that cannot be taken."""
    terms = lending.check(replace(terms, safety=rules.clean(terms.safety)))
    for name in (*NUMBERS, "deposit_cents", "auto_approve", "safety"):
        setattr(tool, name, getattr(terms, name))
    tool.windows = lending.rows_of(terms.windows)


def typed(terms: Lending) -> dict[str, str]:
    """As the form shows them."""
    values = {name: str(getattr(terms, name)) for name in NUMBERS}
    for one in terms.windows:
        values[f"opens_{one.weekday}"] = one.opens.strftime("%H:%M")
        values[f"closes_{one.weekday}"] = one.closes.strftime("%H:%M")
    values["deposit"] = f"{terms.deposit_cents / 100:.2f}" if terms.deposit_cents else ""
    values["auto_approve"] = "1" if terms.auto_approve else ""
    return values | {"safety": terms.safety}


def read(form: Mapping[str, object]) -> Lending | None:
    """What was typed; None if the form had no rules in it. Raises Refusal with the field."""
    if "longest_days" not in form:
        return None
    numbers = {name: _number(form, name) for name in NUMBERS}
    windows = (_window(form, day) for day in range(7))
    return Lending(
        **numbers,
        windows=tuple(one for one in windows if one),
        deposit_cents=_deposit(str(form.get("deposit", ""))),
        auto_approve=bool(form.get("auto_approve")),
        safety=str(form.get("safety", "")),
    )


def _number(form: Mapping[str, object], name: str) -> int:
    text = str(form.get(name, "")).strip()
    if not text:
        return int(getattr(Lending(), name))
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise mistyped(name, "That is not a whole number.", "Write it like 2.")
    return int(text)


def _window(form: Mapping[str, object], day: int) -> Window | None:
    opens, closes = (str(form.get(f"{name}_{day}", "")).strip() for name in ("opens", "closes"))
    if not opens and not closes:
        return None
    if not opens or not closes:
        raise mistyped(
            f"window_{day}", f"{WEEKDAYS[day]} needs two times.", "Fill both in, or none."
        )
    try:
        return Window(day, _time(opens), _time(closes))
    except ValueError:
        raise mistyped(f"window_{day}", "That is not a time.", "Write it like 18:00.") from None


def _deposit(text: str) -> int:
    try:
        return rules.price_from(text)
    except Refusal as refusal:
        raise mistyped(
            "deposit", "That is not an amount.", "Write it like 20, or nothing for none."
        ) from refusal


def _time(text: str) -> time:
    return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
