"""A street inside one transaction: Ada lends a drill, Ben and Cy want it, Cora coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock
from app.db import Tx
from app.loans import commands, handover, queries
from app.loans.models import Loan
from app.people.viewer import Here, Viewer
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.models import Tool
from tests.people.living import NOW, community, member, person, viewer

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TODAY = NOW.date()  # Friday, 1 May 2026; noon in UTC, 13:00 in London


@dataclass
class Elm:
    tx: Tx
    ada: Viewer
    ben: Viewer
    cy: Viewer
    cora: Viewer
    drill: Tool

    @property
    def here(self) -> Here:
        return self.ada.here

    def days(self, first: int, last: int | None = None) -> tuple[datetime, datetime]:
        """Whole days, counted from today, both inclusive."""
        end = first if last is None else last
        return clock.days(TODAY + first * DAY, TODAY + end * DAY, self.here.zone)

    async def asked(
        self, who: Viewer, first: int, last: int | None = None, now: datetime = NOW
    ) -> Loan:
        return await self.asked_at(who, *self.days(first, last), now=now)

    async def asked_at(
        self, who: Viewer, start: datetime, end: datetime, now: datetime = NOW
    ) -> Loan:
        return await commands.request(self.tx, self.drill.id, start, end, who, now)

    async def promised(
        self, who: Viewer, first: int, last: int | None = None, now: datetime = NOW
    ) -> Loan:
        loan = await self.asked(who, first, last, now)
        return await commands.approve(self.tx, loan.id, self.ada, now)

    async def out(
        self, who: Viewer, first: int, last: int | None = None, now: datetime = NOW
    ) -> Loan:
        loan = await self.promised(who, first, last, now)
        return await handover.hand_over(self.tx, loan.id, self.ada, now)

    async def fresh(self, loan: Loan) -> Loan:
        """As the database has it, for whoever held it before."""
        return await queries.locked(self.tx, loan.community_id, loan.id)


async def elm_street(tx: Tx, zone: str = "Europe/London") -> Elm:
    cora = await person(tx, "Cora Lindqvist")
    elm = await community(tx, cora, zone=zone)
    tools.furnish(tx, elm.id)
    await tx.flush()
    ada = await member(tx, elm, "Ada Moreno")
    ben, cy = await member(tx, elm, "Ben Okafor"), await member(tx, elm, "Cy Tanaka")
    drill = await tools.list_tool(tx, ToolText(name="Drill", category="drills"), ada, NOW)
    return Elm(tx, ada, ben, cy, await viewer(tx, elm, cora), drill)
