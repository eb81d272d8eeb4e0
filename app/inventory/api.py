"""Tools as a table, for programs: the same table, the same look before anything happens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field

from app import clock, db
from app.errors import Refusal
from app.http import throttle
from app.http.schemas import ID_LIMIT, Answered, Asked, problems
from app.inventory import bringing_in, cells, held_here, taking_along
from app.inventory.models import ImportState, ToolImport
from app.inventory.trial import Becomes
from app.people.doors import ApiMember
from app.tools import rules

api = APIRouter(prefix="/api/v1/c/{slug}/inventory", tags=["tools"])
ImportKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[4])]


class NewImport(Asked):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"table": "key,name,category\nd1,Drill,drills\n"}]}
    )

    table: str = Field(max_length=cells.BYTES, description="CSV; its first row names the columns")


class WhyOut(Answered):
    column: str = Field(examples=["price"], description="Empty: the row as a whole")
    sentence: str = Field(examples=["That is not a price. Write it like 2.50, or 0 for free."])


class FateOut(Answered):
    row: int = Field(examples=[2], description="As a spreadsheet counts; the header is 1")
    becomes: Becomes
    name: str = Field(examples=["Drill"])
    changes: list[str] = Field(examples=[["price"]], description="Columns")
    why: list[WhyOut] = Field(description="What stands in its way")


class ImportOut(Answered):
    id: int = Field(examples=[4])
    state: ImportState = Field(description="looked: nothing has happened yet")
    said: str = Field(description="Why nothing was imported, if so")
    warnings: list[str]
    done: int
    of: int = Field(description="Photos and rows that it takes")
    rows: list[FateOut]


@api.get(
    "/tools.csv",
    summary="Your tools as a table",
    response_class=Response,
    responses=problems() | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def table(viewer: ApiMember) -> Response:
    """What you lend; for coordinators also what belongs to the community. UTF-8 with a mark."""
    await throttle.spend(f"export:{viewer.person_id}", "export", limit="20/minute")
    async with db.snapshot() as tx:
        held = await held_here.exported_by(tx, viewer)
    return Response(
        taking_along.table(held),
        media_type="text/csv; charset=utf-8",
        headers={"Cache-Control": "private, no-store"},
    )


@api.post(
    "/imports",
    status_code=201,
    summary="Look at a table of tools",
    responses=problems(422, 429),
)
async def look(viewer: ApiMember, new: NewImport) -> ImportOut:
    """Nothing is imported by this. Photos are added tool by tool."""
    if refusal := rules.why_not_list(viewer):
        raise refusal
    await throttle.spend(f"import:{viewer.person_id}", "import", limit="10/minute")
    async with db.begin() as tx:
        return shape(
            await bringing_in.receive(tx, viewer, "table.csv", _bytes(new.table), None, clock.now())
        )


@api.get("/imports/{import_id}", summary="A table and its rows", responses=problems())
async def one(viewer: ApiMember, import_id: ImportKey) -> ImportOut:
    """For who has sent it."""
    async with db.snapshot() as tx:
        return shape(await held_here.import_for(tx, viewer, import_id))


@api.post(
    "/imports/{import_id}/start",
    summary="Import it",
    responses=problems(409),
)
async def start(viewer: ApiMember, import_id: ImportKey) -> ImportOut:
    """All rows that can be taken come together, or none does. Ask for it again to see how far."""
    async with db.begin() as tx:
        return shape(await bringing_in.start(tx, import_id, viewer, clock.now()))


def _bytes(table: str) -> bytes:
    try:
        return table.encode()
    except UnicodeEncodeError:  # half a character
        raise Refusal(
            "The table has characters that are none.",
            "Send it as UTF-8.",
            status=422,
            code="table",
            field_name="table",
        ) from None


def shape(found: ToolImport) -> ImportOut:
    return ImportOut(
        id=found.id,
        state=ImportState(found.state),
        said=found.said,
        warnings=found.warnings,
        done=found.done,
        of=found.of,
        rows=[
            FateOut(
                row=fate["row"],
                becomes=fate["becomes"],
                name=fate["name"],
                changes=fate["changes"],
                why=[WhyOut(column=column, sentence=said) for column, said in fate["why"]],
            )
            for fate in found.fates
        ],
    )
