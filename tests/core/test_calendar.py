"""Working time against a counter that looks at the wall clock of every single minute, also when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quell.core.calendar import DAYS_MAX, Calendar, add_working, working_between
from quell.core.company import WEEKDAYS

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo")
# A day around each change of the clock of 2025 in these zones, and two ordinary days.
NEAR = (
    datetime(2025, 3, 29, tzinfo=UTC),
    datetime(2025, 10, 25, tzinfo=UTC),
    datetime(2025, 3, 8, tzinfo=UTC),
    datetime(2025, 11, 1, tzinfo=UTC),
    datetime(2025, 4, 5, tzinfo=UTC),
    datetime(2025, 10, 4, tzinfo=UTC),
    datetime(2025, 4, 24, tzinfo=UTC),
    datetime(2025, 10, 30, tzinfo=UTC),
    datetime(2025, 6, 11, tzinfo=UTC),
    datetime(2025, 12, 31, tzinfo=UTC),
)
MINUTE = timedelta(minutes=1)


def clock(minutes: int) -> str:
    """Minutes since midnight as HH:MM."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def periods(draw: st.DrawFn) -> tuple[tuple[str, str], ...]:
    """Up to three periods of a day that do not overlap; they may touch, and may reach midnight."""
    bounds = sorted(draw(st.lists(st.integers(0, 1440), min_size=0, max_size=6, unique=True)))
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    return tuple((clock(start), clock(end)) for start, end in pairs)


calendars = st.builds(
    Calendar, timezone=st.sampled_from(ZONES), hours=st.fixed_dictionaries({day: periods() for day in WEEKDAYS})
)
instants = st.builds(
    lambda near, minutes: near + timedelta(minutes=minutes), st.sampled_from(NEAR), st.integers(-600, 2400)
)


def working(at: datetime, calendar: Calendar) -> bool:
    """Whether the wall clock says that this minute is worked."""
    local = at.astimezone(ZoneInfo(calendar.timezone))
    now = f"{local:%H:%M}"
    return any(start <= now < end for start, end in calendar.hours[WEEKDAYS[local.weekday()]])


def plain_bounds(start: datetime, minutes: int, calendar: Calendar) -> bool:
    """Whether no period begins or ends at a time that the wall clock skips or shows twice in these days."""
    zone = ZoneInfo(calendar.timezone)
    day, last = start.astimezone(zone).date(), (start + timedelta(minutes=minutes)).astimezone(zone).date()
    while day <= last:
        for bound in (bound for each in calendar.hours[WEEKDAYS[day.weekday()]] for bound in each):
            if bound in ("24:00", "00:00"):  # the hour that Cairo skips begins at midnight, and then it is exact
                continue
            local = datetime.fromisoformat(f"{day}T{bound}").replace(tzinfo=zone)
            if local.replace(fold=1).utcoffset() != local.utcoffset():
                return False
        day += timedelta(days=1)
    return True


@given(calendar=calendars, start=instants, minutes=st.integers(0, 3000))
@settings(max_examples=150, deadline=None)
def test_working_seconds_are_the_minutes_that_the_wall_clock_calls_working(
    calendar: Calendar, start: datetime, minutes: int
) -> None:
    assume(calendar.works() and plain_bounds(start, minutes, calendar))
    counted = sum(working(start + MINUTE * each, calendar) for each in range(minutes))
    assert working_between(start, start + MINUTE * minutes, calendar) == counted * 60


@given(calendar=calendars, start=instants, seconds=st.integers(0, 80 * 3600))
@settings(max_examples=200, deadline=None)
def test_the_deadline_is_the_first_instant_at_which_so_much_was_worked(
    calendar: Calendar, start: datetime, seconds: int
) -> None:
    end = add_working(start, seconds, calendar)
    assume(calendar.works() and end < start + timedelta(days=DAYS_MAX))
    assert working_between(start, end, calendar) == seconds
    if seconds:
        assert working_between(start, end - timedelta(seconds=1), calendar) == seconds - 1


@given(calendar=calendars, start=instants, cut=st.integers(0, 3000), minutes=st.integers(0, 3000))
@settings(max_examples=100, deadline=None)
def test_working_time_adds_up(calendar: Calendar, start: datetime, cut: int, minutes: int) -> None:
    middle, end = start + MINUTE * cut, start + MINUTE * (cut + minutes)
    halves = working_between(start, middle, calendar) + working_between(middle, end, calendar)
    assert working_between(start, end, calendar) == halves


@pytest.mark.parametrize(
    "calendar",
    [Calendar("Europe/Berlin", {}), Calendar("Europe/Berlin", {"mon": (("08:00", "09:00"),)}, always=True)],
)
def test_without_working_time_or_around_the_clock_every_second_counts(calendar: Calendar) -> None:
    start = datetime(2025, 3, 29, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert add_working(start, 86_400, calendar) == start.astimezone(UTC) + timedelta(days=1)
    assert working_between(start, start.astimezone(UTC) + timedelta(hours=2), calendar) == 7200


def test_a_night_shift_has_eight_true_hours_less_or_more_when_the_clock_changes() -> None:
    night = Calendar("Europe/Berlin", {"sun": (("00:00", "08:00"),)})
    for day, hours in ((datetime(2025, 3, 30), 7), (datetime(2025, 10, 26), 9), (datetime(2025, 6, 15), 8)):
        start = day.replace(tzinfo=ZoneInfo("Europe/Berlin"))
        assert working_between(start, start + timedelta(days=1), night) == hours * 3600


def test_nothing_is_worked_backwards() -> None:
    start = datetime(2025, 6, 11, 12, tzinfo=UTC)
    assert working_between(start, start - timedelta(hours=1), Calendar("UTC", {}, always=True)) == 0.0


def test_a_deadline_beyond_all_calendars_still_comes() -> None:
    rare = Calendar("UTC", {"mon": (("08:00", "08:01"),)})
    start = datetime(2025, 6, 11, tzinfo=UTC)
    assert add_working(start, 10_000 * 3600, rare) == start + timedelta(days=DAYS_MAX)
