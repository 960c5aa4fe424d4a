"""`docs/scoreboard.md`: every figure with its yardstick, the command that computes it anew, and its day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from quell.cli.bench.figure import Figure, shown
from quell.cli.evaluate import lines, score
from quell.core.errors import Refused

BEGIN, END = "<!-- from here on written by make bench -->", "<!-- up to here -->"
SUITES = {"duplicates": "dedup", "triage": "triage"}
SAMPLE = "src/quell/sample"


@dataclass(frozen=True)
class Evaluated:
    """One evaluation: its command, its rows (place, number) or a ready table, and what one must know about it."""

    title: str
    command: str
    rows: tuple[str, ...] = ()
    table: str = ""
    notes: str = ""


def evaluations(data: Path | None, say: Callable[[str], None]) -> list[Evaluated]:
    """The replay of the sample through the real rooms, and each evaluation that there is data for."""
    made = [_replay(say)]
    folder = data / "scenarios" if data is not None and (data / "scenarios").is_dir() else Path(str(_sample()))
    shown_as = "DIR/scenarios" if data is not None else SAMPLE
    say("eval scenarios …")
    found = score("scenarios", folder)
    made.append(
        Evaluated("Whole companies, in memory", f"quell eval scenarios --data {shown_as}", (), found["table"], SEEN)
    )
    for suite, name in SUITES.items():
        if data is None or not (data / name).is_dir():
            continue
        say(f"eval {suite} …")
        try:
            numbers: dict[str, Any] = score(suite, data / name, embed=suite != "triage")
        except Refused:
            continue
        made.append(
            Evaluated(f"Labelled data: {suite}", f"quell eval {suite} --data DIR/{name}", tuple(lines(numbers)))
        )
    return made


SEEN = (
    "The shipped models were fitted on these companies among others, so these figures flatter them; what they do on a "
    "company that they have not seen stands in the reference of the models."
)


def _sample() -> object:
    return files("quell") / "sample"


def _replay(say: Callable[[str], None]) -> Evaluated:
    from quell.cli.replay import answers
    from quell.replay import judge, summary
    from quell.replay.history import read_company_file, read_messages

    say("replay of the sample …")
    folder = Path(str(_sample()))
    past = list(read_messages(folder))
    made, _, model = answers(read_company_file(folder), past, corrections=True)
    found = summary.summarise(judge.judge(past, made))
    command = f"quell replay {SAMPLE} --predictions OUT.jsonl"
    return Evaluated(
        "The sample company, through the real rooms",
        command,
        tuple(summary.sentences(found)),
        "",
        f"{SEEN} Model {model}.",
    )


def rewritten(old: str, section: str) -> str:
    """The page with our section anew; what others wrote before and after it stays as it is."""
    before, begin, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not begin:
        before, after = (old.rstrip() or "# Scoreboard") + "\n\n", "\n"
    return f"{before}{BEGIN}\n{section}\n{END}{after}"


def section(
    figures: Sequence[Figure], evaluated: Sequence[Evaluated], at: datetime, where: Mapping[str, object]
) -> str:
    """Our section of the page as Markdown."""
    day = f"{at:%Y-%m-%d}"
    said = [
        "## Load and speed",
        "",
        f"Measured on {day} with {where['cores']} cores and {where['memory_gib']} GiB, {where['system']}, Python "
        f"{where['python']}; {where['busy_percent']} % of the machine was busy with other things just before. Whoever "
        "runs `make bench` gets the figures of his own machine.",
        "",
        "| figure | measured | yardstick, in the same run | kept | command | date |",
        "| --- | ---: | --- | --- | --- | --- |",
        *(_row(each, day) for each in figures),
        "",
        "How each was measured:",
        "",
        *dict.fromkeys(f"- {each.command.removeprefix('quell ')}: {each.notes}" for each in figures if each.notes),
    ]
    for each in evaluated:
        said += ["", f"## {each.title}", "", f"`{each.command}`, {day}", ""]
        said += [each.table] if each.table else [f"- {row}" for row in each.rows]
        said += ["", each.notes] if each.notes else []
    return "\n".join(said)


def _row(figure: Figure, day: str) -> str:
    unit = f" {figure.unit}" if figure.unit else ""
    against = f"{figure.yardstick} {shown(figure.against)}{unit}" if figure.against is not None else figure.yardstick
    kept = {True: "yes", False: "**no**", None: ""}[figure.holds]
    return f"| {figure.name} | {shown(figure.value)}{unit} | {against} | {kept} | `{figure.command}` | {day} |"
