"""Tells open pages that the log has grown, and workers that there is work: after the commit, and never too often.

A NOTIFY inside a transaction makes all commits wait for each other, so there is none; whoever listens polls as well.
"""

import asyncio

import psycopg

from quell.store.jobs import QUEUE

CHANNEL = "quell_log"
PAUSE_S = 0.1
WORK_PAUSE_S = 0.02
STOP_S_MAX = 2.0

GROWN = ("SELECT pg_notify(%s, pg_snapshot_xmin(pg_current_snapshot())::text)", (CHANNEL,))
WORK = ("SELECT pg_notify(%s, %s)", (f"procrastinate_queue_v1#{QUEUE}", '{"type": "job_inserted", "job_id": 0}'))


class Notifier:
    """One a process and purpose; many changes within a pause become one notification."""

    def __init__(self, conninfo: str, says: tuple[str, tuple[str, ...]] = GROWN, pause_s: float = PAUSE_S) -> None:
        """`conninfo` is libpq's address; the connection is made when first needed. `says` is a query and its values."""
        self._conninfo = conninfo
        self._says = says
        self._pause_s = pause_s
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    async def poke(self) -> None:
        """Say that something was committed; returns at once."""
        self._due.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._due.is_set():
            self._due.clear()
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    while True:
                        await connection.execute(*self._says)
                        if self._stopped:
                            return
                        await asyncio.sleep(self._pause_s)
                        await self._due.wait()
                        self._due.clear()
            except psycopg.Error:
                # Who listens polls as well, so a lost notification is only late; the next change tries anew.
                return

    async def stop(self) -> None:
        """Let go of the connection, when what was due has been said."""
        if self._task is not None:
            # Not cancelled at once: a connection given up while it logs in keeps the server waiting for its password.
            self._stopped = True
            self._due.set()
            await asyncio.wait({self._task}, timeout=STOP_S_MAX)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
