"""The job queue as everyone sees it: a change and its next jobs commit together, or none does."""

import heapq
import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import procrastinate
import procrastinate.exceptions
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.event import Json

URGENT = 10
USUAL = 0
BEHIND = -10
QUEUE = "quell"


@dataclass(frozen=True)
class Job:
    """One piece of work: the task's name, its arguments, when (None: at once) and how urgent.

    What is `behind` waits until nothing else is due. Of jobs with the same `lock` only one runs at a time; of waiting
    jobs with the same `only_once` there is one.
    """

    task: str
    args: Mapping[str, Json]
    at: datetime | None = None
    urgent: bool = False
    behind: bool = False
    lock: str | None = None
    only_once: str | None = None

    @property
    def priority(self) -> int:
        """The greater goes first."""
        return URGENT if self.urgent else BEHIND if self.behind else USUAL


class Jobs(Protocol):
    """Where a change puts its next jobs."""

    async def defer(self, connection: AsyncConnection, jobs: tuple[Job, ...]) -> None:
        """Called inside the transaction, before it commits."""

    async def committed(self, jobs: tuple[Job, ...]) -> None:
        """Called after it has committed."""


def queue_app(conninfo: str) -> procrastinate.App:
    """The queue over the database at libpq's address `conninfo`; it lives in a schema of its own."""
    options = "-c search_path=quell_jobs,public"
    connector = procrastinate.PsycopgConnector(conninfo=conninfo, kwargs={"options": options})
    return procrastinate.App(connector=connector)


class QueuedJobs:
    """The real queue: rows in the same database, taken by any worker."""

    def __init__(self, app: procrastinate.App, wake: Callable[[], Awaitable[None]]) -> None:
        """Defer through this app; `wake` tells the workers that there is something to do."""
        self.app = app
        self.wake = wake

    async def defer(self, connection: AsyncConnection, jobs: tuple[Job, ...]) -> None:
        """Write the jobs on the change's own connection."""
        if not jobs:
            return
        raw = (await connection.get_raw_connection()).driver_connection
        for _, those in itertools.groupby(
            jobs, key=lambda job: (job.task, job.priority, job.at, job.lock, job.only_once)
        ):
            await self._defer(raw, list(those))

    async def _defer(self, raw: Any, jobs: list[Job]) -> None:
        """Write jobs that differ in their arguments only, with one statement."""
        job = jobs[0]
        task = self.app.configure_task(
            job.task,
            queue=QUEUE,
            priority=job.priority,
            schedule_at=job.at,
            lock=job.lock,
            queueing_lock=job.only_once,
            connection=raw,
        )
        if job.only_once is None:
            await task.batch_defer_async(*(dict(each.args) for each in jobs))
            return
        # A savepoint, since a second waiting job of the same name must not undo the change that asked for it.
        with suppress(procrastinate.exceptions.AlreadyEnqueued):
            async with raw.transaction():
                await task.defer_async(**job.args)

    async def committed(self, jobs: tuple[Job, ...]) -> None:
        """Tell the workers; should we die before, they look by themselves within a second."""
        if any(job.at is None for job in jobs):
            await self.wake()


class InlineJobs:
    """For a replay: the same jobs, run in order in this process, with timers on the replay's own clock."""

    def __init__(self) -> None:
        """Start with nothing to do."""
        self._count = itertools.count()
        self._heap: list[tuple[float, int, int, Job]] = []
        self._once: set[str] = set()

    async def defer(self, connection: AsyncConnection, jobs: tuple[Job, ...]) -> None:
        """Wait for the commit."""

    async def committed(self, jobs: tuple[Job, ...]) -> None:
        """Remember the jobs; those for now come before those for later."""
        for job in jobs:
            if job.only_once is not None:
                if job.only_once in self._once:
                    continue
                self._once.add(job.only_once)
            due = job.at.timestamp() if job.at else float("-inf")
            heapq.heappush(self._heap, (due, -job.priority, next(self._count), job))

    def take(self, now: datetime) -> Job | None:
        """The next job that is due, or None."""
        if not self._heap or self._heap[0][0] > now.timestamp():
            return None
        job = heapq.heappop(self._heap)[3]
        if job.only_once is not None:
            self._once.discard(job.only_once)
        return job

    def next_due(self) -> float | None:
        """The time of the first waiting timer in seconds since the epoch, or None."""
        return self._heap[0][0] if self._heap else None
