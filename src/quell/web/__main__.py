"""Starts the web door as a process of its own: `python -m quell.web`."""

import asyncio
import logging
import os
import sys

from quell import settings
from quell.web.run import run

if __name__ == "__main__":
    found = settings.read(os.environ)
    logging.basicConfig(level=found.log.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    asyncio.run(run(found))
