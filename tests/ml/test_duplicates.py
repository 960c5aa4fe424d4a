"""The join without a company behind it."""

import pytest

from quell.ml.engine import Engine, load_shipped
from quell.ml.training.pairs import generic_company
from quell.ml.trial.duplicates import area, pitfalls, storm


@pytest.fixture(scope="module")
def engine() -> Engine:
    """By words alone, for a company whose categories are the day-0 intents."""
    shipped = load_shipped()
    made = Engine(shipped, None)
    made.fit(generic_company(shipped.knowledge))
    return made


def test_the_area_counts_ties_as_half() -> None:
    assert area([1, 2], [0, 1]) == pytest.approx(0.875)
    assert area([], [1]) is None


def test_one_alert_on_two_hosts_is_not_put_together(engine: Engine) -> None:
    rows = [
        {
            "source_a": "alert",
            "text_a": "[CRITICAL] Backup of host fs-main-02 has failed",
            "source_b": "alert",
            "text_b": "[CRITICAL] Backup of host fs-main-05 has failed",
            "gap_minutes": 4,
            "same": False,
        },
    ]
    assert pitfalls(rows, engine)["look_alikes_joined"] == 0


def test_a_storm_of_the_same_words_becomes_one_ticket(engine: Engine) -> None:
    rows = [
        {
            "created": f"2026-03-02 09:{minute:02}:00",
            "kind": "ticket",
            "title": "wifi is down in the whole building, nobody can work",
        }
        for minute in range(6)
    ]
    unrelated = [{"title": "please order a new keyboard for me", "body": "the old one is worn"}]
    found = storm(rows, unrelated, engine)
    assert found["tickets_opened"] <= 2
    assert found["unrelated_absorbed"] == 0
