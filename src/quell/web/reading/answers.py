"""Answers every question of the pages from the database, each in one snapshot of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.seams import Action, Channel
from quell.store import queue
from quell.store.change import Store
from quell.store.tables import content
from quell.web.desk import Who
from quell.web.reading import devices, dialogs, portal, setting_up
from quell.web.reading import queue as queues
from quell.web.reading import ticket as tickets
from quell.web.reading.joined import members
from quell.web.reading.names import NameBook, Names
from quell.web.reading.talk import talk_view
from quell.web.reads import Ask, Found, Rail
from quell.web.views.devices import DevicesView, DeviceView
from quell.web.views.portal import PortalView, RequestView
from quell.web.views.queue import Peek, QueueView, Row, WhyView
from quell.web.views.setup import SetupView
from quell.web.views.ticket import Download, EditView, MergeView, Talk, TicketView


class Answers:
    """Fulfils `Reads`."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], actions: Mapping[str, Action], address: str
    ) -> None:
        """Read from this store; `address` stands before the hooks that are shown to copy."""
        self.store = store
        self.channels = channels
        self.actions = actions
        self.address = address
        self.book = NameBook()

    @asynccontextmanager
    async def _look(self) -> AsyncIterator[tuple[AsyncConnection, Names]]:
        async with self.store.read() as plain:
            connection = await plain.execution_options(isolation_level="REPEATABLE READ")
            yield connection, await self.book.open(connection, self.store.clock())

    async def company(self) -> str:
        """The company's name."""
        async with self._look() as (_, names):
            return names.company

    async def rail(self, who: Who) -> Rail:
        """The counts beside every page."""
        async with self._look() as (connection, names):
            return await queues.rail(connection, who, names)

    async def queue(self, who: Who, ask: Ask) -> QueueView:
        """One page of the queue."""
        async with self._look() as (connection, names):
            return await queues.queue_view(connection, who, ask, names)

    async def rows(self, who: Who, ask: Ask, numbers: Sequence[int]) -> tuple[Row, ...]:
        """These tickets as rows."""
        async with self._look() as (connection, names):
            return await queues.row_views(connection, who, ask, numbers, names)

    async def fresh(self, who: Who, ask: Ask, numbers: Sequence[int]) -> tuple[int, ...]:
        """Those of these tickets that belong to the view."""
        async with self._look() as (connection, names):
            return await queue.members_of_view(connection, queues.wanted(who, ask, names), numbers)

    async def peek(self, who: Who, number: int) -> Peek:
        """The preview of one ticket."""
        async with self._look() as (connection, names):
            return await queues.peek_view(connection, number, names)

    async def why(self, who: Who, number: int) -> WhyView:
        """The reasons behind a ticket's proposal."""
        async with self._look() as (connection, names):
            return await queues.why_view(connection, number, names)

    async def file(self, number: int) -> Download:
        """An attachment."""
        async with self._look() as (connection, _):
            return await _download(connection, *await portal.file_of(connection, number, None))

    async def file_of(self, report: int, number: int) -> Download:
        """An attachment of this report's own conversation."""
        async with self._look() as (connection, _):
            return await _download(connection, *await portal.file_of(connection, number, report))

    async def ticket(self, who: Who, number: int, ask: Ask) -> TicketView:
        """The whole page of one ticket."""
        async with self._look() as (connection, names):
            return await tickets.ticket_view(connection, who, number, ask, names, self.actions)

    async def talk(self, who: Who, number: int, report: int | None) -> Talk:
        """The conversation, of all or of one reporter."""
        async with self._look() as (connection, names):
            found = [each for each in await members(connection, number, ()) if each.root == number]
            return await talk_view(connection, found, report, names)

    async def edit(self, who: Who, numbers: Sequence[int], focus: str) -> EditView:
        """What the edit dialog offers."""
        async with self._look() as (connection, names):
            return await dialogs.edit_view(connection, numbers, focus, names)

    async def merge(self, who: Who, numbers: Sequence[int], words: str) -> MergeView:
        """Tickets that these may be joined to."""
        async with self._look() as (connection, names):
            return await dialogs.merge_view(connection, numbers, words, names)

    async def find(self, who: Who, words: str) -> tuple[Found, ...]:
        """Tickets and devices that fit the words."""
        async with self._look() as (connection, names):
            return await dialogs.find(connection, words, names)

    async def portal(self, email: str | None) -> PortalView:
        """The reporter's page."""
        async with self._look() as (connection, names):
            return await portal.portal_view(connection, email, names)

    async def request(self, report: int, link: str) -> RequestView:
        """One request as its reporter sees it."""
        async with self._look() as (connection, names):
            return await portal.request_view(connection, report, link, names)

    async def devices(self, who: Who, which: str, words: str, after: str) -> DevicesView:
        """The fleet."""
        async with self._look() as (connection, names):
            return await devices.devices_view(connection, which, words, after, self.actions, names)

    async def device(self, who: Who, key: str) -> DeviceView:
        """One device."""
        async with self._look() as (connection, names):
            return await devices.device_view(connection, key, self.actions, names)

    async def setup(self, who: Who) -> SetupView:
        """Company, channels, people who work here."""
        async with self._look() as (connection, names):
            return await setting_up.setup_view(connection, self.channels, self.address, names)


async def _download(connection: AsyncConnection, name: str, number: int) -> Download:
    body = (await connection.execute(select(content.c.body).where(content.c.id == number))).scalar_one_or_none()
    if body is None:
        raise Refused("This file was erased.", 410, "erased")
    return Download(name, bytes(body))
