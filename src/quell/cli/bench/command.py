"""`quell bench`: one command for each suite, and `all`, which evaluates too and rewrites the scoreboard."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from quell.cli.bench.figure import Figure, as_json, machine
from quell.cli.door import now

OUT = click.Path(dir_okay=False, path_type=Path)
BUSY_PERCENT = 25


async def _intake() -> list[Figure]:
    from quell.cli.bench import intake

    return await intake.measure()


async def _triage() -> list[Figure]:
    from quell.cli.bench import triage

    return await triage.measure()


async def _duplicates() -> list[Figure]:
    from quell.cli.bench import duplicates

    return await duplicates.measure()


async def _pages() -> list[Figure]:
    from quell.cli.bench import pages

    return await pages.measure()


async def _recovery() -> list[Figure]:
    from quell.cli.bench import recovery

    return await recovery.measure()


Suite = Callable[[], Awaitable[list[Figure]]]
SUITES: dict[str, tuple[Suite, str]] = {
    "intake": (_intake, "Hooks accepted each second, beside a plain FastAPI application that inserts."),
    "triage": (_triage, "From a message's arrival to its stored proposals, with every core busy."),
    "duplicates": (_duplicates, "Telling where a message belongs among many open tickets."),
    "pages": (_pages, "The queue's page at 100 and at 10,000 open tickets, and the second start."),
    "recovery": (_recovery, "kill -9 of the worker in the midst of its work: lost and doubled deliveries."),
}


@click.group()
def bench() -> None:
    """Load and speed on this machine, each figure beside its yardstick, measured in one run.

    Each suite starts what it needs in a temporary folder. What else the machine does falls into the figures, so how
    busy it was is written down beside them.
    """


def _command(name: str, suite: Suite, says: str) -> click.Command:
    def run(out: Path | None) -> None:
        where, at = machine(), now()
        found = measured(suite)
        if out is not None:
            out.write_text(json.dumps(as_json(found, at, where), indent=1) + "\n")

    options = [click.Option(["--json", "out"], type=OUT, help="Write the figures here, too.")]
    return click.Command(name, params=[*options], callback=run, help=says)


def measured(suite: Suite) -> list[Figure]:
    """Run one suite and say what came of it."""
    busy = machine()["busy_percent"]
    if isinstance(busy, int) and busy > BUSY_PERCENT:
        click.echo(f"{busy} % of the machine is busy with other things; that falls into the figures.", err=True)
    found = asyncio.run(_awaited(suite))
    for each in found:
        click.echo(each.line())
    return found


async def _awaited(suite: Suite) -> list[Figure]:
    return await suite()


for _name, (_suite, _says) in SUITES.items():
    bench.add_command(_command(_name, _suite, _says))


@bench.command("all")
@click.option("--json", "out", type=OUT, help="Write the figures here, too.")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder with `scenarios`, `dedup` and `triage`; else what is shipped.")  # fmt: skip
@click.option("--scoreboard", type=OUT, default=Path("docs") / "scoreboard.md", show_default=True,
              help="Its own section of this page is rewritten.")  # fmt: skip
def everything(out: Path | None, data: Path | None, scoreboard: Path) -> None:
    """Run every suite and every evaluation, and rewrite their section of the scoreboard."""
    from quell.cli.bench import scoreboard as board

    where, at = machine(), now()
    found = []
    for name, (suite, _) in SUITES.items():
        click.echo(f"{name} …")
        found += measured(suite)
    tables = board.evaluations(data, click.echo)
    scoreboard.parent.mkdir(parents=True, exist_ok=True)
    old = scoreboard.read_text(encoding="utf-8") if scoreboard.is_file() else ""
    scoreboard.write_text(board.rewritten(old, board.section(found, tables, at, where)), encoding="utf-8")
    click.echo(f"scoreboard: {scoreboard}")
    if out is not None:
        out.write_text(json.dumps(as_json(found, at, where), indent=1) + "\n")
