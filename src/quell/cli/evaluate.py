"""`quell eval`: scores the shipped models on labelled data, in memory, by the protocols that come with the data."""

import importlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quell.core.errors import Refused

if TYPE_CHECKING:
    from quell.ml.embedder import Embedder

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)


@click.group("eval")
def evaluate() -> None:
    """How right the shipped models are on labelled data; changes nothing and needs no database."""


@evaluate.command()
@click.option("--data", type=FOLDER, required=True, help="A company's folder, or one that holds several.")
@click.option("--json", "out", type=OUT, help="Write everything here, too.")
@click.option("--no-corrections", is_flag=True, help="Never tell the models what was true.")
def scenarios(data: Path, out: Path | None, no_corrections: bool) -> None:
    """Whole companies: each message answered in order of time, its truth given after the answer."""
    found = score("scenarios", data, corrections=not no_corrections)
    click.echo(found["table"])
    _write(out, found)


@evaluate.command()
@click.option("--data", type=FOLDER, required=True, help="A folder with pitfall_pairs.jsonl and ipack_storm.jsonl.")
@click.option("--json", "out", type=OUT, help="Write everything here, too.")
def duplicates(data: Path, out: Path | None) -> None:
    """Pairs of messages that look alike, and one real outage among unrelated reports."""
    _tell(score("duplicates", data), out)


@evaluate.command()
@click.option("--data", type=FOLDER, required=True, help="A folder with the labelled tickets.")
@click.option("--json", "out", type=OUT, help="Write everything here, too.")
def triage(data: Path, out: Path | None) -> None:
    """Labelled tickets of other trackers: accuracy, calibration, and how much could be sorted at 95 and 98 %."""
    _tell(score("triage", data, embed=False), out)


def score(suite: str, data: Path, *, embed: bool = True, **options: object) -> dict[str, Any]:
    """One suite on one folder; Refused when nothing in it can be scored."""
    run: Callable[..., dict[str, Any]] = importlib.import_module(f"quell.ml.trial.{suite}").evaluate
    with embedder() as eyes:
        found = run(data, eyes, **options) if embed else run(data, **options)
    if not found or found.get("companies") == {}:
        raise Refused(f"{data} holds nothing that `quell eval {suite}` can score", 422, "nothing_to_score")
    return found


@contextmanager
def embedder() -> "Iterator[Embedder | None]":
    """The reader of sentences, None where its weights are not installed."""
    from quell.ml.embedder import Embedder, find_weights

    weights = find_weights()
    if weights is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="quell-eval-") as cache:
        yield Embedder(weights, Path(cache))


def lines(found: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Every number with its place, a line each."""
    for key, value in found.items():
        place = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from lines(value, f"{place}.")
        elif isinstance(value, list):
            yield f"{place}: " + ", ".join(_number(each) for each in value)
        else:
            yield f"{place}: {_number(value)}"


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _tell(found: dict[str, Any], out: Path | None) -> None:
    for line in lines(found):
        click.echo(line)
    _write(out, found)


def _write(out: Path | None, found: dict[str, Any]) -> None:
    if out is not None:
        out.write_text(json.dumps(found, indent=1) + "\n")
