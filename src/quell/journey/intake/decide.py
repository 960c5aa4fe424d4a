"""Where something heard belongs: to a report that we know, to none, or to a new one; pure."""

from dataclasses import dataclass
from enum import StrEnum

from quell.core.incoming import Incoming, Said

# In these channels everyone in a thread sees all of it, so whoever writes there belongs to it.
OPEN_THREADS = frozenset({"slack", "teams"})
PEOPLES_CHANNELS = frozenset({"email", "slack", "whatsapp", "teams", "portal"})


class Goes(StrEnum):
    """What becomes of something heard."""

    NEW = "new"
    REPLY = "reply"
    REPEAT = "repeat"
    OVER = "over"
    NOWHERE = "nowhere"


@dataclass(frozen=True)
class Earlier:
    """What intake must know of a report heard before: whose it is and whether its alert is over."""

    number: int
    organisation: str
    person: int | None
    over: bool


@dataclass(frozen=True)
class Place:
    """Where it goes, to which report, and why; `follows` names an older report that a new one is linked to."""

    goes: Goes
    report: int | None = None
    follows: int | None = None
    why: str = ""


def place(
    heard: Incoming, channel: str, person: int | None, by_thread: Earlier | None, by_identity: Earlier | None
) -> Place:
    """Where it belongs, by thread for words and by identity for alerts."""
    if heard.said is Said.WORDS:
        return _place_words(channel, person, by_thread, automatic=bool(heard.loop))
    if heard.said is Said.RESOLVED:
        return _place_resolve(by_identity)
    return _place_firing(by_identity)


def _place_words(channel: str, person: int | None, earlier: Earlier | None, *, automatic: bool) -> Place:
    if earlier is None:
        return Place(Goes.NEW, why="no thread that we know")
    if channel in OPEN_THREADS:
        return Place(Goes.REPLY, earlier.number, why="written in the report's thread")
    if automatic:
        # A returned mail comes from a mail server and not from the reporter; it is filed, and moves and tells nothing.
        return Place(Goes.REPLY, earlier.number, why="a machine's word about the report")
    if person is not None and person == earlier.person:
        return Place(Goes.REPLY, earlier.number, why="the reporter answers in his thread")
    return Place(Goes.NEW, follows=earlier.number, why="somebody else knows the thread; he sees nothing of it")


def _place_firing(earlier: Earlier | None) -> Place:
    if earlier is None:
        return Place(Goes.NEW, why="this problem is new")
    if earlier.over:
        return Place(Goes.NEW, follows=earlier.number, why="the problem came back after it was over")
    return Place(Goes.REPEAT, earlier.number, why="the same problem goes on")


def _place_resolve(earlier: Earlier | None) -> Place:
    if earlier is None:
        return Place(Goes.NOWHERE, why="nothing is known of what is said to be over")
    if earlier.over:
        return Place(Goes.NOWHERE, why="it was over already")
    return Place(Goes.OVER, earlier.number, why="the machine says that it is over")


def is_urgent(channel: str) -> bool:
    """Whether work for this channel goes before the others': people wait, machines do not."""
    return channel in PEOPLES_CHANNELS
