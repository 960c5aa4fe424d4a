"""`quell up`: the database and every door in one process tree, from the ready line until somebody says stop."""

import asyncio
import fcntl
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from quell.cli.door import read_settings
from quell.core.errors import Refused


@click.command()
def up() -> None:
    """Start everything: database, pages, worker, signer and what listens; stay in the foreground.

    Prints the address when all is ready, and a link that makes the first account while there is none.
    """
    # Not for `quell --help`: the tree brings the database's libraries.
    from quell.cli.tree import Tree

    settings = read_settings()
    logging.basicConfig(level=settings.log.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(settings.home):
        check_port(settings.bind, settings.port)
        asyncio.run(Tree(settings).run())


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold this home; Refused when another `quell up` does."""
    with open(os.open(home / "up.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise Refused(f"Quell runs already with its home in {home}", code="runs_already") from taken
        yield


def check_port(bind: str, port: int) -> None:
    """Refused when somebody else has the port, before anything is started."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as taken:
            says = f"{bind} port {port} cannot be had: {taken.strerror}; set QUELL_PORT or QUELL_BIND"
            raise Refused(says, code="port_taken") from taken
