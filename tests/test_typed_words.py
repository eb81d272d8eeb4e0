"""Scripts typed into everything that people can type: no page and no region is any different."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app import db
from app.chat import queries as chat
from app.chat.models import Report
from app.loans.incident import Incident
from app.main import app, registry
from app.people.models import Membership, Status
from app.realtime import touch
from tests import typed, typed_json
from tests.api.conftest import programs_of
from tests.neighbours import Neighbour, browser, found_street
from tests.stories.place import Place, furnished
from tests.stories.test_accessible import PAGES
from tests.test_faults import house, own  # noqa: F401 - a fixture
from tests.test_walls import every_route

# No pages; and those on which nobody's words stand: an address, the kinds of notices.
NO_PAGE = re.compile(
    r"^/(api|static|docs|health|metrics|live|push|sw\.js|manifest|demo|set-up|offline)"
    r"|^/(confirm|unsubscribe)|^/$|\{ending\}|\.(svg|csv|zip|ics)$"
    r"|/\{wanted_id\}$|/\{watch_id\}$"  # they lead on
)
# What stands in mails (`tests/notices/test_typed_mail.py`), in the API's JSON or nowhere.
NOT_ON_PAGES = {
    *("community.area", "letter.facts", "delivery.last_error", "loan.place", "loan.safety"),
    *("loan_event.reason", "tool.key"),
}
TOO_LONG = typed.EVIL * 3


def test_every_column_is_typed_into_or_our_own() -> None:
    assert set(typed.columns()) == set(typed.KEPT) | typed.OURS
    assert not set(typed.KEPT) & typed.OURS


def test_every_field_takes_words_or_has_a_shape() -> None:
    found = {*_fields_of_routes(), *_fields_of_the_api()}
    assert found <= typed.WORDS | typed.SHAPED, "a new field: is it in a case here?"


def _fields_of_routes() -> Iterator[str]:
    """Texts that a page's forms and addresses take."""
    for route in every_route():
        todo = [route.dependant] if hasattr(route, "dependant") else []
        while todo:
            needs = todo.pop()
            todo += needs.dependencies
            for one in (*needs.body_params, *needs.query_params):
                if "str" in str(one.field_info.annotation) and not route.path.startswith("/api"):
                    yield one.alias


def _fields_of_the_api() -> Iterator[str]:
    said = app.openapi()

    def strings(schema: dict[str, Any]) -> Iterator[str]:
        """Names of what can be any text, inner ones behind a dot."""
        if "$ref" in schema:
            schema = said["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        for one in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
            yield from strings(one)
        if schema.get("type") == "string" and not {"format", "enum", "pattern"} & set(schema):
            yield ""
        for name, one in schema.get("properties", {}).items():
            yield from (f"{name}.{inner}".rstrip(".") for inner in strings(one))

    for path in said["paths"].values():
        for operation in path.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from strings(content["schema"])
            for one in operation.get("parameters", ()):
                if one["in"] == "query":
                    yield from (one["name"] for _ in strings(one["schema"]))


@dataclass
class Seen:
    """One look at everything: what each person's pages and regions are, by address."""

    place: Place
    clients: dict[str, httpx.AsyncClient]
    html: dict[tuple[str, str], str] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)
    looked: set[str] = field(default_factory=set)  # paths


@pytest.fixture
async def place(own: AsyncEngine) -> AsyncIterator[Place]:  # noqa: F811
    """In a database of its own, where a name may be as long as all tries."""
    async with db.begin() as tx:  # before anybody works with it
        await typed.allow_any_length(tx)
    at = {"DATABASE_URL": own.url.render_as_string(hide_password=False)}
    async with house(left=at, right=at) as street, found_street(street.workers) as quiet:
        made = await furnished(street, quiet)
        await fill_up(made)
        yield made


