"""For every kind of live region, through a whole story: what is pushed is what a page shows.

Each region is drawn before and after each act, for each kind of viewer. Whatever looks different
must have a higher version, and what arrived at an open screen must stand, letter for letter, in a
freshly loaded page. The registry is walked: a kind without a case here fails.
"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sqlalchemy import func, select

from app import clock, db, topic
from app.board import alike
from app.chat import queries as chat
from app.loans.incident import Incident
from app.loans.models import Loan
from app.loans.proposal import ChangeState, LoanChange
from app.main import registry
from app.people.models import Membership, Status
from app.wanted.models import Wanted, WantedAnswer
from tests.neighbours import Neighbour, Screen, Street
from tests.neighbours import _person as move_in


@dataclass
class Story:
    """The ids the story is about; the loan comes into being in the middle of it."""

    street: Street
    tool: int = 0
    alike: tuple[int, ...] = ()  # two more, on one hook
    loan: int = 0
    room: int = 0
    asked: int = 0  # a question's own room
    newcomer: int = 0
    wanted: int = 0
    imported: int = 0  # a table of tools

    def cases(self, who: Neighbour) -> dict[str, tuple[str, str]]:
        """kind → (topic, the page that shows its region), as far as they exist by now."""
        here, home = self.street.here, who.home
        found = {
            "list": (topic.listing(here.id), home),
            "board": (topic.board(here.id), home),
            "recent": (topic.recent(here.id), home),
            "things": (topic.things(who.id), f"{home}/things"),
            "waiting": (topic.waiting(who.id), home),
            "unread": (topic.unread(who.id), home),
            "bell": (topic.bell(who.id), home),
            "notices": (topic.notices(who.id), f"{home}/notices"),
            "rooms": (topic.rooms(who.id), f"{home}/rooms"),
            "members": (topic.members(here.id), f"{home}/members"),
            "reports": (topic.reports(here.id), f"{home}/reports"),
            "help": (topic.help(here.id), f"{home}/help"),
            "wanted": (topic.wanted(here.id), f"{home}/wanted"),
        }
        if self.tool:
            found["tool"] = (topic.tool(here.id, self.tool), home)
            found["mine"] = (topic.mine(here.id, self.tool), f"{home}/tools/{self.tool}")
            found["waitlist"] = (
                topic.waitlist(here.id, self.tool),
                f"{home}/tools/{self.tool}",
            )
            found["history"] = (
                topic.history(here.id, self.tool),
                f"{home}/tools/{self.tool}",
            )
            found["dates"] = (topic.dates(here.id, self.tool), f"{home}/tools/{self.tool}")
        if self.alike:
            found["alike"] = (topic.alike(here.id, alike.key(self.alike)), home)
        if self.imported:
            path = f"{home}/inventory/imports/{self.imported}"
            found["import"] = (topic.imported(here.id, self.imported), path)
        if self.asked:
            path = f"{home}/rooms/{self.asked}"
            found["question"] = (topic.question(here.id, self.asked), path)
        if self.loan:
            room = f"{home}/loans/{self.loan}"
            found["loan"] = (topic.loan(here.id, self.loan), room)
            found["room"] = (topic.room(here.id, self.room), room)
            found["seen"] = (topic.seen(here.id, self.room), room)
            found["handover"] = (topic.handover(here.id, self.loan), room)
            found["similar"] = (topic.similar(here.id, self.loan), room)
            found["amends"] = (topic.amends(here.id, self.loan), room)
            found["facts"] = (topic.facts(here.id, self.loan), f"{home}/help/{self.loan}")
            found["writing"] = (topic.writing(here.id, self.loan), room)
            found["delivered"] = (topic.delivered(here.id, self.loan), room)
        return found


@dataclass
class Open:
    """One viewer: an open screen, and what plain GETs said before the act."""

    who: Neighbour
    screen: Screen
    before: dict[str, tuple[int, str | None]] = field(default_factory=dict)


def test_every_kind_of_region_has_a_case(street: Street) -> None:
    known = set(
        Story(street, tool=1, alike=(1, 2), loan=1, room=1, asked=1, imported=1).cases(street.ada)
    )
    assert set(registry().kinds) == known


async def drawn(who: Neighbour, name: str) -> tuple[int, str | None]:
    """(version, HTML) as `GET /live` draws it; HTML None if it is not theirs."""
    answer = await who.client.get("/live", params={"topic": name})
    if answer.status_code == 404:
        return 0, None
    frame = answer.json()
    return frame["version"], frame.get("html")


async def note(one: Open, story: Story) -> None:
    for name, _ in story.cases(one.who).values():
        one.before[name] = await drawn(one.who, name)


async def check(one: Open, story: Story, act: str) -> int:
    """After an act: versions, the pushed region and a fresh page agree; how many looked new."""
    changed = 0
    pages: dict[str, str] = {}
    for kind, (name, path) in story.cases(one.who).items():
        version, html = await drawn(one.who, name)
        was_version, was_html = one.before.get(name, (0, None))
        if html is None and kind != "list":
            continue
        if html != was_html:
            changed += 1
            assert version > was_version, f"{act}: {name} looks new to {one.who.name} unannounced"
        one.before[name] = (version, html)
        if name not in one.screen.version:
            await one.screen.watch(name)
        await one.screen.until(lambda name=name, v=version: one.screen.version.get(name, 0) >= v)
        if kind == "list":
            continue
        if path not in pages:
            pages[path] = await one.who.opens(path)
        page = pages[path]
        # Nothing is pushed of what was never touched: the screen is up to date at version 0.
        pushed = (one.screen.html.get(name) or html or "").strip()
        if kind == "room":
            rows = {row[: row.index("data-born")]: row for row in pushed.split("<li ")[1:]}
            assert rows, "a room has at least the line that opened it"
            missing = [row for row in rows.values() if row.strip() not in page]
            assert not missing, f"{act}: rows of {name} are not in the page: {missing}"
        else:
            assert pushed in page, f"{act}: {name} was pushed to {one.who.name} as\n{pushed}"
    return changed


async def find_room(story: Story) -> None:
    async with db.snapshot() as tx:
        loan = await tx.get(Loan, (story.street.here.id, story.loan))
        assert loan is not None
        story.room = loan.conversation_id


async def proposed(loan_id: int) -> int:
    """What waits for an answer."""
    async with db.snapshot() as tx:
        found = select(LoanChange.id).where(
            LoanChange.loan_id == loan_id, LoanChange.state == ChangeState.OPEN
        )
        return int((await tx.scalars(found)).one())


Acts = list[tuple[str, Callable[[], Awaitable[object]]]]


def acts(story: Story) -> Acts:
    street = story.street
    ada, ben, cy, cora = street.ada, street.ben, street.cy, street.cora

    async def list_a_drill() -> None:
        story.tool = await ada.lists("Cordless drill", price="2.50")

    async def list_two_alike() -> None:
        story.alike = (await ada.lists("Chair", "party"), await ada.lists("Chair", "party"))

    async def ask() -> None:
        story.loan = await ben.asks_for(story.tool, street.today, street.day(1), note="May I?")
        await find_room(story)

    async def ask_again() -> None:
        await street.cy.asks_for(story.tool, street.day(1), street.day(2))

    async def ask_later() -> None:
        await street.cy.asks_for(story.tool, street.day(3), street.day(4))

    async def ask_about() -> None:
        there = f"{cora.home}/tools/{story.tool}/questions"
        story.asked = int((await cora.does(there, about="Is it loud?")).rsplit("/", 1)[1])

    async def ask_all() -> None:
        await ben.does(f"{ben.home}/wanted", words="A tile cutter", start=street.day(1))
        async with db.snapshot() as tx:
            newest = select(func.max(Wanted.id)).where(Wanted.community_id == street.here.id)
            story.wanted = int(await tx.scalar(newest) or 0)

    async def list_for_it() -> None:
        async with db.snapshot() as tx:
            answer = await tx.scalar(
                select(WantedAnswer.id).where(WantedAnswer.wanted_id == story.wanted)
            )
        await ada.lists("Tile cutter", answer=answer)

    async def see() -> None:
        await ada.posts(f"{ada.home}/rooms/{story.room}/seen", up_to=10_000)

    async def report() -> None:
        async with db.snapshot() as tx:
            last = await chat.last_of(tx, street.here.id, story.room, ben.id)
        assert last is not None
        there = f"{ada.home}/rooms/{story.room}/messages/{last.id}/report"
        await ada.does(there, reason="Look at it.")

    async def of_message(noun: str, **form: object) -> None:
        """To the last that ben has said."""
        async with db.snapshot() as tx:
            last = await chat.last_of(tx, street.here.id, story.room, ben.id)
        assert last is not None
        await ben.does(f"{ben.home}/rooms/{story.room}/messages/{last.id}/{noun}", **form)

    async def knock() -> None:
        async with db.begin() as tx:
            person = await move_in(tx, f"zoe.{street.here.slug}@example.org", "Zoe Marsh")
            story.newcomer = person.id
            tx.add(
                Membership(
                    community_id=street.here.id,
                    person_id=person.id,
                    status=Status.PENDING,
                    asked_at=clock.now(),
                )
            )
            from app.realtime import touch

            touch(tx, topic.members(street.here.id))

    def choose() -> Awaitable[object]:
        path = f"{cy.home}/tools/{story.tool}/hold"
        return cy.does(path, start=street.day(6), end=street.day(7))

    def close_days() -> Awaitable[object]:
        path = f"{ada.home}/tools/{story.tool}/blackouts"
        return ada.does(path, start=street.day(9), end=street.day(9))

    def edit() -> Awaitable[object]:
        path = f"{ada.home}/tools/{story.tool}/edit"
        return ada.does(path, name="Strong drill", category="saws")

    async def block() -> None:
        await ada.does(f"{ada.home}/people/{ben.id}/block")
        card, _ = story.cases(ben)["tool"]
        assert "Paused" in str(await drawn(ben, card)), "ben is a viewer of another kind now"
        assert "Paused" not in str(await drawn(street.cy, card))

    def note_condition() -> Awaitable[object]:
        path = f"{ada.home}/loans/{story.loan}/handover/out"
        return ada.does(path, says_how=1, condition="worn", words="A scratch.")

    def went_wrong(who: Neighbour, kind: str) -> Callable[[], Awaitable[object]]:
        return lambda: who.acts(story.loan, "incidents", kind=kind, reason="Look at it.")

    async def amend(noun: str, who: Neighbour, **form: object) -> None:
        """To the newest incident that is open."""
        async with db.snapshot() as tx:
            rows = select(func.max(Incident.id)).where(
                Incident.loan_id == story.loan, Incident.settled_at.is_(None)
            )
            newest = await tx.scalar(rows)
        await who.acts(story.loan, f"incidents/{newest}/{noun}", **form)

    async def correct() -> None:
        path = f"{cora.home}/help/{story.loan}/correction"
        await cora.does(path, state="out", reason="It is with Ben again.")

    def press(who: Neighbour, noun: str) -> Callable[[], Awaitable[object]]:
        return lambda: who.acts(story.loan, noun)

    async def propose() -> None:
        there = f"{ben.home}/loans/{story.loan}/changes"
        await ben.does(there, start=street.today, end=street.day(2))

    def answer(who: Neighbour, noun: str) -> Callable[[], Awaitable[object]]:
        async def press_it() -> None:
            change = await proposed(story.loan)
            await who.does(f"{who.home}/loans/{story.loan}/changes/{change}/{noun}")

        return press_it

    def wait(noun: str = "", **form: object) -> Callable[[], Awaitable[object]]:
        return lambda: street.cy.does(f"{ada.home}/tools/{story.tool}/waitlist{noun}", **form)

    async def look_at_a_table() -> None:
        files = {"table": ("tools.csv", b"name,category\nPlane,saws\n", "text/csv")}
        answer = await ada.client.post(f"{ada.home}/inventory/imports", files=files)
        assert answer.status_code == 303, answer.text
        story.imported = int(answer.headers["location"].rsplit("/", 1)[1])

    async def bring_it_in() -> None:
        name = topic.imported(street.here.id, story.imported)
        async with ada.watches(name) as screen:
            await ada.does(f"{ada.home}/inventory/imports/{story.imported}/start")
            await screen.shows(name, "It is all here")

    def shelve(noun: str) -> Callable[[], Awaitable[object]]:
        return lambda: ada.does(f"{ada.home}/tools/{story.tool}/{noun}")

    def mark(noun: str = "", **form: object) -> Awaitable[object]:
        return ada.does(f"{ada.home}/tools/{story.tool}/maintenance{noun}", **form)

    def repair() -> Awaitable[object]:
        there = f"{ada.home}/tools/{story.tool}/repairs"
        return ada.does(there, day=street.today, words="New chuck", cost="12")

    return [
        ("list a tool", list_a_drill),
        ("edit it", edit),
        ("list two alike", list_two_alike),
        ("pause one", lambda: ada.does(f"{ada.home}/tools/{story.alike[0]}/pause")),
        ("choose dates", choose),
        ("let them go", lambda: cy.does(f"{cy.home}/tools/{story.tool}/hold/end")),
        ("close days", close_days),
        ("ask something about it", ask_about),
        ("ask for it", ask),
        ("another asks too", ask_again),
        ("say where it is", lambda: ada.does(f"{ada.home}/place", address="Elm 4", point="52, 13")),
        ("decline", press(ada, "refusal")),
        ("think again", press(ada, "undo")),
        ("say something", lambda: ben.says(story.loan, "When can I come?")),
        ("see it", see),
        ("report it", report),
        ("change it", lambda: of_message("edit", body="When may I come?")),
        ("answer it", lambda: ada.says(story.loan, "At six.")),
        ("take it back", lambda: of_message("removal")),
        ("mute the room", press(ada, "mute")),
        ("approve", press(ada, "approval")),
        ("propose other dates", propose),
        ("refuse them", answer(ada, "refusal")),
        ("show a code", press(ada, "code")),
        ("hand over", press(ada, "handover")),
        ("note how it went out", note_condition),
        ("propose a longer loan", propose),
        ("agree to it", answer(ada, "acceptance")),
        ("another waits for it", wait(wait_start=street.today, wait_end=street.day(1))),
        ("and waits no more", wait("/end")),
        ("claim the return", press(ben, "return-claim")),
        ("not here", press(ada, "return-claim/end")),
        ("note a deposit", lambda: ada.acts(story.loan, "amounts", amount="20")),
        ("say that it is lost", went_wrong(ada, "loss")),
        ("ask for a mediator", lambda: ben.acts(story.loan, "mediator", mediator=cora.id)),
        ("propose", lambda: amend("proposal", ben, reason="I look again.", amount="5")),
        ("find it", press(ada, "found")),
        ("see a scratch", went_wrong(ada, "damage")),
        ("record a result", lambda: amend("result", cora, reason="All is well.")),
        ("accept", lambda: amend("settlement", ada)),
        ("correct", correct),
        ("claim again", press(ben, "return-claim")),
        ("block ben", block),
        ("another asks, behind the veil", ask_later),
        ("end the block", lambda: ada.does(f"/profile/blocks/{ben.id}/end")),
        ("take back", press(ada, "return")),
        ("can hand over now", lambda: ada.does(f"{ada.home}/handing-over", length="1")),
        ("pause", shelve("pause")),
        ("resume", shelve("pause/end")),
        ("break it", lambda: mark(kind="broken", said="The chuck is stuck.")),
        ("repair it", repair),
        ("lend it again", lambda: mark("/end", said="New chuck.")),
        ("archive", shelve("archive")),
        ("restore", shelve("archive/end")),
        ("ask all neighbours", ask_all),
        (
            "have one",
            lambda: ada.does(f"{ada.home}/wanted/{story.wanted}/answers", words="In the cellar."),
        ),
        ("list it for him", list_for_it),
        ("need it no more", lambda: ben.does(f"{ben.home}/wanted/{story.wanted}/end")),
        ("look at a table", look_at_a_table),
        ("bring it in", bring_it_in),
        ("knock at the door", knock),
        (
            "let somebody in",
            lambda: cora.does(f"{cora.home}/members/{story.newcomer}/admission"),
        ),
    ]


async def test_what_is_pushed_is_what_a_fresh_page_shows(street: Street) -> None:
    """Ada's and ben's screens hang at the worker that does not do their acts, the others' do."""
    story, (first, second) = Story(street), street.workers
    at = {street.ada.id: second, street.ben.id: first}
    async with AsyncExitStack() as stack:
        screens = []
        for who in street.people:
            names = [name for name, _ in story.cases(who).values()]
            screen = who.watches(*names, at=at.get(who.id, who.at))
            screens.append(Open(who, await stack.enter_async_context(screen)))
            await note(screens[-1], story)
        for act, run in acts(story):
            await run()
            changed = await gather(*(check(one, story, act) for one in screens))
            assert sum(changed), f"{act}: nothing looked different to anybody"
