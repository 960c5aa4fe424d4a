"""The gate's statistics, against SciPy and against worked examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from quell.core.gate import Checked, decide, incomplete_beta, lower_bound, margin, sample_min


@given(st.floats(0, 1), st.floats(0.5, 600), st.floats(0.5, 60))
def test_the_incomplete_beta_function_is_scipys(x: float, a: float, b: float) -> None:
    assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), abs=1e-9)


@pytest.mark.parametrize(("right", "sample"), [(59, 59), (149, 149), (95, 100), (480, 500), (1, 7)])
def test_the_lower_bound_is_clopper_pearsons(right: int, sample: int) -> None:
    assert lower_bound(right, sample) == pytest.approx(stats.beta.ppf(0.05, right, sample - right + 1), abs=1e-9)


def test_fifty_nine_faultless_decisions_prove_95_per_cent_and_149_prove_98() -> None:
    assert (sample_min(0.95), sample_min(0.98)) == (59, 149)
    assert lower_bound(59, 59) >= 0.95 > lower_bound(58, 58)
    assert lower_bound(149, 149) >= 0.98 > lower_bound(148, 148)


def test_the_gate_stays_closed_without_evidence() -> None:
    verdict = decide([])
    assert not verdict.open
    assert verdict.threshold > 1


def test_a_handful_of_right_decisions_does_not_open_it() -> None:
    verdict = decide([Checked(0.99, True)] * 58)
    assert not verdict.open
    assert "59 are needed" in verdict.why


def test_it_opens_where_the_confident_are_right_and_not_below() -> None:
    sure = [Checked(0.9 + index / 10_000, True) for index in range(200)]
    unsure = [Checked(0.5 + index / 10_000, index % 2 == 0) for index in range(200)]
    verdict = decide([*unsure, *sure])
    assert verdict.open
    assert 0.5 < verdict.threshold <= 0.9
    assert verdict.precision >= 0.95


def test_own_mistakes_close_what_foreign_cases_had_opened() -> None:
    foreign = [Checked(0.9, True, foreign=True)] * 400
    assert decide([*foreign, *[Checked(0.9, True)] * 10]).open
    assert not decide([*foreign, *[Checked(0.9, True)] * 10, *[Checked(0.9, False)] * 5]).open


def test_nothing_opens_on_the_cases_of_others_alone() -> None:
    verdict = decide([Checked(0.9, True, foreign=True)] * 400)
    assert not verdict.open
    assert "10 are needed" in verdict.why


def test_only_the_last_five_hundred_own_decisions_count() -> None:
    old_mistakes = [Checked(0.9, False)] * 300
    assert decide([*old_mistakes, *[Checked(0.9, True)] * 500]).open


def test_equal_confidences_are_never_cut_through() -> None:
    cases = [*[Checked(0.9, True)] * 100, *[Checked(0.9, False)] * 30]
    assert not decide(cases).open


def test_the_margin_falls_as_own_decisions_come_in() -> None:
    assert margin(0) == pytest.approx(0.03)
    assert margin(75) == pytest.approx(0.025)
    assert margin(150) == margin(900) == pytest.approx(0.02)


@given(st.lists(st.builds(Checked, st.floats(0, 1), st.booleans(), st.booleans()), max_size=200))
def test_an_open_gate_always_holds_its_promise_on_the_evidence(cases: list[Checked]) -> None:
    verdict = decide(cases)
    assert not verdict.open or (verdict.precision >= 0.95 and verdict.sample >= 59)
