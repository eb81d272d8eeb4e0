"""Every topic name in one place: `scope/kind/key`."""


def community(community_id: int) -> str:
    """The scope of everything that belongs to one community."""
    return f"c{community_id}"


def tool(community_id: int, tool_id: int) -> str:
    return f"c{community_id}/tool/{tool_id}"


def alike(community_id: int, key: str) -> str:
    """Identical tools on one hook; the key names them (`board/alike.py`)."""
    return f"c{community_id}/alike/{key}"


def dates(community_id: int, tool_id: int) -> str:
    return f"c{community_id}/dates/{tool_id}"


def mine(community_id: int, tool_id: int) -> str:
    """What one person has to do with a tool: owns it, asked for it, has it."""
    return f"c{community_id}/mine/{tool_id}"


def history(community_id: int, tool_id: int) -> str:
    """How often a tool was lent and what was repaired, as far as one person may know."""
    return f"c{community_id}/history/{tool_id}"


def waitlist(community_id: int, tool_id: int) -> str:
    """Who waits for a tool, as far as one person may know."""
    return f"c{community_id}/waitlist/{tool_id}"


def board(community_id: int) -> str:
    return f"c{community_id}/board"


def listing(community_id: int, key: str = "") -> str:
    """What hangs on the wall; the key says what was searched for. Acts touch the one without."""
    return f"c{community_id}/list/{key}" if key else f"c{community_id}/list"


def loan(community_id: int, loan_id: int) -> str:
    return f"c{community_id}/loan/{loan_id}"


def handover(community_id: int, loan_id: int) -> str:
    """What was noted when a tool went out and came back."""
    return f"c{community_id}/handover/{loan_id}"


def writing(community_id: int, loan_id: int) -> str:
    """Whether somebody can write in a loan's room."""
    return f"c{community_id}/writing/{loan_id}"


def similar(community_id: int, loan_id: int) -> str:
    """What is free instead of a loan's late tool."""
    return f"c{community_id}/similar/{loan_id}"


def amends(community_id: int, loan_id: int) -> str:
    """What went wrong with a loan and how it is put right: undo, incidents, sums."""
    return f"c{community_id}/amends/{loan_id}"


def delivered(community_id: int, loan_id: int) -> str:
    """What became of a loan's reminders: seen, pushed, mailed or failed."""
    return f"c{community_id}/delivered/{loan_id}"


def delivered_of(subject: str) -> str | None:
    """The same for the subject of a notice; None if that is no loan."""
    scope, kind, *key = subject.split("/", 2)
    return f"{scope}/delivered/{key[0]}" if kind == "loan" else None


def facts(community_id: int, loan_id: int) -> str:
    """A loan as a coordinator sees it."""
    return f"c{community_id}/facts/{loan_id}"


def help(community_id: int) -> str:
    """Who needs help: what coordinators look through."""
    return f"c{community_id}/help"


def room(community_id: int, conversation_id: int) -> str:
    return f"c{community_id}/room/{conversation_id}"


def question(community_id: int, conversation_id: int) -> str:
    """Whether one can write in a room that belongs to no loan yet."""
    return f"c{community_id}/question/{conversation_id}"


def reports(community_id: int) -> str:
    """What coordinators were shown of what was said."""
    return f"c{community_id}/reports"


def seen(community_id: int, conversation_id: int) -> str:
    """How far the others have read in a room."""
    return f"c{community_id}/seen/{conversation_id}"


def recent(community_id: int) -> str:
    """What just happened, beside the board."""
    return f"c{community_id}/recent"


def imported(community_id: int, import_id: int) -> str:
    """How far a table of tools has come in."""
    return f"c{community_id}/import/{import_id}"


def members(community_id: int) -> str:
    return f"c{community_id}/members"


def wanted(community_id: int) -> str:
    """What neighbours ask for and nobody has listed, as one person may see it."""
    return f"c{community_id}/wanted"


def one_wanted(community_id: int, wanted_id: int) -> str:
    """What notices about one of them are about; it is drawn with the others."""
    return f"c{community_id}/wanted/{wanted_id}"


def watch(community_id: int, watch_id: int) -> str:
    """What notices about a search that somebody watches are about."""
    return f"c{community_id}/watch/{watch_id}"


def waiting(person_id: int) -> str:
    return f"u{person_id}/waiting"


def unread(person_id: int) -> str:
    return f"u{person_id}/unread"


def rooms(person_id: int) -> str:
    return f"u{person_id}/rooms"


def things(person_id: int) -> str:
    return f"u{person_id}/things"


def bell(person_id: int) -> str:
    return f"u{person_id}/bell"


def notices(person_id: int) -> str:
    return f"u{person_id}/notices"


def access(person_id: int) -> str:
    return f"u{person_id}/access"


def number(key: str) -> int | None:
    """The id at the end of a topic's name; None if a guesser wrote something else."""
    return int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else None
