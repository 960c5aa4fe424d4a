"""One verb, one transaction: what changes, its events and its next jobs are written together or not at all."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from quell.core.errors import TryAgain
from quell.core.event import Event, Json
from quell.core.sla import Timing
from quell.core.ticket import Ticket
from quell.store import chain
from quell.store.chain import Head
from quell.store.jobs import Job, Jobs

Clock = Callable[[], datetime]


@dataclass
class Change:
    """An open transaction with its time; `later` and `record` belong to it, `afterwards` runs once it has committed.

    `heads` and `held` keep what this transaction has locked and written itself: ends of chains and folded tickets.
    Nobody else can change those before it ends, so they need not be read twice; `timing` is read once likewise.
    """

    connection: AsyncConnection
    at: datetime
    jobs: list[Job] = field(default_factory=list)
    afterwards: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    recorded: int = 0
    heads: dict[str, Head] = field(default_factory=dict)
    held: dict[int, Ticket] = field(default_factory=dict)
    timing: Timing | None = None
    # What this change has locked, and where tickets count meanwhile: see `incidents.hold`.
    locked: set[int] = field(default_factory=set)
    roots: dict[int, int] = field(default_factory=dict)

    async def record(self, stream: str, kind: str, actor: str, body: Mapping[str, Json]) -> Event:
        """Append an event to a stream."""
        self.recorded += 1
        end = self.heads.get(stream) or await chain.lock_stream(self.connection, stream)
        event, self.heads[stream] = await chain.append(self.connection, end, stream, kind, self.at, actor, body)
        return event

    def later(self, job: Job) -> None:
        """Let a job follow this change."""
        self.jobs.append(job)


@dataclass(frozen=True)
class Store:
    """The database, the clock and the queue: everything a verb needs to change something."""

    engine: AsyncEngine
    clock: Clock
    jobs: Jobs
    notify: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """A transaction that commits when the block ends well."""
        try:
            async with self.engine.begin() as connection:
                change = Change(connection, self.clock())
                yield change
                await self.jobs.defer(connection, tuple(change.jobs))
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
                raise TryAgain("somebody else changed the same at the same moment") from error
            raise
        await self.jobs.committed(tuple(change.jobs))
        for work in change.afterwards:
            await work()
        if change.recorded and self.notify is not None:
            await self.notify()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading."""
        async with self.engine.connect() as connection:
            yield connection
