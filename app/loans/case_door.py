"""The door to what went wrong with a loan, for programs: one command, once, and what is so then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel

from app import clock, db
from app.db import Tx
from app.http import idempotency, throttle
from app.http.schemas import Key, LoanKey
from app.loans import cases, mediation, queries
from app.loans.case_shapes import CaseOut, Pictured, shape
from app.loans.settling import ANY_PART
from app.loans.shapes import LoanOut, shapes
from app.people.doors import ApiMemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import photos
from app.tools.photos import Stored


class Door:
    """Who comes in, for which loan, with which key."""

    def __init__(
        self, request: Request, viewer: ApiMemberEvenSuspended, loan_id: LoanKey, key: Key
    ) -> None:
        self.request, self.viewer, self.loan_id, self.key = request, viewer, loan_id, key


By = Annotated[Door, Depends()]
Act = Callable[[Tx, datetime, Stored | None], Awaitable[object]]


async def once(by: Door, body: BaseModel | None, act: Act, tx: Tx, picture: Stored | None) -> bool:
    """False: it had been done before."""
    person_id = by.viewer.person_id
    if await idempotency.recall(tx, person_id, by.request, by.key, body) is not None:
        return False
    await act(tx, clock.now(), picture)
    outcome = {"loan_id": by.loan_id}
    await idempotency.keep(tx, person_id, by.request, by.key, body, outcome)
    return True


async def loan_after(by: Door, body: BaseModel | None, act: Act) -> LoanOut:
    """One command, once per key; the answer is the loan as it is then."""
    async with db.begin() as tx:
        await once(by, body, act, tx, None)
        found = await queries.loan_for(tx, by.viewer, by.loan_id, who=ANY_PART)
        (answer,) = await shapes(tx, [found], by.viewer)
        return answer


async def case_after(by: Door, body: BaseModel | None, act: Act) -> CaseOut:
    """The same, answered with all that went wrong; a picture that nothing names goes again."""
    picture, hung = await _picture(by, body), False
    try:
        async with db.begin() as tx:
            done = await once(by, body, act, tx, picture)
            answer = await told(tx, by.viewer, by.loan_id)
        hung = done
    finally:
        if picture is not None and not hung:
            photos.discard(picture)
    return answer


async def _picture(by: Door, body: BaseModel | None) -> Stored | None:
    if not isinstance(body, Pictured) or not body.photo:
        return None
    async with db.snapshot() as tx:
        await queries.loan_for(tx, by.viewer, by.loan_id)
    photos.check_size(len(body.photo))
    await throttle.spend(f"photo:{by.viewer.person_id}", "photo", limit="30/minute")
    return await photos.store(body.photo)


async def told(tx: Tx, viewer: Viewer, loan_id: int) -> CaseOut:
    case = await cases.case(tx, await queries.loan_for(tx, viewer, loan_id))
    offered = await mediation.choice(tx, case.loan)
    return shape(case, viewer, offered.names, offered.both)
