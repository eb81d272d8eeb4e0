"""A street in which every page has something to show, and the paths of its pages."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from app import clock, db
from app.chat import queries as chat
from app.loans.models import Loan
from app.people import links
from app.tools.place import District
from app.wanted.models import Wanted, WantedAnswer
from tests.neighbours import Neighbour, Street, browser
from tests.stories.windows import PASSWORD, PICTURE

RULED = {
    **{"name": "Cordless drill", "category": "drills", "price": "2.50", "brand": "Elm"},
    **{"longest_days": 7, "buffer_hours": 1, "deposit": "20", "safety": "It bites."},
    **{f"opens_{day}": "00:00" for day in range(7)},
    **{f"closes_{day}": "23:59" for day in range(7)},
}


@dataclass(frozen=True)
class Place:
    """`street` is full of life; on the `quiet` one nothing has happened yet."""

    street: Street
    quiet: Street
    paths: dict[str, str]

    def who(self, name: str) -> Neighbour | None:
        """None: a stranger."""
        if name == "nobody":
            return self.quiet.ben
        people = {one.name.split()[0].lower(): one for one in self.street.people}
        return people.get(name)


async def furnished(street: Street, quiet: Street) -> Place:
    """Something in every state, so that every partial is drawn."""
    loans = await _lending(street)
    home, still = street.here.path, quiet.here.path
    async with db.begin() as tx:
        now = clock.now()
        link, code = await links.make_join_link(tx, street.cora.viewer, now)
        secret = await links.make_reset_link(tx, street.cy.id, street.cora.viewer, now)
    await _somebody_asks_to_join(street)
    await _wanted(street)
    district = await _somewhere(street)
    paths = loans | {
        "board": home,
        "board without a fit": f"{home}?q=nothing+like+it",
        "board, empty": still,
        "board, filtered": f"{home}?price_to=cheap&skill=anyone",
        "categories": f"{home}/categories",
        "districts": f"{home}/districts",
        "place": f"{home}/place",
        "board, of a district": f"{home}?district={district}&distance=1500",
        "tool, new": f"{home}/tools/new",
        "wanted": f"{home}/wanted",
        "wanted, to coordinators": f"{home}/wanted",
        "things": f"{home}/things",
        "things, empty": f"{still}/things",
        "rooms": f"{home}/rooms",
        "rooms, empty": f"{still}/rooms",
        "members": f"{home}/members",
        "poster": f"{home}/poster/{link.id}",
        "profile": "/profile",
        "what reaches one": "/profile/notices",
        "profile, with a block": "/profile",
        "choose": "/communities",
        "not found": f"{home}/tools/999999999",
        "sign in": "/sign-in",
        "join by link": f"/join/{code}",
        "join by asking": f"/join?community={quiet.here.slug}",
        "joining when signed in": f"/join/{code}",
        "forgotten": "/forgotten",
        "reset": f"/reset/{secret}",
        "not found, stranger": "/c/nowhere",
        "signing in, refused": "/sign-in",
        "waiting to be let in": f"/join?community={quiet.here.slug}",
        "password, refused": "/profile",
    }
    return Place(street, quiet, paths)


async def _lending(street: Street) -> dict[str, str]:
    """Loans that are asked for, claimed to be back and declined; the paths of what they made."""
    ada, ben, home = street.ada, street.ben, street.here.path
    drill = await ada.lists("Cordless drill", price="2.50", brand="Elm", description="Two bits.")
    await _gets_a_photo(ada, drill)
    await ada.does(f"{home}/tools/{drill}/edit", **RULED)
    await ada.does(f"{home}/tools/{drill}/blackouts", start=street.day(30), end=street.day(31))
    repaired = {"day": street.today, "words": "New cable, soldered.", "cost": "12.50"}
    await ada.does(f"{home}/tools/{drill}/repairs", **repaired)
    await ada.does(f"{home}/handing-over", length="1")
    await ben.does(f"{home}/tools/{drill}/saved")
    await ben.does(f"{home}/calendar", kind="loans")
    await street.cora.does(f"{home}/tools/{drill}/hold", start=street.day(5), end=street.day(6))
    asked = await ben.asks_for(drill, street.day(2), note="A shelf. May I?", accept_safety=1)
    await ada.says(asked, "Of course.")
    room, said = await _last_of(ada, asked)
    await ben.does(f"{home}/rooms/{room}/messages/{said}/report", reason="He is too kind.")
    there = await street.cy.does(f"{home}/tools/{drill}/questions", about="Is it heavy?")
    about = there.rsplit("/", 1)[1]
    ladder = await ada.lists("Long ladder", "ladders")
    out = await ben.asks_for(ladder, street.today)
    await ada.acts(out, "approval")
    await ada.acts(out, "handover")
    held = await street.cora.lists("Tile cutter", parts="Case\nBlade")
    cut = await ben.asks_for(held, street.today)
    await street.cora.acts(cut, "approval")
    await street.cora.acts(cut, "code")
    await ben.acts(out, "return-claim")
    await ada.acts(out, "incidents", kind="damage", reason="A rung is loose.")
    await ben.acts(out, "amounts", amount="20")
    await ben.asks_for(ladder, street.day(4))
    table = await street.cora.lists("Long table", "party", of_all=1)
    await street.cora.does(f"{home}/tools/{table}/keepers", keeper=ada.id)
    saw = await ben.lists("Hand saw", "saws")
    await ben.does(f"{home}/tools/{saw}/pause")
    hammer = await street.cora.lists("Hammer drill")
    longer, kept = (
        await ben.asks_for(hammer, street.day(1)),
        await ben.asks_for(hammer, street.day(6)),
    )
    for loan in (longer, kept):
        await street.cora.acts(loan, "approval")
    await ben.does(f"{home}/loans/{longer}/changes", start=street.day(1), end=street.day(2))
    declined = await ben.asks_for(drill, street.day(9), accept_safety=1)
    await ada.acts(declined, "refusal", reason="I need it myself.")
    shut = await street.cy.asks_for(ladder, street.day(20))
    await ada.acts(shut, "approval")
    rake = await street.cy.lists("Rake", "garden")
    await ada.does(f"{home}/people/{street.cy.id}/block")
    return {
        "room, shut by oneself": f"{home}/loans/{shut}",
        "room, shut": f"{home}/loans/{shut}",
        "tool, of somebody blocked": f"{home}/tools/{rake}",
        "room, about the other": f"{home}/loans/{asked}",
        "tool, about its lender": f"{home}/tools/{rake}",
        "tool, borrower": f"{home}/tools/{drill}",
        "tool, one's own": f"{home}/tools/{ladder}",
        "tool, paused": f"{home}/tools/{saw}",
        "tool, edit": f"{home}/tools/{drill}/edit",
        "tool, photos": f"{home}/tools/{drill}/photos",
        "inventory": f"{home}/inventory",
        "import": await _looks_at_a_table(ada),
        "tool, days off": f"{home}/tools/{drill}/blackouts",
        "tool, where it is": f"{home}/tools/{drill}/place",
        "tool, repairs": f"{home}/tools/{drill}/maintenance",
        "tool, from its label": f"{home}/tools/{drill}?label=1",
        "labels": f"{home}/labels?tool={drill}",
        "calendar": f"{home}/calendar?tool={drill}",
        "tool, of all": f"{home}/tools/{table}",
        "tool, keepers": f"{home}/tools/{table}/keepers",
        "tool, being chosen": f"{home}/tools/{drill}",
        "tool, its rules refused": f"{home}/tools/{drill}/edit",
        "tool, refused": f"{home}/tools/{drill}/edit",
        "asking, refused": f"{home}/tools/{drill}",
        "tool, lend now": f"{home}/tools/{drill}/lending",
        "hand-over, code": f"{home}/loans/{cut}",
        "hand-over, typing": f"{home}/loans/{cut}",
        "hand-over, scan": f"{home}/loans/{cut}/scan",
        "hand-over, record": f"{home}/loans/{out}/handover/out",
        "room, other dates": f"{home}/loans/{longer}",
        "other dates": f"{home}/loans/{kept}/changes",
        "other dates, refused": f"{home}/loans/{kept}/changes",
        "question": f"{home}/rooms/{about}",
        "search": f"{home}/rooms/search?q=course",
        "reports": f"{home}/reports",
        "message": f"{home}/rooms/{room}/messages/{said}",
        "room, lender": f"{home}/loans/{asked}",
        "room, with an incident": f"{home}/loans/{out}",
        "help": f"{home}/help",
        "help, one loan": f"{home}/help/{out}",
        "room, borrower": f"{home}/loans/{out}",
        "room, over": f"{home}/loans/{declined}",
    }


async def _wanted(street: Street) -> None:
    """Ben asks for two things; ada has one and lists it, cora has the other. Ada watches."""
    home, here, ada = street.here.path, street.here.id, street.ada
    for words in ("A tent, for the children", "Snow chains"):
        await street.ben.does(f"{home}/wanted", words=words, category="party", start=street.day(2))
        async with db.snapshot() as tx:
            newest = select(func.max(Wanted.id)).where(Wanted.community_id == here)
            path = f"{home}/wanted/{await tx.scalar(newest)}"
        await ada.does(f"{path}/answers", words="In the cellar.")
        await street.cora.does(f"{path}/answers")
    async with db.snapshot() as tx:
        mine = WantedAnswer.person_id == ada.id
        answer = await tx.scalar(select(func.min(WantedAnswer.id)).where(mine))
    await ada.lists("Tent", "party", answer=answer)
    await ada.does(f"{home}/watches", q="tent", category="party")


async def _somewhere(street: Street) -> int:
    """Where ada's tools are, and ben; the id of a district."""
    home, here = street.here.path, street.here.id
    await street.cora.does(f"{home}/districts", name="Old Mill", point="52.52, 13.40")
    async with db.snapshot() as tx:
        found = await tx.scalar(select(District.id).where(District.community_id == here))
    there = {"address": "Elm Street 4\nRing twice", "district": found, "point": "52.5, 13.4"}
    await street.ada.does(f"{home}/place", **there)
    await street.ben.does(f"{home}/place", district=found)
    return int(found or 0)


