"""The door as a process: `python -m quell.listen`."""

import os

from quell.listen.run import run
from quell.wiring import serve

if __name__ == "__main__":
    serve(run, os.environ)
