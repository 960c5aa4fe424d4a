"""Tells open pages that the log has grown: after the commit, at most ten times a second, and with a position only."""

import asyncio

import psycopg

CHANNEL = "quell_log"
PAUSE_S = 0.1
STOP_S_MAX = 2.0


class Notifier:
    """One a process; many changes within a tenth of a second become one notification."""

    def __init__(self, conninfo: str) -> None:
        """`conninfo` is libpq's address; the connection is made when first needed."""
        self._conninfo = conninfo
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
                        await connection.execute(
                            "SELECT pg_notify(%s, pg_snapshot_xmin(pg_current_snapshot())::text)", (CHANNEL,)
                        )
                        if self._stopped:
                            return
                        await asyncio.sleep(PAUSE_S)
                        await self._due.wait()
                        self._due.clear()
            except psycopg.Error:
                # Pages poll as well, so a lost notification is only late; the next change tries anew.
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
