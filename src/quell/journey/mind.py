"""The model at work in one process: kept up to date with the company and with every correction, in their order."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import TryAgain
from quell.core.event import canonical
from quell.core.reading import Known, Message, OpenTicket, Reading
from quell.seams import Model
from quell.store import companies, proposals, readings
from quell.store.readings import Candidate

MESSAGES_KEPT_MAX = 20_000


@dataclass(frozen=True)
class Asked:
    """What a model was shown: the message, the tickets it may belong to, when, and a digest over all of it."""

    message: Message
    tickets: tuple[OpenTicket, ...]
    at: datetime
    digest: bytes


class Mind:
    """Holds one model; `ready` goes before each call and takes in what was learnt elsewhere meanwhile."""

    def __init__(self, make: Callable[[], Model]) -> None:
        """Start empty: `make` builds the model when it is first asked, since doors that never ask need none."""
        self._make = make
        self._model: Model | None = None
        self._lock = asyncio.Lock()
        self._loaded_at: object | None = None
        self._taught = 0
        self._messages: OrderedDict[int, Message] = OrderedDict()

    @property
    def model(self) -> Model:
        """The model, built when it is first needed."""
        if self._model is None:
            self._model = self._make()
        return self._model

    async def ask(self, connection: AsyncConnection, message: int, ticket: int, at: datetime) -> Asked:
        """Read out of the database what the model has to see for one message of a ticket."""
        there = await self._remember(connection, {message})
        if message not in there:
            raise TryAgain(f"message {message} is not there yet")
        found = await readings.candidates(connection, at, ticket, there[message].organisation)
        return await self.ask_about(connection, there[message], found, at)

    async def ask_about(
        self, connection: AsyncConnection, message: Message, found: Sequence[Candidate], at: datetime
    ) -> Asked:
        """The same for a message that is at hand, with these candidates."""
        known = await self._remember(connection, {each for one in found for each in one.messages})
        shown = [(one, [known[each] for each in one.messages if each in known]) for one in found]
        tickets = tuple(readings.as_open_ticket(one, members) for one, members in shown if members)
        return Asked(message, tickets, at, digest_of(message, tickets, at))

    async def propose(self, asked: Asked) -> Reading:
        """The model's answer, worked out beside the event loop; call `ready` before, with no connection held since."""
        async with self._lock:
            return await asyncio.to_thread(self.model.propose, asked.message, asked.tickets, asked.at)

    async def known(self, connection: AsyncConnection, ids: Iterable[int]) -> dict[int, Message]:
        """The messages with these ids."""
        return await self._remember(connection, set(ids))

    async def similar(self, message: Message, others: Mapping[int, Message]) -> Mapping[int, float]:
        """How alike a message is to others, 0 to 1, by their ids; call `ready` before."""
        ids = list(others)
        async with self._lock:
            shares = await asyncio.to_thread(self.model.similar, message, [others[each] for each in ids])
        return dict(zip(ids, shares, strict=True))

    async def ready(self, connection: AsyncConnection) -> None:
        """Take in what was learnt elsewhere meanwhile; Refused (409) before a company is loaded."""
        async with self._lock:
            await self._ready(connection)

    async def _ready(self, connection: AsyncConnection) -> None:
        loaded = await companies.loaded_at(connection)
        if loaded != self._loaded_at:
            company = await companies.required(connection)
            taught = await proposals.taught_after(connection, 0)
            await asyncio.to_thread(self.model.fit, company, await self._known(connection, taught))
            self._loaded_at, self._taught = loaded, taught[-1].id if taught else 0
            return
        if loaded is None:
            await companies.required(connection)
        taught = await proposals.taught_after(connection, self._taught)
        for each in await self._known(connection, taught):
            await asyncio.to_thread(self.model.learn, each.message, each.correction)
        self._taught = taught[-1].id if taught else self._taught

    async def _known(self, connection: AsyncConnection, taught: list[proposals.Taught]) -> list[Known]:
        there = await self._remember(connection, {each.message for each in taught})
        return [Known(there[each.message], each.correction) for each in taught if each.message in there]

    async def _remember(self, connection: AsyncConnection, ids: set[int]) -> dict[int, Message]:
        missing = [each for each in ids if each not in self._messages]
        self._messages.update(await readings.messages(connection, missing))
        found = {each: self._messages[each] for each in ids if each in self._messages}
        for each in found:
            self._messages.move_to_end(each)
        while len(self._messages) > MESSAGES_KEPT_MAX:
            self._messages.popitem(last=False)
        return found


def digest_of(message: Message, tickets: Iterable[OpenTicket], at: datetime) -> bytes:
    """SHA-256 over everything that a model is shown."""
    shown = [_plain(asdict(message)), [_ticket(each) for each in tickets], at.isoformat()]
    return hashlib.sha256(canonical(shown).encode("utf-8", "replace")).digest()  # type: ignore[arg-type]


def _ticket(ticket: OpenTicket) -> list[object]:
    fields = [ticket.category, ticket.owner, ticket.priority, ticket.over, sorted(ticket.believed.items())]
    return [ticket.number, ticket.opened.isoformat(), [each.id for each in ticket.members], *fields]


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}
