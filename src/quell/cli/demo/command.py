"""`quell demo`: starts Quell apart, connects the sample company and two devices, and plays the day."""

import asyncio
import fcntl
import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quell.cli.demo.day import WHOLE, messages
from quell.core.errors import Refused

if TYPE_CHECKING:
    from quell.cli.demo.show import Show

MARK = "demo.lock"
FOLDER = ".quell-demo"
SPEED_DEFAULT = 60.0


@click.command()
@click.option("--speed", type=click.FloatRange(1, 100_000), default=SPEED_DEFAULT, show_default=True,
              help="How many times faster than life; quiet stretches are cut short besides.")  # fmt: skip
@click.option("--day", default="", metavar="DATE", help=f"A day of the sample, or `{WHOLE}`; else its busiest.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), default=Path(FOLDER), show_default=True,
              help="The demo's own folder, emptied at each start.")  # fmt: skip
@click.option("--port", type=click.IntRange(1, 65535), help="Where its pages are; else 8080, or any free port.")
@click.option("--hands-off", is_flag=True, help="No technician of the demo's: you accept, join, agree and solve.")
@click.option("--messages", "most", type=click.IntRange(1), help="Play so many messages at most.")
@click.option("--once", is_flag=True, help="Stop when the day is over.")
def demo(speed: float, day: str, home: Path, port: int | None, hands_off: bool, most: int | None, once: bool) -> None:
    """Play a sample company's working day through the real channels, before your eyes.

    Quell is started in a folder of its own, on a database of its own; nothing of yours is touched. Mail comes by LMTP,
    Slack's events are signed, alerts come as webhooks, and two devices are real agent processes: one runs out of disk,
    one loses its service. Ctrl-C stops everything.
    """
    from quell.cli.demo.show import Show

    with own_folder(home.absolute()) as folder:
        show = Show(folder, messages(day)[:most], speed, port, hands_off, click.echo)
        asyncio.run(until_stopped(show, once))


async def until_stopped(show: "Show", once: bool) -> None:
    """Run the show until it is over, or until Ctrl-C or SIGTERM."""
    playing = asyncio.create_task(show.run(once))

    def stop() -> None:
        # Once only: an impatient second Ctrl-C must not cut the tidying up short.
        if not playing.cancelling():
            click.echo("Stopping …")
            playing.cancel()

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, stop)
    try:
        await playing
    except asyncio.CancelledError:
        click.echo("The demo is stopped.")


@contextmanager
def own_folder(home: Path) -> Iterator[Path]:
    """The demo's folder, empty but for its mark; Refused for a folder that holds anything else than an old demo."""
    mark = home / MARK
    if home.exists() and any(home.iterdir()) and not mark.is_file():
        raise Refused(f"{home} holds something that no demo has made; choose another --home", code="not_a_demo")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with mark.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise Refused(f"a demo runs already in {home}", code="runs_already") from taken
        for each in home.iterdir():
            if each != mark:
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
        file.write(json.dumps({"says": "made by quell demo, and emptied at its next start"}))
        file.flush()
        yield home
