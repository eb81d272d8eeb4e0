"""Who is in a room and types there: shown to the other, if one allows it."""

from __future__ import annotations

from app import db, topic
from app.loans.models import Loan
from tests.neighbours import Neighbour, Screen, Street


async def room_of(street: Street) -> str:
    drill = await street.ada.lists("Cordless drill")
    loan_id = await street.ben.asks_for(drill, street.today)
    async with db.snapshot() as tx:
        loan = await tx.get_one(Loan, (street.here.id, loan_id))
        return topic.room(street.here.id, loan.conversation_id)


def company(screen: Screen, room: str) -> list[str]:
    return [frame["html"] for frame in screen.frames if "ttl" in frame and frame["topic"] == room]


async def allows(who: Neighbour) -> None:
    await who.does("/profile/presence", here="1", typing="1")


async def test_the_other_sees_it_with_the_name(street: Street) -> None:
    await allows(street.ada)
    room = await room_of(street)
    async with street.ada.watches(room) as ada, street.ben.watches(room) as ben:
        await ada.send({"here": room})
        await ben.until(
            lambda: any(f"{street.ada.name} is here" in one for one in company(ben, room))
        )
        await ada.send({"typing": room})
        await ben.until(lambda: "is typing" in company(ben, room)[-1])
        assert all(one == "" for one in company(ada, room))


async def test_switching_it_off_takes_effect_on_an_open_page(street: Street) -> None:
    await allows(street.ada)
    room = await room_of(street)
    async with street.ada.watches(room) as ada, street.ben.watches(room) as ben:
        await ada.send({"here": room})
        await ben.until(lambda: company(ben, room))
        rights = topic.access(street.ada.id)
        await ada.watch(rights)
        before = ada.version.get(rights, 0)
        await street.ada.does("/profile/presence")
        await ada.rises_above(rights, before)
        heard = len(company(ben, room))
        await ada.send({"typing": room})
        await ada.watch(room)
        assert all("typing" not in one for one in company(ben, room)[heard:])


async def test_who_is_blocked_sees_nothing_of_it(street: Street) -> None:
    await allows(street.ada)
    room = await room_of(street)
    await street.ben.does(f"{street.ben.home}/people/{street.ada.id}/block")
    async with street.ada.watches(room) as ada, street.ben.watches(room) as ben:
        await ada.send({"here": room})
        await ben.until(lambda: company(ben, room))
        assert set(company(ben, room)) == {""}
