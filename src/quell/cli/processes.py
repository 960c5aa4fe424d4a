"""`quell web`, `worker`, `listen`, `signer`: single processes, for those who want to place each of them themselves."""

import os
import sys

import click

from quell.cli.door import read_settings

DOORS = {
    "web": "Serve pages, API, hooks and devices.",
    "worker": "Take work from the queue.",
    "listen": "Take mail and syslog on the ports that are set, and fetch mail where a channel says so.",
    "signer": "Hold the keys, and sign orders and checkpoints.",
}


def _command(name: str, says: str) -> click.Command:
    def become() -> None:
        read_settings()
        # One door never reaches into another: this process becomes the other one.
        os.execv(sys.executable, [sys.executable, "-m", f"quell.{name}"])

    return click.Command(name, callback=become, help=says)


ALL = [_command(name, says) for name, says in DOORS.items()]
