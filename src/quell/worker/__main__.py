"""The door as a process: `python -m quell.worker`."""

import os

from quell.wiring import serve
from quell.worker.run import run

if __name__ == "__main__":
    serve(run, os.environ)