async def _last_of(who: Neighbour, loan_id: int) -> tuple[int, int]:
    """(room, message): the last that somebody has said in a loan's room."""
    here = who.viewer.here.id
    async with db.snapshot() as tx:
        loan = await tx.get_one(Loan, (here, loan_id))
        last = await chat.last_of(tx, here, loan.conversation_id, who.id)
        assert last is not None
        return loan.conversation_id, last.id


async def _gets_a_photo(ada: Neighbour, tool: int) -> None:
    path = f"{ada.home}/tools/{tool}/edit"
    text = {"name": "Cordless drill", "category": "drills", "price": "2.50", "brand": "Elm"}
    picture = {"photo": ("drill.webp", PICTURE.read_bytes(), "image/webp")}
    answer = await ada.client.post(path, data=text, files=picture)
    assert answer.status_code == 303, answer.text


async def _looks_at_a_table(ada: Neighbour) -> str:
    table = b"key,name,category,colour\n1,Plane,saws,\n2,Kettle,kitchen,\n"
    files = {"table": ("tools.csv", table, "text/csv")}
    answer = await ada.client.post(f"{ada.home}/inventory/imports", files=files)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def _somebody_asks_to_join(street: Street) -> None:
    async with browser(street.ada.at) as stranger:
        answer = await stranger.post(
            f"/join?community={street.here.slug}",
            data={
                "name": "Dee Novak",
                "email": f"dee.{street.here.slug}@example.org",
                "password": PASSWORD,
                "of_age": "1",
                "note": "Number 12, third floor.",
            },
        )
        assert answer.status_code == 303, answer.text
