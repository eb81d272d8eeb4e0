"""Tables, zips, and a street to bring them to, in one transaction."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO

from sqlalchemy import delete, select

from app.db import Tx
from app.inventory import bringing_in, held_here, running, taking_along
from app.inventory.models import ToolImport
from app.people.viewer import Viewer
from app.queue import Job
from app.tools import commands as tools
from tests.people.living import NOW, community, member, person, viewer

HEADER = ("key", "name", "category", "price")


def csv(*rows: Sequence[str], header: Sequence[str] = HEADER) -> bytes:
    return "\n".join(",".join(row) for row in (header, *rows)).encode()


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> BytesIO:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out


async def street(tx: Tx) -> tuple[Viewer, Viewer]:
    """Ada, a member, and Cora, who coordinates: in a community of their own."""
    cora = await person(tx, "Cora Lindqvist")
    elm = await community(tx, cora)
    tools.furnish(tx, elm.id)
    await tx.flush()
    return await member(tx, elm, "Ada Moreno"), await viewer(tx, elm, cora)


async def looked(tx: Tx, by: Viewer, table: bytes, photos: BytesIO | None = None) -> ToolImport:
    return await bringing_in.receive(tx, by, "tools.csv", table, photos, NOW)


async def brought(tx: Tx, by: Viewer, table: bytes, photos: BytesIO | None = None) -> ToolImport:
    """Looked at, started, and through with all its job's turns."""
    found = await looked(tx, by, table, photos)
    await run(tx, await bringing_in.start(tx, found.id, by, NOW), by)
    return found


async def run(tx: Tx, found: ToolImport, by: Viewer) -> None:
    key = f"{by.community_id}/{found.id}"
    for _ in range(20):
        await running.run(tx, key, NOW)
        if found.state != "running":
            over = delete(Job).where(Job.name == bringing_in.GONE, Job.key == key)
            if await tx.scalar(over.returning(Job.id)):
                await bringing_in.discard(tx, key, NOW)
            return
        waiting = select(Job.id).where(Job.name == bringing_in.JOB, Job.key == key)
        assert await tx.scalar(waiting), "it has not asked for another turn"
    raise AssertionError("it never ends")


async def exported(tx: Tx, by: Viewer) -> bytes:
    return taking_along.table(await held_here.exported_by(tx, by))


def fates(found: ToolImport) -> list[tuple[int, str]]:
    return [(fate["row"], fate["becomes"]) for fate in found.fates]


def why(found: ToolImport, row: int) -> list[tuple[str, str]]:
    (fate,) = [fate for fate in found.fates if fate["row"] == row]
    return [(column, sentence) for column, sentence in fate["why"]]
