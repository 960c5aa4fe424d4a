"""The signer as a process: `python -m quell.signer`."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime

from quell.settings import Settings, read
from quell.signer.run import run
from quell.store import postgres


async def sign(settings: Settings, url: str) -> None:
    """Sign until SIGTERM or SIGINT."""
    task = asyncio.current_task()
    assert task is not None
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, task.cancel)
    with suppress(asyncio.CancelledError):
        await run(settings.home, url, lambda: datetime.now(UTC))


def main() -> None:
    """Read the settings, find the database, sign."""
    settings = read(os.environ)
    logging.basicConfig(level=settings.log.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    with postgres.reached(settings.home, settings.database_url) as url:
        asyncio.run(sign(settings, url))


if __name__ == "__main__":
    main()
