"""What other programs have kept is read as the same messages, with a truth only where the company knows the words."""

import json
import mailbox
from email.message import EmailMessage

import pytest

from quell.core.company_file import read_company
from quell.core.errors import Refused
from quell.replay import judge
from quell.replay.exports import read_source
from tests.replay.conftest import SAMPLE


@pytest.fixture(scope="module")
def company():
    return read_company((SAMPLE / "company.json").read_bytes())[0]


def test_a_mailbox_gives_its_mails_in_order_of_time_with_their_threads(tmp_path, company):
    box = mailbox.mbox(tmp_path / "support.mbox")
    later, sooner = "Mon, 09 Mar 2026 09:30:00 +0100", "Mon, 09 Mar 2026 08:01:44 +0100"
    for number, (subject, date, answers) in enumerate([("Re: scanner", later, "<1@a>"), ("scanner", sooner, "")]):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "Daniel <daniel@a.example>", "it@a.example", subject
        mail["Date"], mail["Message-ID"] = date, f"<{2 - number}@a>"
        if answers:
            mail["In-Reply-To"] = answers
        mail.set_content("beeps, but nothing comes in the chart")
        box.add(mail)
    box.flush()
    box.close()
    first, second = read_source(tmp_path / "support.mbox", company)
    assert (first.row["subject"], first.row["sender"]) == ("scanner", "daniel@a.example")
    assert first.at.isoformat() == "2026-03-09T07:01:44+00:00"
    assert judge.truths_of([first, second]) == [None, None]


def test_a_help_desks_table_is_read_by_the_names_of_its_columns(tmp_path, company):
    path = tmp_path / "incidents.csv"
    path.write_text(
        "Number;Opened;Caller;Short description;Description;Assignment group;Category;Priority;Parent Incident\n"
        "INC2;2026-03-09 09:00:00;kim@a.example;login;cannot log in;Identity and Access;Getting in;1 - Critical;INC1\n"
        "INC1;2026-03-09T08:00:00+01:00;tom@a.example;my password;it is refused;nobody;Unheard of;;\n",
        encoding="utf-8",
    )
    first, second = read_source(path, company)
    assert [first.id, second.id] == ["INC1", "INC2"]
    assert second.at.isoformat() == "2026-03-09T08:00:00+00:00"  # The company's own time zone.
    assert [second.row[name] for name in ("sender", "subject", "text")] == ["kim@a.example", "login", "cannot log in"]
    unknown, known = judge.truths_of([first, second])
    assert unknown is not None and unknown.fields == {"category": None, "priority": None, "owner": None}
    assert known is not None and known.fields == {"category": "gettingin", "priority": "P1", "owner": "iam"}
    assert known.problem == "INC1"


def test_a_list_of_objects_is_read_likewise_and_our_own_format_as_it_is(tmp_path, company):
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"tickets": [{"id": 7, "created_at": "2026-03-09T08:00:00Z", "summary": "no sound"}]}))
    (one,) = read_source(path, company)
    assert (one.id, one.channel, one.row["text"]) == ("7", "portal", "no sound")
    lines = (SAMPLE / "messages.jsonl").read_text(encoding="utf-8").splitlines()[:5]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [each.id for each in read_source(path, company)] == [json.loads(each)["id"] for each in lines]


def test_rows_without_a_time_are_named(tmp_path, company):
    path = tmp_path / "bad.csv"
    path.write_text("id,created,title\n1,yesterday,a\n2,2026-03-09 08:00,b\n3,,c\n", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_source(path, company)
    assert [each.place for each in refused.value.faults] == ["bad.csv:1", "bad.csv:3"]


def test_another_kind_of_file_is_refused(tmp_path, company):
    (tmp_path / "photo.png").write_bytes(b"")
    with pytest.raises(Refused):
        read_source(tmp_path / "photo.png", company)
