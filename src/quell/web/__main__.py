"""The door as a process: `python -m quell.web`."""

import os

from quell.web.run import run
from quell.wiring import serve

if __name__ == "__main__":
    serve(run, os.environ)
