"""Sparse words and characters."""

import numpy as np
import pytest

from quell.ml.grams import Rarity, Shelf, count_chars, count_words


def test_the_same_text_is_wholly_like_itself_and_empty_text_like_nothing() -> None:
    rarity = Rarity.empty()
    for text in ("wifi down", "printer jam", "wifi slow"):
        rarity.read(text)
    rows = [rarity.weigh(text) for text in ("wifi down", "", "printer jam", "WiFi down!")]
    cosines = Shelf([row.words for row in rows]).cosines(rows[0].words)
    assert cosines == pytest.approx([1, 0, 0, 1], abs=1e-6)


def test_rare_words_weigh_more_than_common_ones() -> None:
    rarity = Rarity.empty()
    for index in range(20):
        rarity.read(f"wifi report {index}")
    rarity.read("meridian")
    row = rarity.weigh("wifi meridian").words
    rare, common = count_words("meridian").buckets[0], count_words("wifi").buckets[0]
    weight = dict(zip(row.buckets.tolist(), row.values.tolist(), strict=True))
    assert weight[int(rare)] > weight[int(common)]


def test_buckets_are_stable_over_runs_and_machines() -> None:
    assert count_words("wifi").buckets.tolist() == [238155]
    assert len(count_chars("wifi").buckets) == 9


def test_counts_survive_a_file() -> None:
    rarity = Rarity.empty()
    rarity.read("one two three")
    again = Rarity.from_arrays(rarity.arrays())
    assert np.array_equal(again.weigh("two").words.values, rarity.weigh("two").words.values)
    assert again.texts == 1
