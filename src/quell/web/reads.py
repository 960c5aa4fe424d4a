"""What the pages need to know: every question once, as a Protocol; the answers are views."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from quell.web.desk import Who
from quell.web.views.devices import DevicesView, DeviceView
from quell.web.views.portal import PortalView, RequestView
from quell.web.views.queue import Peek, QueueView, Row, WhyView
from quell.web.views.setup import SetupView
from quell.web.views.signs import Chip
from quell.web.views.ticket import Download, EditView, MergeView, Talk, TicketView


@dataclass(frozen=True)
class Ask:
    """Which part of the queue: a view's key, a team's key, words to search, and the cursor of a page."""

    view: str = "all"
    team: str = ""
    words: str = ""
    after: str = ""


@dataclass(frozen=True)
class Tally:
    """One line of the rail that counts: its key, its name and how many tickets stand behind it."""

    key: str
    name: str
    count: int


@dataclass(frozen=True)
class Rail:
    """What the shell of a page shows of the whole."""

    company: str
    views: tuple[Tally, ...] = ()
    teams: tuple[Tally, ...] = ()
    waits: int = 0


@dataclass(frozen=True)
class Found:
    """One thing that the palette found."""

    kind: str
    text: str
    href: str
    end: str = ""
    chip: Chip | None = None
    priority: str = ""
    icon: str = ""


class Reads(Protocol):
    """Each answer is read in one transaction; it raises Refused 404 for what is not there or not theirs to see."""

    async def company(self) -> str:
        """The company's name, "" before a company file was read."""

    async def rail(self, who: Who) -> Rail:
        """The counts beside every page."""

    async def queue(self, who: Who, ask: Ask) -> QueueView:
        """One page of the queue."""

    async def rows(self, who: Who, ask: Ask, numbers: Sequence[int]) -> tuple[Row, ...]:
        """These tickets as rows; one that is no longer part of the view says what became of it in `gone`."""

    async def fresh(self, who: Who, ask: Ask, numbers: Sequence[int]) -> tuple[int, ...]:
        """Those of these tickets that belong to the view."""

    async def peek(self, who: Who, number: int) -> Peek:
        """The preview of one ticket."""

    async def why(self, who: Who, number: int) -> WhyView:
        """The reasons behind a ticket's proposal."""

    async def file(self, number: int) -> Download:
        """An attachment; the door has checked who may have it."""

    async def file_of(self, report: int, number: int) -> Download:
        """An attachment that stands in this report's own conversation, for its reporter."""

    async def ticket(self, who: Who, number: int, ask: Ask) -> TicketView:
        """The whole page of one ticket; previous and next are those of the view that was left for it."""

    async def talk(self, who: Who, number: int, report: int | None) -> Talk:
        """The conversation, of all or of one reporter."""

    async def edit(self, who: Who, numbers: Sequence[int], focus: str) -> EditView:
        """What the edit dialog offers."""

    async def merge(self, who: Who, numbers: Sequence[int], words: str) -> MergeView:
        """Tickets that these may be joined to: likely ones first, or those that the words find."""

    async def find(self, who: Who, words: str) -> tuple[Found, ...]:
        """Tickets, devices and people that fit the words, best first, a dozen at most."""

    async def portal(self, email: str | None) -> PortalView:
        """The reporter's page; without an address only the form."""

    async def request(self, report: int, link: str) -> RequestView:
        """One request as its reporter sees it; the door has checked the key, files hang below `link`."""

    async def devices(self, who: Who, which: str, words: str, after: str) -> DevicesView:
        """The fleet."""

    async def device(self, who: Who, key: str) -> DeviceView:
        """One device."""

    async def setup(self, who: Who) -> SetupView:
        """Company, channels, people who work here."""
