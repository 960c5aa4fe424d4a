"""When an answer and a solution are due, as a pure function of the ticket, the company's hours and the promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from quell.core.calendar import Calendar, add_working, working_between
from quell.core.company import Level

MINUTE_S = 60
HOUR_S = 3600


@dataclass(frozen=True)
class Promise:
    """What one priority promises, in seconds of working time (`around_the_clock`: of any time)."""

    first_answer_s: int
    solution_s: int
    around_the_clock: bool = False


DEFAULT_PROMISES: Mapping[Level, Promise] = {
    "P1": Promise(15 * MINUTE_S, 4 * HOUR_S, around_the_clock=True),
    "P2": Promise(HOUR_S, 8 * HOUR_S),
    "P3": Promise(4 * HOUR_S, 24 * HOUR_S),
    "P4": Promise(8 * HOUR_S, 48 * HOUR_S),
}


@dataclass(frozen=True)
class Timing:
    """When the company works, and what each priority promises."""

    calendar: Calendar
    promises: Mapping[Level, Promise]


@dataclass(frozen=True)
class Due:
    """The two instants, and the sentence that says why they are then; both are None while no priority is known."""

    first_answer: datetime | None
    solution: datetime | None
    because: str


def due(
    opened: datetime,
    level: Level | None,
    calendar: Calendar,
    promises: Mapping[Level, Promise] = DEFAULT_PROMISES,
    paused_s: float = 0.0,
) -> Due:
    """The deadlines of a ticket; `paused_s` are working seconds in which we waited for the reporter."""
    if level is None:
        return Due(None, None, "no priority yet")
    promise = promises[level]
    clock = Calendar(calendar.timezone, calendar.hours, always=True) if promise.around_the_clock else calendar
    first = add_working(opened, promise.first_answer_s, clock)
    solution = add_working(opened, promise.solution_s + paused_s, clock)
    return Due(first, solution, _because(level, promise, paused_s))


def paused(since: datetime, until: datetime, calendar: Calendar) -> float:
    """Working seconds that the clock stood still between two instants."""
    return working_between(since, until, calendar)


def _because(level: Level, promise: Promise, paused_s: float) -> str:
    kind = "around the clock" if promise.around_the_clock else "of business hours"
    waited = f", {_span(paused_s)} of waiting for the reporter added" if paused_s >= MINUTE_S else ""
    return (
        f"{level}: first answer within {_span(promise.first_answer_s)}, solution within "
        f"{_span(promise.solution_s)} {kind}{waited}"
    )


def _span(seconds: float) -> str:
    minutes = int(timedelta(seconds=seconds).total_seconds() // MINUTE_S)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} m" if hours and rest else f"{hours} h" if hours else f"{rest} m"
