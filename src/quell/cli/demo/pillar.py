"""The check-in pillar's small service in the demo: started and stopped by the commands of a device's policy.

Run as a plain file with `python -I pillar.py start|stop FOLDER`: the standard library is all that it needs.
"""

import http.server
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

PID, PORT = "pillar.pid", "pillar.port"
WITHIN_S = 8.0
LOOK_S = 0.05


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every question."""

    def do_GET(self) -> None:
        """Say that patients may check in."""
        body = b"Please hold your card before the reader.\n"
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def start(folder: Path) -> int:
    """Go into the background, as daemons do, and return when the service answers; 0 when it does."""
    (folder / PID).unlink(missing_ok=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            serve(folder)
        os._exit(0)
    return wait(lambda: (folder / PID).exists())


def serve(folder: Path) -> None:
    """Be the service, until somebody stops it."""
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    (folder / PORT).write_text(str(server.server_port))
    fresh = folder / (PID + ".new")
    fresh.write_text(str(os.getpid()))
    fresh.replace(folder / PID)
    server.serve_forever()


def stop(folder: Path) -> int:
    """End the service if it runs."""
    try:
        os.kill(int((folder / PID).read_text()), signal.SIGTERM)
    except (OSError, ValueError):
        return 0
    (folder / PID).unlink(missing_ok=True)
    return 0


def wait(done: Callable[[], bool]) -> int:
    """Look until it is done; 1 when it takes too long."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if done():
            return 0
        time.sleep(LOOK_S)
    return 1


if __name__ == "__main__":
    sys.exit({"start": start, "stop": stop}[sys.argv[1]](Path(sys.argv[2])))
