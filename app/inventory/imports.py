"""A table that is sent in: what would become of each row, and the yes to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.datastructures import FormData, UploadFile

from app import clock, db, pages, topic
from app.errors import Refusal
from app.http import throttle
from app.inventory import bringing_in, cells, held_here, packing, routes
from app.inventory.live import BECOMES
from app.people.doors import Member
from app.people.forms import Form
from app.tools import rules

router = APIRouter()
ImportKey = Annotated[int, Path(ge=1, lt=2**62)]
Kind = Annotated[str, Query(pattern="^(new|changes|same|refused)?$")]
SHOWN = 100


@router.post("/c/{slug}/inventory/imports")
async def send(request: Request, viewer: Member) -> Response:
    if refusal := rules.why_not_list(viewer):
        raise refusal
    await throttle.spend(f"import:{viewer.person_id}", "import", limit="10/minute")
    form = await request.form(max_files=2, max_fields=10)
    try:
        table, zipped = _files(form)
        content = await table.read()
        async with db.begin() as tx:
            made = await bringing_in.receive(
                tx,
                viewer,
                table.filename or "",
                content,
                zipped.file if zipped else None,
                clock.now(),
            )
    except Refusal as refusal:
        return await routes.inventory_page(request, viewer, Form.again(refusal))
    return pages.back_to(f"{viewer.here.path}/inventory/imports/{made.id}")


@router.get("/c/{slug}/inventory/imports/{import_id}")
async def look(
    request: Request, viewer: Member, import_id: ImportKey, becomes: Kind = ""
) -> Response:
    home = f"{viewer.here.path}/inventory"
    path = f"{home}/imports/{import_id}"
    async with db.snapshot() as tx:
        found = await held_here.import_for(tx, viewer, import_id)
        counts = {kind: sum(fate["becomes"] == kind for fate in found.fates) for kind in BECOMES}
        # What needs a look comes first.
        becomes = becomes or next(
            (kind for kind in ("refused", "changes", "new", "same") if counts[kind]), "new"
        )
        rows = [fate for fate in found.fates if fate["becomes"] == becomes]
        return await pages.render(
            request,
            "inventory/import.html",
            tx=tx,
            progress_html=await pages.region(
                request, tx, topic.imported(viewer.community_id, import_id)
            ),
            file=found.table_name,
            warnings=found.warnings,
            rows=[fate | {"words": BECOMES[fate["becomes"]]} for fate in rows[:SHOWN]],
            more=max(0, len(rows) - SHOWN),
            kinds=[
                {
                    "words": kind.capitalize(),
                    "count": counts[kind],
                    "href": f"{path}?becomes={kind}",
                    "here": kind == becomes,
                }
                for kind in BECOMES
            ],
            report=f"{path}/rows.csv",
            home=home,
        )


@router.get("/c/{slug}/inventory/imports/{import_id}/rows.csv")
async def report(viewer: Member, import_id: ImportKey) -> Response:
    """Each row's fate; each reason in a row of its own."""
    async with db.snapshot() as tx:
        found = await held_here.import_for(tx, viewer, import_id)
    rows = [
        (str(fate["row"]), fate["becomes"], fate["name"], column, sentence)
        for fate in found.fates
        for column, sentence in fate["why"] or [[", ".join(fate["changes"]), ""]]
    ]
    content = cells.write(("row", "becomes", "name", "column", "reason"), rows)
    return Response(
        content,
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="rows.csv"',
            "Cache-Control": "private, no-store",
        },
    )


@router.post("/c/{slug}/inventory/imports/{import_id}/start")
async def start(viewer: Member, import_id: ImportKey) -> Response:
    async with db.begin() as tx:
        await bringing_in.start(tx, import_id, viewer, clock.now())
    return pages.back_to(f"{viewer.here.path}/inventory/imports/{import_id}")


def _files(form: FormData) -> tuple[UploadFile, UploadFile | None]:
    """The table, and the zip with the photos if there is one."""
    table, zipped = form.get("table"), form.get("photos_zip")
    if not isinstance(table, UploadFile) or not table.filename:
        raise _wrong("table", "There is no table in it.", "Choose the file first.")
    if (table.size or 0) > cells.BYTES:
        raise _wrong("table", "The table is larger than 10 MB.", "Divide it into several.")
    if not isinstance(zipped, UploadFile) or not zipped.filename:
        return table, None
    if (zipped.size or 0) > packing.BYTES:
        raise _wrong("photos_zip", "The zip is larger than 100 MB.", "Divide it into several.")
    return table, zipped


def _wrong(field: str, sentence: str, way_out: str) -> Refusal:
    return Refusal(sentence, way_out, status=422, code=field, field_name=field)
