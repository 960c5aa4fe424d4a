"""Verdicts worked out by hand on a handful of messages."""

import json
from datetime import UTC, datetime, timedelta

from quell.replay import judge, outages, summary
from quell.replay.history import Past
from quell.replay.prediction import Prediction

START = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
AUTO = dict.fromkeys(("category", "priority", "owner", "ticket"), True)


def told(number, kind, problem, ticket, *, said="air", true="air", final=None, joined=False, auto=True, sender=None):
    """A message with its truth, and what was answered."""
    sender = sender or f"p{number}"
    truth = {"kind": kind, "category": true, "priority": "P2", "owner": "net", "problem": problem, "why": ""}
    row = {"id": str(number), "channel": "email", "sender": sender, "text": f"text {number}"}
    past = Past(str(number), START + timedelta(minutes=number), "email", row, json.dumps(row | {"truth": truth}))
    answer = Prediction(
        str(number), kind, said, "P2", "net", 0.9, 0.9, 0.9, ticket, final or ticket, 0.8 if joined else None,
        AUTO if auto else dict.fromkeys(AUTO, False), 0.1,
    )  # fmt: skip
    return past, answer


def verdicts(*told_ones):
    return judge.judge([each for each, _ in told_ones], [answer for _, answer in told_ones])


def test_places_are_judged_by_what_lies_in_the_ticket_so_far():
    found = verdicts(
        told(1, "incident", "wifi", "1"),
        told(2, "incident", "wifi", "1", joined=True),
        told(3, "request", None, "1", joined=True, final="3"),
        told(4, "incident", "wifi", "4"),
        told(5, "incident", "wifi", "1", joined=True),
        told(6, "noise", None, "6"),
        told(7, "noise", None, None),
        told(8, "incident", None, None),
    )
    assert [each.place for each in found] == [
        "right_new", "right_join", "wrong_join", "missed_join", "right_join", "noise_opened", "noise_out", "dropped",
    ]  # fmt: skip


def test_an_outage_tells_tickets_first_join_and_wrong_joins():
    found = verdicts(
        told(1, "incident", "wifi", "1"),
        told(2, "incident", "wifi", "2"),
        told(3, "incident", "wifi", "1", joined=True),
        told(4, "request", None, "1", joined=True),
        told(5, "incident", "mail", "5"),
        told(6, "incident", "wifi", "5", joined=True),
    )
    (wifi,) = outages.outages(found)
    assert (wifi.problem, wifi.reports, wifi.first_join, wifi.tickets) == ("wifi", 4, 3, 3)
    assert wifi.recognised == START + timedelta(minutes=3)
    assert (wifi.strangers, wifi.strays) == (("4",), ("6",))
    assert "3 tickets opened for them, first join at report 3, 2 wrong joins" in summary.outage_sentence(wifi)


def test_a_summary_counts_what_nobody_had_to_look_at():
    found = summary.summarise(
        verdicts(
            told(1, "incident", "wifi", "1"),
            told(2, "incident", None, "2", said="mail"),
            told(3, "incident", None, "3", auto=False),
        )
    )
    assert (found.right, found.wrong, found.left) == (1, 1, 1)
    assert dict(found.fields)["category"] == summary.Share(2, 3)
    (row,) = found.rows
    assert (row.right, row.wrong, row.left, row.named) == (1, 1, 1, 2)


def test_a_share_is_whole_only_when_it_is():
    assert [summary.Share(*each).percent for each in ((999, 1000), (1000, 1000), (1, 1000), (0, 5), (0, 0))] == [
        99, 100, 1, 0, None,
    ]  # fmt: skip
