"""The benches in small: what they measure really happens, and what they leave in a database is what verbs leave."""

import json
from collections.abc import Awaitable
from pathlib import Path

import pytest
from click.testing import CliRunner

import quell.web
from quell.cli.bench import duplicates, filling, intake, pages, recovery, scoreboard, triage
from quell.cli.bench.figure import Figure, share
from quell.cli.demo import day
from quell.cli.door import now
from quell.cli.main import main
from quell.store import audit, companies, rebuilding
from quell.store.change import Store
from quell.store.database import connect
from quell.store.jobs import InlineJobs

ASSETS = Path(quell.web.__file__).parent / "static" / "vendor" / "htmx.min.js"
SAMPLE = Path(quell.web.__file__).parents[1] / "sample"
needs_assets = pytest.mark.skipif(not ASSETS.exists(), reason="needs the front-end files of `make setup`")


async def by_name(found: Awaitable[list[Figure]]) -> dict[str, Figure]:
    return {each.name: each for each in await found}


@needs_assets
async def test_intake_accepts_hooks_and_so_does_the_yardstick() -> None:
    found = await by_name(intake.measure(seconds=1.0, rounds=1))
    accepted = found["hooks accepted"]
    assert accepted.value > 0 and accepted.against is not None and accepted.against > 0


@needs_assets
async def test_triage_is_timed_from_arrival_to_what_others_can_see() -> None:
    found = await by_name(triage.measure(count=4, per_s=2.0, burners=1))
    median, slowest = found["arrival to stored proposals, median"], found["arrival to stored proposals, p99"]
    assert 0 < median.value <= slowest.value < triage.SORTED_WITHIN_S


async def test_one_message_is_placed_among_many_tickets() -> None:
    found = await duplicates.measure(tickets=12, count=3)
    assert all(each.value > 0 for each in found)


@needs_assets
async def test_pages_are_timed_at_few_and_at_many_tickets_and_the_second_start_too() -> None:
    found = await by_name(pages.measure(few=10, many=300, times=3))
    assert found["queue page at 300 open tickets"].value > 0
    assert found["second start of quell up"].value > 0


@needs_assets
async def test_a_killed_worker_loses_nothing_and_does_nothing_twice() -> None:
    found = await by_name(recovery.measure(deliveries=12, kills=1))
    assert found["deliveries lost after kill -9"].value == 0
    assert found["reports, tickets or proposals doubled"].value == 0


async def test_tickets_filled_in_at_once_are_as_verbs_would_have_made_them(database_url: str) -> None:
    engine = connect(database_url)
    store = Store(engine, now, InlineJobs())
    try:
        async with store.change() as change:
            await companies.save(change, day.company(), "test")
        for _ in range(2):
            async with store.change() as change:
                await filling.fill(change, 60)
        async with store.read() as connection:
            assert await rebuilding.compare(connection) == []
        async with store.read() as connection:
            found = await audit.verify(connection, None, None)
        assert found.findings == [] and found.events > 120 * 8
    finally:
        await engine.dispose()


def test_the_scoreboard_sets_each_figure_beside_its_yardstick() -> None:
    figures = [
        Figure("hooks accepted", 812.4, "1/s", "quell bench intake", "plain INSERT", 1630.0, None, "how"),
        Figure("p99", 1.204, "s", "quell bench triage", "promised: under", 1.0, False),
    ]
    told = [scoreboard.Evaluated("Replay", "quell replay DIR", ("biggest outage: one",))]
    where = {"cores": 2, "memory_gib": 8.0, "system": "Linux x86_64", "python": "3.11.7", "busy_percent": 3}
    page = scoreboard.section(figures, told, now(), where)
    assert "| hooks accepted | 812 1/s | plain INSERT 1630 1/s |  | `quell bench intake` |" in page
    assert "| p99 | 1.2 s | promised: under 1 s | **no** |" in page
    assert "- biggest outage: one" in page and "- bench intake: how" in page


def test_only_our_own_section_of_the_scoreboard_is_rewritten() -> None:
    first = scoreboard.rewritten("# Scoreboard\n\n## Triage\n\nby others\n", "ours, once")
    assert first.startswith("# Scoreboard\n\n## Triage\n\nby others\n") and "ours, once" in first
    again = scoreboard.rewritten(first + "\n## After\n", "ours, anew")
    assert "ours, once" not in again and "by others" in again and again.endswith("## After\n")
    assert again == scoreboard.rewritten(again, "ours, anew")
    assert scoreboard.rewritten("", "ours").startswith("# Scoreboard\n")


def test_the_slowest_of_a_share_is_a_value_that_was_measured() -> None:
    values = [float(each) for each in range(1, 101)]
    assert [share(values, part) for part in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert share([3.0], 0.99) == 3.0 and share([], 0.5) == 0.0


def test_eval_scores_a_company_and_refuses_a_folder_without_any(tmp_path: Path) -> None:
    lines = (SAMPLE / "messages.jsonl").read_text(encoding="utf-8").splitlines()[:25]
    company = tmp_path / "northwind"
    company.mkdir()
    (company / "company.json").write_bytes((SAMPLE / "company.json").read_bytes())
    (company / "messages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "out.json"
    done = CliRunner().invoke(main, ["eval", "scenarios", "--data", str(company), "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("| company |")
    (found,) = json.loads(out.read_text())["companies"].values()
    assert found["messages"] == 25
    empty = tmp_path / "empty"
    empty.mkdir()
    assert CliRunner().invoke(main, ["eval", "duplicates", "--data", str(empty)]).exit_code == 2