async def fill_up(place: Place) -> None:
    """What people can type in places that the furniture leaves empty."""
    street, home, day = place.street, place.street.here.path, place.street.day
    ada, ben, cora = street.ada, street.ben, street.cora
    punch = await ada.lists("Hole punch", parts="Case\nBlade")
    bare = await ada.does(f"{home}/tools/{punch}/lending", name="Eva", end=day(1), end_time="18:00")
    noted = {"says_how": 1, "there": "Case", "condition": "as_before", "words": "All is well."}
    await ada.does(f"{bare}/handover/out", **noted)
    place.paths.update({"room, bare": bare, "hand-over, bare": f"{bare}/handover/out"})

    mine = place.paths["tool, one's own"]
    await ada.does(f"{mine}/repairs", words="Oiled.", day=street.today)
    out = place.paths["room, with an incident"]
    for about in ("", "again"):
        if about:
            await ada.does(f"{out}/incidents", kind="damage", reason="And another one.")
        async with db.snapshot() as tx:
            newest = await tx.scalar(select(func.max(Incident.id)))
        case = f"{out}/incidents/{newest}"
        await ben.does(f"{case}/proposal", reason="I glue it.", amount="5", payer="borrower")
        if not about:
            await ada.does(f"{case}/settlement")
    room, said = place.paths["message"].split("/rooms/")[1].split("/messages/")
    async with db.snapshot() as tx:
        reported = await tx.scalar(select(Report.id).where(Report.message_id == int(said)))
        asked = await chat.last_of(tx, street.here.id, int(room), ben.id)
    assert asked is not None
    await cora.does(f"{home}/reports/{reported}/settlement", reason="We have talked.")
    await ada.does(f"{home}/rooms/{room}/messages/{asked.id}/report", reason="And he?")

    async with programs_of(street) as here:
        shed = await here.ben.lists("Shed", self_service=True)
        await here.ben.posts(f"/tools/{shed}/key-box", {"place": "By the door", "code": "1234"})
    taken = await ada.asks_for(shed, street.today)
    await ben.acts(taken, "approval")
    place.paths.update({"room, shed": f"{home}/loans/{taken}", "shed": f"{home}/tools/{shed}/edit"})
    async with db.begin() as tx:
        waits = Membership.person_id == place.quiet.cy.id
        await tx.execute(update(Membership).where(waits).values(status=Status.PENDING))


OTHERS = {"shed": "ben"}


def somebody(place: Place, name: str) -> Neighbour | None:
    return place.quiet.cy if name == "waiting" else place.who(name)


async def looks(place: Place, clients: dict[str, httpx.AsyncClient]) -> Seen:
    seen, home = Seen(place, clients), place.street.here.path
    paths = [((PAGES | OTHERS).get(name, "ada"), path) for name, path in place.paths.items()]
    paths += [(who, f"{home}/notices") for who in ("ada", "ben", "cora")]
    paths += [("cora", f"{home}/jobs"), ("waiting", f"{place.quiet.here.path}/waiting")]
    paths += [("cy", f"{place.paths['question']}/lines")]
    tool = place.paths["tool, one's own"]
    paths += [("ada", f"{home}/{one}") for one in ("calendar", "inventory", "labels")]
    paths += [("ada", f"{home}/labels?tool={tool.rsplit('/', 1)[1]}")]
    paths += [("ada", f"{tool}/maintenance"), ("cora", f"{home}/categories")]
    paths += [("ada", f"{tool}/like"), ("ada", f"{home}/tools/suggestion?name=drill")]
    names = dict.fromkeys(name for name, _ in paths)
    await asyncio.gather(
        *(looks_at(seen, name, [path for one, path in paths if one == name]) for name in names)
    )
    return seen


async def looks_at(seen: Seen, name: str, paths: list[str]) -> None:
    """As one person, in one browser: the pages, and each region on them as it is drawn alone."""
    client = seen.clients[name]
    for path in dict.fromkeys(paths):
        answer = await client.get(path, follow_redirects=True)
        assert answer.status_code < 500, path
        seen.html[name, path] = answer.text
        seen.looked.add(answer.url.path)
    topics = {
        topic
        for (one, _), page in [*seen.html.items()]
        if one == name
        for topic in re.findall(r'data-topic="([^"]+)"', page)
    }
    for topic in sorted(topics if somebody(seen.place, name) else ()):
        answer = await client.get("/live", params={"topic": topic})
        if answer.status_code == 200:
            seen.html[name, topic] = answer.json().get("html") or ""
    seen.topics |= topics


@asynccontextmanager
async def browsers(place: Place) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        found = {}
        for name in {*PAGES.values(), "waiting"}:
            who = somebody(place, name)
            made = browser(who.at, who.cookie) if who else browser(place.street.workers[0])
            found[name] = await stack.enter_async_context(made)
        yield found


