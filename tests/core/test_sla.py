"""Deadlines follow the priority's promise, the company's hours and the time that we waited for the reporter."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quell.core.calendar import Calendar, working_between
from quell.core.company import LEVELS, Level
from quell.core.sla import DEFAULT_PROMISES, due, paused

OFFICE = Calendar("Europe/Paris", {day: (("09:00", "17:00"),) for day in ("mon", "tue", "wed", "thu", "fri")})
FRIDAY = datetime(2025, 6, 13, 14, 30, tzinfo=UTC)  # half past four in Paris, half an hour before they go home


def test_a_p2_of_friday_afternoon_is_answered_on_monday_morning() -> None:
    found = due(FRIDAY, "P2", OFFICE)
    assert found.first_answer == datetime(2025, 6, 16, 7, 30, tzinfo=UTC)
    assert found.solution == datetime(2025, 6, 16, 14, 30, tzinfo=UTC)
    assert found.because == "P2: first answer within 1 h, solution within 8 h of business hours"


def test_a_p1_waits_for_no_morning() -> None:
    found = due(FRIDAY, "P1", OFFICE)
    assert found.first_answer == FRIDAY + timedelta(minutes=15)
    assert found.solution == FRIDAY + timedelta(hours=4)
    assert "around the clock" in found.because


def test_without_a_priority_nothing_is_due() -> None:
    assert due(FRIDAY, None, OFFICE) == type(due(FRIDAY, None, OFFICE))(None, None, "no priority yet")


def test_waiting_for_the_reporter_moves_the_solution_and_not_the_first_answer() -> None:
    waited = paused(FRIDAY, FRIDAY + timedelta(days=3), OFFICE)
    assert waited == 8 * 3600
    alone, moved = due(FRIDAY, "P3", OFFICE), due(FRIDAY, "P3", OFFICE, paused_s=waited)
    assert moved.first_answer == alone.first_answer
    assert alone.solution is not None and moved.solution is not None
    assert working_between(alone.solution, moved.solution, OFFICE) == waited
    assert "8 h of waiting for the reporter added" in moved.because


@given(
    level=st.sampled_from(LEVELS),
    opened=st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),
    waited=st.floats(0, 400_000),
)
def test_what_is_promised_is_what_is_worked_until_it_is_due(level: Level, opened: datetime, waited: float) -> None:
    promise = DEFAULT_PROMISES[level]
    clock = Calendar("UTC", {}, always=True) if promise.around_the_clock else OFFICE
    found = due(opened, level, OFFICE, paused_s=waited)
    assert found.first_answer is not None and found.solution is not None
    assert working_between(opened, found.first_answer, clock) == pytest.approx(promise.first_answer_s, abs=1e-3)
    assert working_between(opened, found.solution, clock) == pytest.approx(promise.solution_s + waited, abs=1e-3)
    assert found.first_answer <= found.solution


def test_a_more_urgent_priority_is_never_due_later() -> None:
    ends = [due(FRIDAY, level, OFFICE).solution for level in LEVELS]
    assert ends == sorted(end for end in ends if end is not None)
