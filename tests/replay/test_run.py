"""A replay answers through the real rooms, in order of time, and never knows the truth before it has answered."""

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from quell.core.company_file import read_company
from quell.core.errors import Refused
from quell.replay import judge, outages, prediction, report, summary
from quell.replay.history import Past, read_company_file, read_messages
from quell.replay.run import NoDevices, Replay
from quell.seams import Action, find
from quell.store import postgres, rebuilding
from tests.replay.conftest import Watched, rewrite_truths


async def replayed(url, folder, model=None, corrections=True, past=None):
    """The replay after it ran, and its predictions."""
    playing = Replay(url, lambda: model or Watched(), find("quell.actions", "ACTION", Action), NoDevices())
    try:
        given = past if past is not None else list(read_messages(folder))
        return playing, await playing.play(read_company_file(folder), given, corrections)
    finally:
        await playing.close()


def without_times(made):
    return [replace(each, seconds=0.0, ticket_final=None) for each in made]


@dataclass(frozen=True)
class Guarded(Past):
    """A message whose truth must not be asked for before the model was asked about it."""

    asked: list[str] = field(default_factory=list)

    def reveal(self):
        assert str(self.row.get("text") or "") in self.asked, f"{self.id}: the truth was read before the answer"
        return super().reveal()


async def test_each_message_gets_one_answer_and_no_truth_is_read_before_it(database_url, folder):
    model = Watched()
    past = [
        Guarded(each.id, each.at, each.channel, each.row, each._line, model.asked) for each in read_messages(folder)
    ]
    _, made = await replayed(database_url, folder, model, past=past)
    assert [each.id for each in made] == [each.id for each in past]
    # A word is taken in before the next question, and after the last one no question comes.
    assert len(model.learnt) == len(past) - 1


async def test_answers_do_not_depend_on_the_truth_of_what_is_still_to_come(server, template, folder):
    found = []
    for name in ("replay_as_it_was", "replay_with_other_truths"):
        url = postgres.create_database(server, name, template).url
        found.append((await replayed(url, folder))[1])
        postgres.drop_database(server, name)
        rewrite_truths(folder, after=12)
    assert without_times(found[0][:13]) == without_times(found[1][:13])
    assert without_times(found[0]) != without_times(found[1])


async def test_without_corrections_nothing_is_taught(database_url, folder):
    model = Watched()
    await replayed(database_url, folder, model, corrections=False)
    assert model.learnt == []


async def test_the_tables_of_a_replay_are_what_its_log_says(database_url, folder):
    playing, _ = await replayed(database_url, folder)
    async with playing.house.store.read() as connection:
        assert await rebuilding.compare(connection) == []
    await playing.close()


async def test_a_folder_without_messages_is_refused(database_url, folder):
    (folder / "messages.jsonl").write_text("")
    with pytest.raises(Refused):
        await replayed(database_url, folder)


async def test_the_report_says_what_was_right_and_what_was_not(database_url, folder):
    playing, made = await replayed(database_url, folder)
    past = list(read_messages(folder))
    verdicts = judge.judge(past, made)
    found = summary.summarise(verdicts)
    assert found.messages == len(past) == found.left
    lines = summary.sentences(found)
    assert any(line.startswith("biggest outage: prb-wifi-main-0309") for line in lines)
    company = replace(read_company(read_company_file(folder))[0], name="Northwind <Hospital>")
    about = report.About(company, str(folder), past[0].at, "watched-1", True)
    page = report.page(about, found, verdicts, playing.readings)
    assert "Northwind &lt;Hospital&gt;" in page and "the words are alike" in page
    assert "a ticket of its own" in page and "Getting in" in page and "9 Mar 06:41" in page
    assert page.count("<article>") == report.MISTAKES_SHOWN_MAX
    assert "http" not in page.replace("http-equiv", "").split("<article>")[0]


async def test_the_scorer_reads_the_predictions_and_judges_as_we_do(database_url, folder, shared_data, tmp_path):
    scorer = shared_data.parent / "tools" / "score_replay.py"
    if not scorer.is_file():
        pytest.skip("needs the scorer score_replay.py beside the sample data")
    _, made = await replayed(database_url, folder)
    prediction.write(made, tmp_path / "out.jsonl")
    done = run_scorer(scorer, folder, tmp_path)
    assert done.returncode == 0, done.stderr
    theirs = json.loads((tmp_path / "score.json").read_text())
    verdicts = judge.judge(list(read_messages(folder)), made)
    for verdict in ("wrong_join", "missed_join", "dropped", "noise_opened"):
        assert theirs["grouping"][verdict] == [each.past.id for each in verdicts if each.place == verdict]
    ours = summary.summarise(verdicts)
    for name, share in ours.fields:
        assert theirs["slices"]["all"][name]["accuracy"] == pytest.approx(share.part / share.whole)
    problems = {each["problem"]: each for each in theirs["grouping"]["problems"]}
    for each in outages.outages(verdicts):
        row = problems[each.problem]
        assert (row["messages"], row["reports"]) == (each.messages, each.reports)
        assert (row["first_join_at_report"], row["tickets_on_arrival"]) == (each.first_join, each.tickets)


def run_scorer(scorer: Path, folder: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    given = [str(scorer), str(folder), str(out / "out.jsonl"), "--json", str(out / "score.json")]
    return subprocess.run([sys.executable, *given], capture_output=True, text=True, check=False)