async def typed_into(topics: Iterable[str], *, evil: bool) -> dict[str, int]:
    async with db.begin() as tx:
        rows = await typed.type_everywhere(tx, evil=evil)
        touch(tx, *sorted(one for one in topics if "/list" not in one and "/room/" not in one))
    return rows


async def test_no_page_and_no_region_has_an_element_more_or_less(place: Place) -> None:
    async with browsers(place) as clients:
        rows = await typed_into((), evil=False)
        harmless = await looks(place, clients)
        await typed_into(harmless.topics, evil=True)
        scripts = await looks(place, clients)
        everything_was_seen(scripts, rows)
        assert scripts.html.keys() == harmless.html.keys()
        differ = {at: changed(harmless.html[at], page) for at, page in scripts.html.items()}
        assert not any(differ.values()), {at: lines for at, lines in differ.items() if lines}
        await what_is_typed_into_forms(harmless)
        await what_is_typed_into_addresses(harmless)
    await typed_json.programs_look(place.street)


def everything_was_seen(seen: Seen, rows: dict[str, int]) -> None:
    """Each kind of region, each page, and the words of each column."""
    assert {topic.split("/")[1] for topic in seen.topics} == set(registry().kinds)
    pages = [one for one in every_route() if "GET" in (getattr(one, "methods", None) or ())]
    unseen = [
        one.path
        for one in pages
        if not NO_PAGE.search(one.path)
        and not any(one.path_regex.match(path) for path in seen.looked)
    ]
    assert not unseen, "nobody has looked at these pages"
    shown = "\n".join(seen.html.values())
    missing = {kept for kept in typed.KEPT if typed.mark(kept) not in shown}
    assert missing == NOT_ON_PAGES, {kept: rows[kept] for kept in missing ^ NOT_ON_PAGES}


def changed(harmless: str, page: str) -> list[str]:
    """The harmless words have none of these: as many of each are those of the page itself."""
    if all(harmless.count(sign) == page.count(sign) for sign in "<>\"'"):
        return []
    before, after = typed.structure(harmless), typed.structure(page)
    return [*difflib.unified_diff(before, after, lineterm="", n=0)][:8]


async def what_is_typed_into_forms(seen: Seen) -> None:
    """Too long for every field: the page comes again, with the words in it."""
    done: set[tuple[str, str]] = set()
    kept = 0
    for (name, at), page in seen.html.items():
        for form in typed.forms(page) if at.startswith("/") else ():
            action = re.sub(r"\d+", "#", form.action)
            fresh = [one for one in form.typed if (action, one) not in done]
            done |= {(action, one) for one in fresh}
            for one in fresh:
                shaped = form.typed[one] not in ("text", "search", "email")
                assert shaped or one in typed.WORDS | typed.SHAPED, f"a new field: {one}"
                answers = [
                    await seen.clients[name].post(form.action or at, data=form.sends | {one: words})
                    for words in both(TOO_LONG)
                ]
                alike(f"{form.action} {one}", *answers)
                kept += typed.mark("tool.name") in answers[1].text
    assert kept > 30, "the walk has lost its way"


async def what_is_typed_into_addresses(seen: Seen) -> None:
    done: set[tuple[str, str]] = set()
    for name, at in seen.html:
        path = at.split("?")[0]
        for route in every_route() if at.startswith("/") else ():
            if not route.path_regex.match(path):
                continue
            for one in getattr(getattr(route, "dependant", None), "query_params", ()):
                if (route.path, one.alias) in done:
                    continue
                done.add((route.path, one.alias))
                answers = [
                    await seen.clients[name].get(path, params={one.alias: words})
                    for words in both(typed.FIRST)
                ]
                alike(f"{path} {one.alias}", *answers)
    assert len(done) > 10, "the walk has lost its way"


def both(whole: str) -> tuple[str, str]:
    return (
        typed.words("tool.name", evil=False, whole=whole),
        typed.words("tool.name", evil=True, whole=whole),
    )


def alike(where: str, harmless: httpx.Response, scripts: httpx.Response) -> None:
    assert harmless.status_code == scripts.status_code < 500, where
    assert not changed(harmless.text, scripts.text), where
    there = scripts.headers.get("location", "/")
    assert re.match("/(?!/)", there), where
