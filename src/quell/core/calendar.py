"""Business hours: when a company works, and how far a number of working seconds reaches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from quell.core.company import WEEKDAYS

DAYS_MAX = 1100


@dataclass(frozen=True)
class Calendar:
    """Working periods (from, to) of each weekday in one time zone; `always` means around the clock."""

    timezone: str
    hours: Mapping[str, tuple[tuple[str, str], ...]]
    always: bool = False

    def periods(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The working periods of one day as instants in UTC, in order; across a change of the clock they are true."""
        zone = ZoneInfo(self.timezone)
        for start, end in sorted(self.hours.get(WEEKDAYS[day.weekday()], ())):
            yield _instant(day, start, zone), _instant(day, end, zone)

    def works(self) -> bool:
        """Whether there is any working time at all."""
        return self.always or any(self.hours.get(day) for day in WEEKDAYS)


def add_working(start: datetime, seconds: float, calendar: Calendar) -> datetime:
    """The instant (UTC) at which this many working seconds have passed since `start`.

    A calendar without working time counts around the clock, since a deadline that never comes protects nobody.
    """
    start = start.astimezone(UTC)
    if calendar.always or not calendar.works():
        return start + timedelta(seconds=seconds)
    left, day = seconds, start.astimezone(ZoneInfo(calendar.timezone)).date()
    for _ in range(DAYS_MAX):
        for opens, closes in calendar.periods(day):
            begin = max(opens, start)
            if begin >= closes:
                continue
            room = (closes - begin).total_seconds()
            if left <= room:
                return begin + timedelta(seconds=left)
            left -= room
        day += timedelta(days=1)
    return start + timedelta(days=DAYS_MAX)


def working_between(start: datetime, end: datetime, calendar: Calendar) -> float:
    """The working seconds between two instants; 0 when the second is not later."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        return 0.0
    if calendar.always or not calendar.works():
        return (end - start).total_seconds()
    total, zone = 0.0, ZoneInfo(calendar.timezone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for opens, closes in calendar.periods(day):
            total += max(0.0, (min(closes, end) - max(opens, start)).total_seconds())
        day += timedelta(days=1)
    return total


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        return datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
