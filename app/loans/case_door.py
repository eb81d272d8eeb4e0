"""The door to what went wrong with a loan, for programs: one command, once, and what is so then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel

from app import clock, db
from app.db import Tx
from app.http.schemas import Key, LoanKey
from app.loans import cases, mediation, queries
from app.loans.case_shapes import CaseOut, Pictured, shape
from app.loans.once import of_body, once, pictures
from app.loans.settling import ANY_PART
from app.loans.shapes import LoanOut, shapes
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Viewer
from app.tools.photos import Stored


class Door:
    """Who comes in, for which loan, with which key."""

    def __init__(
        self, request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, key: Key
    ) -> None:
        self.request, self.viewer, self.loan_id, self.key = request, viewer, loan_id, key


By = Annotated[Door, Depends()]
Act = Callable[[Tx, datetime, Stored | None], Awaitable[object]]


async def do(
    tx: Tx, by: Door, body: BaseModel | None, act: Act, picture: Stored | None = None
) -> bool:
    """False: it had been done before."""
    return await once(
        tx, by.request, by.viewer, by.key, body, lambda: act(tx, clock.now(), picture)
    )


async def loan_after(by: Door, body: BaseModel | None, act: Act) -> LoanOut:
    """One command, once per key; the answer is the loan as it is then."""
    async with db.begin() as tx:
        await do(tx, by, body, act)
        found = await queries.loan_for(tx, by.viewer, by.loan_id, who=ANY_PART)
        (answer,) = await shapes(tx, [found], by.viewer)
        return answer


async def case_after(by: Door, body: BaseModel | None, act: Act) -> CaseOut:
    """The same, answered with all that went wrong; a picture that nothing names goes again."""
    sent = [body.photo] if isinstance(body, Pictured) and body.photo else []
    if sent:
        async with db.snapshot() as tx:
            await queries.loan_for(tx, by.viewer, by.loan_id)
    async with pictures(by.viewer, of_body(sent)) as kept:
        async with db.begin() as tx:
            done = await do(tx, by, body, act, kept.first)
            answer = await told(tx, by.viewer, by.loan_id)
        kept.hung = done
    return answer


async def told(tx: Tx, viewer: Viewer, loan_id: int) -> CaseOut:
    case = await cases.case(tx, await queries.loan_for(tx, viewer, loan_id))
    offered = await mediation.choice(tx, case.loan)
    return shape(case, viewer, offered.names, offered.both)
