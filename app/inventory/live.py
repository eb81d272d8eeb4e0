"""How far an import is, as its sender sees it."""

from __future__ import annotations

from app import topic
from app.db import Tx
from app.errors import NotFound
from app.inventory import bringing_in, held_here
from app.inventory.models import ImportState, ToolImport
from app.pages import partial
from app.people.viewer import Viewer
from app.realtime import Topics

topics = Topics()
BECOMES = {
    "new": "comes new",
    "changes": "changes",
    "same": "is the same already",
    "refused": "cannot be taken",
}


@topics.personal("import")
async def progress(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    import_id = topic.number(key)
    if import_id is None:
        return None
    try:
        found = await held_here.import_for(tx, viewer, import_id)
    except NotFound:
        return None
    return partial("inventory/_progress.html", **told(found, viewer))


def told(found: ToolImport, viewer: Viewer) -> dict[str, object]:
    counts = dict.fromkeys(BECOMES, 0)
    for fate in found.fates:
        counts[fate["becomes"]] += 1
    many = counts["new"] + counts["changes"]
    return {
        "import_id": found.id,
        "path": f"{viewer.here.path}/inventory/imports/{found.id}",
        "things": f"{viewer.here.path}/things",
        "state": ImportState(found.state).value,
        "said": found.said,
        "counts": counts,
        "many": many,
        "why_not": bringing_in.why_not_start(found),
        "done": min(found.done, found.of),
        "of": found.of,
    }
