"""Who sees a tool, who may change it, and what may be written about it."""

from __future__ import annotations

import re
import unicodedata

from app.errors import Refusal, mistyped
from app.people.viewer import Viewer
from app.tools.models import Skill, Tool, ToolStatus

NAME_LONGEST = 80
DESCRIPTION_LONGEST = 4000
PARTS_MOST = 30
AT_ONCE_MOST = 20  # alike, listed with one form
PRICE_HIGHEST = 100_000  # cents a day
UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]")
ON_THE_BOARD = (ToolStatus.LISTED, ToolStatus.PAUSED, ToolStatus.MAINTENANCE)


SKILLS = {
    Skill.ANYONE: "Anyone",
    Skill.PRACTICE: "Some practice",
    Skill.EXPERT: "Experts only",
}


def sees(tool: Tool, by: Viewer) -> bool:
    """Members see what is on the board; drafts and the archive are for owner and coordinators."""
    return tool.community_id == by.community_id and (
        tool.status in ON_THE_BOARD or may_change(tool, by) or by.is_coordinator
    )


def may_change(tool: Tool, by: Viewer) -> bool:
    return by.person_id in tool.lenders and not by.suspended


def why_not_list(by: Viewer) -> Refusal | None:
    if by.suspended:
        return Refusal(
            "Your membership is suspended, so you cannot list tools.",
            "Ask a coordinator.",
            status=403,
        )
    return None


def why_not_for_all(by: Viewer) -> Refusal | None:
    """Whether this person lists tools of the community, and says who keeps them."""
    if by.is_coordinator:
        return None
    return Refusal(
        "Only a coordinator looks after what belongs to the community.",
        "List it as your own, or ask a coordinator.",
        "a coordinator",
        status=403,
    )


def why_not_theirs(tool: Tool, by: Viewer, what: str) -> Refusal | None:
    """`what` its owner, or a keeper of a community's tool, can do, and nobody else."""
    if may_change(tool, by):
        return None
    who = "its keepers" if tool.owner_id is None else "the owner"
    return Refusal(f"Only {who} can {what}.", lifted_by=who, status=403)


def why_not_edit(tool: Tool, by: Viewer) -> Refusal | None:
    if refusal := why_not_theirs(tool, by, "change this tool"):
        return refusal
    if tool.status == ToolStatus.ARCHIVED:
        return Refusal("This tool is archived.", "Bring it back first.")
    return None


def clean(text: str) -> str:
    """Typed text as it is kept: composed, no outer blanks, no control characters.

    Nor those that cannot be seen, or that turn the direction of what stands after them.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    seen = (c for c in UNSEEN.sub("", text) if c == "\n" or unicodedata.category(c) != "Cc")
    return "".join(seen).strip()


def check_name(name: str) -> str:
    name = " ".join(clean(name).split())
    if not name:
        raise mistyped("name", "The tool needs a name.", "Write what a neighbour would call it.")
    if len(name) > NAME_LONGEST:
        raise mistyped("name", f"A name may have {NAME_LONGEST} characters.", "Shorten it.")
    return name


def check_description(text: str) -> str:
    text = clean(text)
    if len(text) > DESCRIPTION_LONGEST:
        raise mistyped(
            "description",
            f"A description may have {DESCRIPTION_LONGEST} characters.",
            "Shorten it.",
        )
    return text


def check_brand(text: str) -> str:
    text = " ".join(clean(text).split())
    if len(text) > NAME_LONGEST:
        raise mistyped("brand", f"A brand may have {NAME_LONGEST} characters.", "Shorten it.")
    return text


def check_skill(skill: str) -> str:
    if skill not in SKILLS:
        raise mistyped("skill", "Choose who can use it.", "“Anyone” fits most tools.")
    return skill


def check_parts(text: str) -> str:
    """What comes with the tool, a line each, nothing twice."""
    names = [" ".join(line.split()) for line in clean(text).split("\n")]
    found = list(dict.fromkeys(name for name in names if name))
    if len(found) > PARTS_MOST or any(len(name) > NAME_LONGEST for name in found):
        raise mistyped(
            "parts",
            f"The list may have {PARTS_MOST} lines of {NAME_LONGEST} characters.",
            "Name the parts that could get lost.",
        )
    return "\n".join(found)


def how_many_from(typed: str) -> int:
    """How many alike are listed; nothing typed is one."""
    typed = typed.strip()
    if not typed:
        return 1
    number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 9 else 0
    if not 1 <= number <= AT_ONCE_MOST:
        raise mistyped(
            "how_many",
            f"You can list 1 to {AT_ONCE_MOST} at once.",
            "List the others with “another like this”.",
        )
    return number


def check_price(cents: int) -> int:
    if not 0 <= cents <= PRICE_HIGHEST:
        raise mistyped(
            "price",
            f"The price per day lies between 0 and {PRICE_HIGHEST // 100}.",
            "0 means that you lend it for free.",
        )
    return cents


def price_from(text: str) -> int:
    """What is typed for a day, as cents."""
    try:
        cents = cents_from(text)
    except ValueError:
        way_out = "Write it like 2.50, or 0 for free."
        raise mistyped("price", "That is not a price.", way_out) from None
    return check_price(cents)


def cents_from(text: str) -> int:
    """'2.50', '2,5 €' or '' as cents, however many. Raises ValueError."""
    plain = text.replace(",", ".").strip("€$£ \t\xa0\u202f")
    if not plain:
        return 0
    whole, _, part = plain.partition(".")
    if not (whole or part) or not (whole + part).isdecimal() or len(part) > 2 or len(whole) > 6:
        raise ValueError(text)
    return int(whole or 0) * 100 + int(part.ljust(2, "0") or 0)
