"""Tools and loans seen together: cards, counters, search, what waits for somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import any_, exists, func, or_, select

from app import words
from app.board.availability import PAUSED, Now, of_all, state_of
from app.board.states import on_the_board as on_board
from app.db import Tx
from app.loans import queries as loan_queries
from app.loans.models import Loan, LoanEvent
from app.people.models import Block, Membership, Person
from app.people.viewer import Here
from app.tools import categories, handing_over, keepers, occupied, rules
from app.tools import queries as tool_queries
from app.tools.models import Category, Tool, ToolStatus

RECENT = 12
LENDERS = 300  # that one can choose among


@dataclass(frozen=True)
class Seen:
    """A tool together with what its loans make of it now, as far as a viewer may know."""

    tool: Tool
    state: Now
    loans: Sequence[Loan]
    busy: Sequence[tuple[datetime, datetime]]
    veiled: bool = False
    hands_over: bool = False  # free, and who lends it can hand it over now

    @property
    def status(self) -> ToolStatus:
        """Never ask the tool itself: who stands behind the veil is told that it is paused."""
        return ToolStatus.PAUSED if self.veiled else ToolStatus(self.tool.status)


def veil(one: Seen) -> Seen:
    """The face that *paused* shows, for those whom a block keeps from who lends it."""
    if one.tool.status not in rules.ON_THE_BOARD:
        return one
    return replace(one, state=PAUSED, loans=(), busy=(), veiled=True, hands_over=False)


def as_seen_by(found: Iterable[Seen], apart: Collection[int]) -> list[Seen]:
    """`apart`: the people whom a block keeps from the viewer."""
    return [veil(one) if keepers.hidden_from(one.tool, apart) else one for one in found]


async def seen(tx: Tx, here: Here, tools: Sequence[Tool], now: datetime, locale: str) -> list[Seen]:
    """These tools with their states: three more queries, however many tools there are."""
    ids = [tool.id for tool in tools]
    by_tool: dict[int, list[Loan]] = {}
    for loan in await loan_queries.open_of_tools(tx, here.id, ids):
        by_tool.setdefault(loan.tool_id, []).append(loan)
    busy = await occupied.busy(tx, here.id, ids, now)
    ready = await handing_over.ready(tx, here.id, now)

    def look(tool: Tool) -> Seen:
        loans, spans = by_tool.get(tool.id, []), busy.get(tool.id, [])
        state = state_of(tool, loans, spans, here, now, locale)
        hands_over = state.free_now and handing_over.can(tool, ready)
        return Seen(tool, state, loans, spans, hands_over=hands_over)

    return [look(tool) for tool in tools]


async def on_the_board(tx: Tx, here: Here, *, only: Iterable[int] | None = None) -> Sequence[Tool]:
    """What hangs on the board, by name; `only` those of these ids."""
    found = tool_queries.with_all().where(on_board(here))
    if only is not None:
        found = found.where(Tool.id.in_(list(only)))
    rows = await tx.scalars(found.order_by(Tool.plain_name, Tool.id))
    return rows.all()


async def lenders(tx: Tx, here: Here) -> list[tuple[int, str]]:
    """(id, name) of those who lend what hangs on the board, by name."""
    hangs = on_board(here)
    kept = select(func.unnest(Tool.keepers)).where(hangs, Tool.owner_id.is_(None))
    rows = await tx.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.community_id == here.id,
            or_(exists().where(hangs, Tool.owner_id == Person.id), Person.id.in_(kept)),
        )
        .order_by(func.lower(Person.name), Person.id)
        .limit(LENDERS)
    )
    return [(one, name) for one, name in rows]


async def category_counts(tx: Tx, here: Here) -> list[tuple[Category, int]]:
    """With how many hang on the board there or below; each is followed by those below it."""
    hanging = (
        select(Tool.category_id, func.count().label("count"))
        .where(on_board(here))
        .group_by(Tool.category_id)
        .subquery()
    )
    rows = await tx.execute(
        select(Category, func.coalesce(hanging.c.count, 0))
        .outerjoin(hanging, hanging.c.category_id == Category.id)
        .where(Category.community_id == here.id)
        .order_by(Category.position, Category.name)
    )
    counts = {shelf: count for shelf, count in rows}  # noqa: C416 - rows are no pairs to mypy
    shelves = list(counts)
    return [
        (shelf, counts[shelf] + sum(counts[one] for one in categories.below(shelf, shelves)))
        for shelf in categories.in_tree(shelves)
    ]


HAPPENED = {
    "request": "was asked for",
    "approve": "is promised",
    "hand_over": "went out",
    "take_back": "is back",
    "fetch": "went out",
    "give_back": "is back",
    "lend": "went out",
    "cancel": "is free again",
}


async def recent(tx: Tx, here: Here) -> list[dict[str, object]]:
    """What just happened, without a borrower's name: every member may read it.

    It looks alike to all, so it is silent about the tools of who has blocked somebody: else it
    would tell the blocked that a tool is not paused at all.
    """
    blocker = or_(Block.blocker_id == Tool.owner_id, Block.blocker_id == any_(Tool.keepers))
    open_to_all = ~exists().where(blocker)
    rows = await tx.execute(
        select(LoanEvent, Tool)
        .join(
            Loan,
            (Loan.community_id == LoanEvent.community_id) & (Loan.id == LoanEvent.loan_id),
        )
        .join(Tool, (Tool.community_id == Loan.community_id) & (Tool.id == Loan.tool_id))
        .where(
            LoanEvent.community_id == here.id,
            LoanEvent.act.in_(HAPPENED),
            Tool.status.in_(rules.ON_THE_BOARD),
            open_to_all,
        )
        .order_by(LoanEvent.at.desc(), LoanEvent.id.desc())
        .limit(RECENT)
    )
    new = await tx.scalars(
        select(Tool)
        .where(Tool.community_id == here.id, Tool.status == ToolStatus.LISTED, open_to_all)
        .order_by(Tool.created_at.desc(), Tool.id.desc())
        .limit(RECENT)
    )
    lines: list[tuple[datetime, str, str, Tool]] = [
        (event.at, f"event-{event.id}", f"{tool.name} {HAPPENED[event.act]}", tool)
        for event, tool in rows
    ]
    lines += [(tool.created_at, f"new-{tool.id}", f"New: {tool.name}", tool) for tool in new]
    lines.sort(key=lambda line: line[:2], reverse=True)
    return [
        {"id": key, "text": text, "at": at, "path": f"{here.path}/tools/{tool.id}"}
        for at, key, text, tool in lines[:RECENT]
    ]


def card(one: Seen, here: Here, locale: str) -> Mapping[str, object]:
    """What `board/_card.html` shows of a tool."""
    tool = one.tool
    return {
        "id": tool.id,
        "path": f"{here.path}/tools/{tool.id}",
        "name": tool.name,
        "category_name": tool.category.name,
        "icon": tool.category.icon,
        "photo_url": photo_url(tool, here),
        "photo_alt": tool.name,
        "price_text": words.price_per_day(tool.price_cents, here.currency, locale),
        "owner_name": tool.owner.name if tool.owner else here.name,
        "state": one.state,
        "hands_over": one.hands_over,
        "cell": tool.cell,
        "district": tool.district.name if tool.district else "",
    }


def several(alike: Sequence[Seen], here: Here, locale: str) -> Mapping[str, object]:
    """What `board/_alike.html` shows of identical tools, the first of them first."""
    pictured = next((one for one in alike if one.tool.photo), alike[0])
    return {
        **card(pictured, here, locale),
        "id": alike[0].tool.id,
        "path": f"{here.path}?alike={alike[0].tool.id}",
        "count": len(alike),
        "state": of_all([one.state for one in alike]),
        "hands_over": any(one.hands_over for one in alike),
    }


def line(tool: Tool, here: Here, locale: str) -> Mapping[str, object]:
    """A tool where there is no room for a card."""
    return {
        "path": f"{here.path}/tools/{tool.id}",
        "name": tool.name,
        "icon": tool.category.icon,
        "photo_url": photo_url(tool, here),
        "price_text": words.price_per_day(tool.price_cents, here.currency, locale),
        "owner_name": tool.owner.name if tool.owner else here.name,
    }


def photo_url(tool: Tool, here: Here, width: int = 480) -> str | None:
    return f"{here.path}/photos/{tool.photo.name}-{width}.webp" if tool.photo else None
