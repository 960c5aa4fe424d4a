"""The online learner: each correction counts at once."""

import pytest

from quell.ml.online import OnlineText


def test_it_learns_a_label_that_it_had_never_seen() -> None:
    model = OnlineText(["network"])
    for _ in range(8):
        model.learn("wifi is down on floor two", "network")
        model.learn("printer jams and smears", "printing")
    assert model.labels == ["network", "printing"]
    assert model.chances("the printer jams again")[1] > 0.6
    assert model.chances("no wifi here")[0] > 0.6


def test_chances_sum_to_one_beyond_the_first_eight_labels() -> None:
    model = OnlineText(chars=True)
    for number in range(20):
        model.learn(f"words of kind {number}", f"label {number}")
    chances = model.chances("words of kind 3")
    assert chances.sum() == pytest.approx(1)
    assert len(chances) == 20
