"""What a tool's name lets us guess: where it hangs, and what comes with it. Only ever suggested."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

# words of a name → (category, what often comes with it); the first that fits, the special before
# the general: a drill press is no drill.
_TABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("drill press|bench drill", "drills", ("Chuck key", "Vice")),
    ("hammer drill|rotary hammer|sds", "drills", ("Case", "Masonry bits", "Side handle")),
    ("drill|driver|screwdriver", "drills", ("Charger", "Batteries", "Bits")),
    ("chainsaw", "saws", ("Chain oil", "Helmet", "Bar cover")),
    ("jigsaw", "saws", ("Blades",)),
    ("circular saw|mitre saw|table saw", "saws", ("Guide rail", "Spare blade", "Hex key")),
    ("saw", "saws", ()),
    ("lawn ?mower|mower", "garden", ("Grass box", "Charger")),
    ("hedge ?trimmer|hedge cutter", "garden", ("Blade cover", "Charger")),
    ("shredder|chipper|scarifier|tiller|spade|rake|shovel|shears|wheelbarrow", "garden", ()),
    ("ladder|steps|scaffold|tower", "ladders", ()),
    ("wallpaper|steamer|steam stripper", "painting", ("Scraper", "Hose")),
    ("paint|roller|sprayer|sander|plaster", "painting", ()),
    ("pressure washer", "cleaning", ("Hose", "Lance", "Nozzles")),
    ("carpet cleaner|floor polisher|vacuum|hoover", "cleaning", ("Hose", "Nozzles")),
    ("drain|duster|mop|window cleaner", "cleaning", ()),
    ("trolley|hand truck|sack truck|trailer|cargo bike|strap|roof box", "moving", ("Straps",)),
    ("tent|gazebo|marquee", "party", ("Poles", "Pegs", "Bag")),
    ("projector", "party", ("Remote control", "HDMI cable", "Power cable")),
    ("speaker|party|fondue|raclette|barbecue|grill|punch bowl|waffle|chairs?|tables?", "party", ()),
)
_PATTERNS = tuple(
    (re.compile(rf"\b({words})\b", re.IGNORECASE), category, parts)
    for words, category, parts in _TABLE
)


@dataclass(frozen=True)
class Suggestion:
    category: str  # a slug
    parts: tuple[str, ...]


def suggest(name: str, categories: Collection[str]) -> Suggestion | None:
    """None where the name says nothing, or the community has no such category."""
    for pattern, category, parts in _PATTERNS:
        if pattern.search(name[:200]):
            return Suggestion(category, parts) if category in categories else None
    return None
