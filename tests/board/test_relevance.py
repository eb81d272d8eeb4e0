"""What neighbours type, and what must then hang first: over the demo's tools and some more."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import func, literal, select

from app.board import meaning, wall
from app.board.search import Search
from app.db import Tx
from app.demo.places import HERE, PICTURES
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.folded import folded
from tests.loans.living import Elm, elm_street
from tests.people.living import NOW

MORE = (  # name, category, brand, description
    ("Bohrmaschine", "drills", "Bosch", "Schlagbohrmaschine mit Koffer."),
    ("Säge für Äste", "saws", "", "Schneidet dicke Zweige."),
    ("Crêpière", "party", "Krampouz", "Fait les crêpes."),
    ("Odd 100% thing", "party", "", "Half_hidden \\ and {braced}."),
    ("Smørrebrød board", "party", "", ""),
)

FIRST: tuple[tuple[str, str], ...] = (
    # as it is called
    ("hedge trimmer", "Hedge trimmer, 55 cm"),
    ("Cordless drill", "Cordless drill, 18 V"),
    ("fondue", "Fondue set for six"),
    ("WAFFLE IRON", "Waffle iron"),
    ("  tile   cutter ", "Tile cutter, 60 cm"),
    # typos
    ("hedge trimer", "Hedge trimmer, 55 cm"),
    ("hegde trimmer", "Hedge trimmer, 55 cm"),
    ("chiansaw", "Electric chainsaw, 35 cm"),
    ("wheelbarow", "Wheelbarrow, 85 litres"),
    ("presure washer", "Pressure washer, 130 bar"),
    ("lader", "Folding ladder"),
    ("drlil press", "Bench drill press"),
    ("sewing machien", "Sewing machine"),
    ("scaffhold", "Mobile scaffold tower, 4 metres"),
    ("progector", "Small projector"),
    ("barbeque", "Kettle barbecue, 57 cm"),
    ("hamer", "Rotary hammer"),
    ("screwdirver", "Set of five screwdrivers"),
    ("jigsw", "Jigsaw with blades"),
    ("hoovr", "Workshop vacuum"),
    ("vaccum", "Workshop vacuum"),
    # while somebody types
    ("hed", "Hedge trimmer, 55 cm"),
    ("hedge tr", "Hedge trimmer, 55 cm"),
    ("sew", "Sewing machine"),
    ("scaff", "Mobile scaffold tower, 4 metres"),
    ("wall st", "Wallpaper steamer"),
    ("trimr", "Hedge trimmer, 55 cm"),
    ("pia", "Piano dolly with straps"),
    # what others call it
    ("strimmer", "Battery strimmer"),
    ("grass trimmer", "Battery strimmer"),
    ("weed whacker", "Battery strimmer"),
    ("secateurs", "Pruning shears"),
    ("hoover", "Workshop vacuum"),
    ("lawnmower", "Petrol lawn mower, 46 cm"),
    ("jet wash", "Pressure washer, 130 bar"),
    ("bbq", "Kettle barbecue, 57 cm"),
    ("gazebo", "Party tent, 3 by 4 metres"),
    ("beamer", "Small projector"),
    ("sack truck", "Hand truck, 200 kg"),
    ("shovel", "Digging spade"),
    ("car jack", "Trolley jack, 2 tonnes"),
    ("wallpaper stripper", "Wallpaper steamer"),
    ("multitool", "Oscillating multi-tool"),
    ("chop saw", "Sliding mitre saw"),
    ("bicycle trailer", "Bike trailer for two"),
    # plural and other forms
    ("hedge trimmers", "Hedge trimmer, 55 cm"),
    ("jigsaws", "Jigsaw with blades"),
    ("drain rod", "Set of drain rods"),
    ("sanders", "Random orbit sander"),
    ("ladders", "Folding ladder"),
    ("polishing", "Floor polisher"),
    ("folding tables", "Folding table, 1.8 metres"),
    # in any order, with small words
    ("saw mitre", "Sliding mitre saw"),
    ("trimmer for the hedge", "Hedge trimmer, 55 cm"),
    ("table that is folding", "Folding table, 1.8 metres"),
    ("tower scaffold mobile", "Mobile scaffold tower, 4 metres"),
    # brand, category, description
    ("penfold step", "Step ladder, five treads"),
    ("nonnina", "Pasta machine"),
    ("harrow finch shredder", "Garden shredder"),
    ("bosch", "Bohrmaschine"),
    ("garden spade", "Digging spade"),
    ("privet", "Hedge trimmer, 55 cm"),
    ("tagliatelle", "Pasta machine"),
    ("HDMI", "Projector for film nights"),
    # other alphabets' accents, with or without
    ("saege", "Säge für Äste"),
    ("sage", "Säge für Äste"),
    ("SÄGE", "Säge für Äste"),
    ("a\u0308ste", "Säge für Äste"),
    ("crepiere", "Crêpière"),
    ("Crêpière", "Crêpière"),
    ("smorrebrod", "Smørrebrød board"),
    ("bohrmaschine", "Bohrmaschine"),
    ("bohrmashine", "Bohrmaschine"),
    ("maschine", "Bohrmaschine"),
    # inside of a word
    ("barrow", "Wheelbarrow, 85 litres"),
    ("saw", "Hand saw, 22 inch"),
    # signs
    ("%", "Odd 100% thing"),
    ("100%", "Odd 100% thing"),
    ("_", "Odd 100% thing"),
    ("\\", "Odd 100% thing"),
    ("right-angle", "Right-angle drill"),
    ("right angle", "Right-angle drill"),
    ("grandad's brace", "Grandad's hand brace"),
    ("grandads brace", "Grandad's hand brace"),
    ('"hedge trimmer"', "Hedge trimmer, 55 cm"),
    ("hedge & trimmer", "Hedge trimmer, 55 cm"),
    ("hedge | !trimmer:*", "Hedge trimmer, 55 cm"),
    ("(pasta", "Pasta machine"),
)

NOTHING = (
    *("xyzzy", "qwertzuiop", "spaceship", "blorf", "hedge piano", "zz top", "drillbert"),
    *("'; --", "%%%%%", "!!", ":*", "<->", "🪚", "*", "hedge xyzzy", "$", "& xyzzy"),
)


async def furnished(tx: Tx) -> Elm:
    elm = await elm_street(tx)
    elm.drill.status = "archived"
    files = (PICTURES / "tools.json", HERE / "mill.json")
    hung = [each for file in files for each in json.loads(file.read_text())]
    rows = [(each["name"], each["category"], each["brand"], each["description"]) for each in hung]
    for name, category, brand, description in (*rows, *MORE):
        text = ToolText(name=name, category=category, brand=brand, description=description)
        await tools.list_tool(tx, text, elm.ada, NOW)
    return elm


async def names(elm: Elm, q: str, locale: str = "en-GB") -> list[str]:
    here = replace(elm.here, locale=locale)
    found = await wall.hanging(elm.tx, here, Search.typed(q, "", False), NOW)
    return [tool.name for tool in await wall.tools_of(elm.tx, here, found)]


async def test_what_is_meant_hangs_first_and_nonsense_finds_nothing(tx: Tx) -> None:
    elm = await furnished(tx)
    missed = []
    for q, wanted in FIRST:
        if wanted not in (found := await names(elm, q))[:3]:
            missed.append(f"{q!r} should show {wanted!r} first, not {found[:4]} of {len(found)}")
    missed += [f"{q!r} finds {found[:3]}" for q in NOTHING if (found := await names(elm, q))]
    assert not missed, "\n".join(missed)
    assert len(FIRST) >= 60


async def test_only_an_english_board_knows_english_names_and_stems(tx: Tx) -> None:
    elm = await furnished(tx)
    for q, wanted in (("hoover", "Workshop vacuum"), ("polishing", "Floor polisher")):
        assert wanted in await names(elm, q)
        assert await names(elm, q, "de-DE") == []
    assert "Bohrmaschine" in await names(elm, "Bohrmaschinen", "de-DE"), "a letter too many"


async def test_a_word_in_another_language_is_found_where_it_was_written(tx: Tx) -> None:
    elm = await furnished(tx)
    assert "Bohrmaschine" in await names(elm, "drill"), "it hangs among the drills"
    text = ToolText(name="Akkuschrauber", category="party", description="A small drill.")
    await tools.list_tool(tx, text, elm.ada, NOW)
    found = await names(elm, "drill")
    assert found[-1] == "Akkuschrauber", "a description counts least"


async def test_words_come_before_what_is_free_and_that_before_names(tx: Tx) -> None:
    elm = await elm_street(tx)
    elm.drill.name = "Drill A"
    for name in ("Drill B", "Drillbit", "Another drill"):
        await tools.list_tool(tx, ToolText(name=name, category="saws"), elm.ada, NOW)
    await tx.flush()
    assert await names(elm, "drill") == ["Another drill", "Drill A", "Drill B", "Drillbit"]
    await elm.out(elm.ben, 0, 1)
    assert await names(elm, "drill") == ["Another drill", "Drill B", "Drill A", "Drillbit"]
    assert await names(elm, "") == ["Another drill", "Drill B", "Drillbit", "Drill A"]


async def test_folding_here_is_folding_in_the_database(tx: Tx) -> None:
    for text in (*(name for each in MORE for name in each), "ÆGIR", "Œuvre d’art", "ŁÓDŹ, 5 m²"):
        for one in (text, f"  {text}\n{text} ", "İstanbul'da", "ﬁne ½ Å Ⅳ", "Ärger-Straße_7"):
            assert await tx.scalar(select(func.folded(literal(one)))) == folded(one), one


def test_a_typo_is_a_letter_or_two_and_never_another_word() -> None:
    near = {
        **{("trimer", "trimmer"): 1, ("drlil", "drill"): 1, ("trimr", "trimmers"): 1},
        **{("saw", "saw"): 0, ("hed", "hedge"): 0, ("chiansaw", "chainsaw"): 1},
    }
    for (word, meant), far in near.items():
        assert meaning.distance(word, meant, 2) == far, word
    assert meaning.corrections("grill", ["drill"]) == [], "another word begins otherwise"
    assert meaning.corrections("dril", ["drill", "grill"]) == [], "it may still become one"
    assert meaning.corrections("saq", ["saw"]) == [], "too short to tell"
    assert meaning.corrections("trimer", ["trimmer", "timer", "trimmed"]) == ["trimmer", "timer"]
