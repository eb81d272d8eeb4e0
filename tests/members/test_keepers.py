"""The page and the API of who looks after a tool of the community; two workers, real sockets."""

from __future__ import annotations

from app import topic
from tests.neighbours import Neighbour, Street


async def listed(street: Street) -> int:
    """A ladder of all, that Cora keeps."""
    return await street.cora.lists("Long ladder", "ladders", of_all=1)


def keepers(who: Neighbour, tool: int) -> str:
    return f"{who.home}/tools/{tool}/keepers"


async def test_a_coordinator_lists_for_all_and_names_who_looks_after_it(street: Street) -> None:
    ada, ben, cora = street.ada, street.ben, street.cora
    tool = await listed(street)
    assert "belongs to <b>" in await ben.opens(f"{ben.home}/tools/{tool}")
    async with ada.watches(topic.mine(street.here.id, tool), topic.things(ada.id)) as screen:
        await cora.does(keepers(cora, tool), keeper=ada.id)
        await screen.shows(topic.mine(street.here.id, tool), "You look after it")
        loan = await ben.asks_for(tool, street.day(1))
        await screen.shows(topic.things(ada.id), f"/loans/{loan}")
    await ada.acts(loan, "approval")
    page = await cora.opens(f"{cora.home}/loans/{loan}")
    assert "Ada Moreno looks after the tool" not in page, "she did before there was this loan"
    assert "approved the request" in page


async def test_members_do_not_list_for_all_and_nothing_typed_is_lost(street: Street) -> None:
    answer = await street.ben.posts(
        f"{street.ben.home}/tools", name="Ladder of all", category="ladders", of_all=1
    )
    assert answer.status_code == 403
    assert "Only a coordinator" in answer.text
    assert 'value="Ladder of all"' in answer.text
    assert "It belongs to" not in await street.ben.opens(f"{street.ben.home}/tools/new")


async def test_the_page_is_for_coordinators_and_keepers(street: Street) -> None:
    ada, ben, cora, tool = street.ada, street.ben, street.cora, await listed(street)
    own = await ada.lists("Drill")
    for who, of in ((ada, tool), (ben, tool), (cora, own)):
        assert (await who.posts(f"{keepers(who, of)}/{who.id}/end")).status_code in (403, 404, 409)
        assert (await who.client.get(keepers(who, of))).status_code == 404
    for typed in ("", "x", str(2**70), "-1", str(2**61)):
        answer = await cora.posts(keepers(cora, tool), keeper=typed)
        assert answer.status_code == 422, typed
        assert 'class="error"' in answer.text
    last = await cora.posts(f"{keepers(cora, tool)}/{cora.id}/end")
    assert last.status_code == 409
    assert "Somebody has to look after it" in last.text
    await cora.does(keepers(cora, tool), keeper=ada.id)
    assert "Step down" in await ada.opens(keepers(ada, tool))
    there = await ada.does(f"{keepers(ada, tool)}/{ada.id}/end")
    assert there == f"{ada.home}/tools/{tool}"
    assert (await ada.client.get(keepers(ada, tool))).status_code == 404


async def test_a_released_keeper_hears_nothing_more_from_the_room(street: Street) -> None:
    ada, ben, cora, tool = street.ada, street.ben, street.cora, await listed(street)
    await cora.does(keepers(cora, tool), keeper=ada.id)
    loan = await ben.asks_for(tool, street.day(1))
    region = topic.loan(street.here.id, loan)
    async with ada.watches(region) as screen:
        await screen.shows(region, "is waiting for your answer")
        await cora.does(f"{keepers(cora, tool)}/{ada.id}/end")
        await screen.until(lambda: screen.html.get(region) is None)
    assert (await ada.client.get(f"{ada.home}/loans/{loan}")).status_code == 404
    await cora.acts(loan, "approval")
