"""Impact times urgency, growing with those who are touched, never shrinking by it."""

from hypothesis import given
from hypothesis import strategies as st

from quell.core.priority import DEFAULT_MATRIX, IMPACTS, LEVELS, URGENCIES, Crowd, Impact, Urgency, grown, worse

impacts, urgencies = st.sampled_from(IMPACTS), st.sampled_from(URGENCIES)
crowds = st.builds(
    Crowd, st.integers(1, 40), reporters=st.integers(0, 40), machines=st.integers(0, 9), sites=st.integers(0, 6)
)


def test_the_matrix_is_whole_and_never_falls_with_impact_or_urgency() -> None:
    assert set(DEFAULT_MATRIX) == set(IMPACTS)
    for impact in IMPACTS:
        row = [DEFAULT_MATRIX[impact][urgency] for urgency in URGENCIES]
        assert row == sorted(row, reverse=True)
    for urgency in URGENCIES:
        column = [DEFAULT_MATRIX[impact][urgency] for impact in IMPACTS]
        assert column == sorted(column, reverse=True)


@given(crowds, impacts, urgencies)
def test_a_crowd_only_ever_raises(crowd: Crowd, impact: Impact, urgency: Urgency) -> None:
    found = grown(crowd, impact, urgency)
    assert found.level <= DEFAULT_MATRIX[impact][urgency]
    more = Crowd(crowd.reports + 1, crowd.reporters + 1, crowd.machines, crowd.sites + 1)
    assert grown(more, impact, urgency).level <= found.level
    assert f"urgency {urgency}" in found.says


def test_ten_reporters_at_three_sites_are_the_whole_company() -> None:
    assert grown(Crowd(10, 10, 0, 3), "one", "high").says == "10 reporters at 3 sites: impact company, urgency high"
    assert grown(Crowd(10, 10, 0, 3), "one", "high").level == "P1"
    assert grown(Crowd(1, 1), "one", "low").level == "P4"


def test_the_worse_level_is_the_more_urgent() -> None:
    assert [worse("P2", level) for level in LEVELS] == ["P1", "P2", "P2", "P2"]
