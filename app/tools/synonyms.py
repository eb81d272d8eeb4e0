"""Names that neighbours use for the same thing, in English: one stands for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Phrase = tuple[str, ...]

# A line each; folded, in the singular. A word that means more than one thing is better left out.
LINES = """
strimmer, grass trimmer, string trimmer, line trimmer, weed whacker, weed eater, brush cutter
lawn mower, lawnmower, mower, grass cutter
hedge trimmer, hedge cutter, hedge clippers, hedge shears
secateurs, pruning shears, pruners, loppers
leaf blower, leaf vacuum
shredder, wood chipper, chipper, mulcher
spade, shovel
wheelbarrow, barrow
sprayer, spray gun
pressure washer, power washer, jet washer, jet wash, karcher
vacuum, vacuum cleaner, hoover, shop vac, dust extractor
carpet cleaner, carpet washer, carpet shampooer, rug doctor
steam mop, steam cleaner
drain rod, drain snake, drain cleaner
floor polisher, floor buffer
wallpaper steamer, wallpaper stripper
heat gun, hot air gun, paint stripper
sander, sanding machine, sanding
plaster mixer, paddle mixer, mortar mixer, cement mixer
spirit level, bubble level, water level
tile cutter, tile saw
chainsaw, chain saw, power saw
jigsaw, jig saw, fret saw
mitre saw, miter saw, chop saw
table saw, bench saw
hand saw, handsaw, panel saw
hacksaw, hack saw, metal saw
multi tool, multitool, oscillating tool
screwdriver, screw driver
impact driver, impact wrench
rotary hammer, hammer drill, sds drill, breaker
drill press, pillar drill, bench drill
spanner, wrench
cordless, battery, rechargeable
petrol, gasoline
ladder, steps
step ladder, stepladder, steps
scaffold, scaffolding
trestle, sawhorse, saw horse
hand truck, sack truck, sack barrow, trolley
dolly, furniture mover, rollers
ratchet strap, tie down, lashing strap, tension strap
roof box, cargo box, ski box, top box
trolley jack, car jack
bike, bicycle, cycle
barbecue, bbq, barbeque, grill
tent, marquee, gazebo, pavilion, canopy
projector, beamer
flashlight, torch
waffle iron, waffle maker
pasta machine, pasta maker
"""


def _phrases() -> dict[Phrase, Sequence[Phrase]]:
    found: dict[Phrase, list[Phrase]] = {}
    for line in LINES.strip().splitlines():
        names = [tuple(name.split()) for name in line.split(", ")]
        for name in names:
            others = found.setdefault(name, [])
            others += [other for other in names if other != name and other not in others]
    return {name: tuple(others) for name, others in found.items()}


OTHERS: Mapping[Phrase, Sequence[Phrase]] = _phrases()
LONGEST = max(map(len, OTHERS))
WORDS = frozenset(word for name in OTHERS for word in name if len(word) > 3)


def singular(word: str) -> str:
    """Near enough, for words that are compared with each other."""
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def others(phrase: Phrase) -> Sequence[Phrase]:
    """What else the same thing is called; nothing for words that the list does not have."""
    return OTHERS.get(phrase) or OTHERS.get((*phrase[:-1], singular(phrase[-1])), ())
