"""When a ticket has ended, who must hear what about it, and when silence is right; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from quell.core.ticket import OPEN_STATUSES, Ticket

AUTOMATIC_PER_HOUR_MAX = 4
AUTOMATIC_PER_DAY_MAX = 20
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Member:
    """A report of a ticket as closing sees it."""

    number: int
    person: int | None
    over: bool
    can_be_told: bool
    muted: tuple[str, ...]
    noise: bool = False


@dataclass(frozen=True)
class Verdict:
    """Yes or no, and why."""

    yes: bool
    why: str


def ends_by_signal(ticket: Ticket, members: Sequence[Member], fix_runs: bool) -> Verdict:
    """Whether a ticket has ended because every machine in it says so and no person waits."""
    if ticket.status_shown not in OPEN_STATUSES:
        return Verdict(False, "it has ended already")
    if fix_runs:
        return Verdict(False, "a fix is under way and will prove itself")
    if any(each.person is not None for each in members if not each.noise):
        return Verdict(False, "people wait in it; a machine cannot speak for them")
    if not all(each.over for each in members if not each.noise):
        return Verdict(False, "other machines in it still fire")
    return Verdict(True, "every machine in it says that it is over")


def must_hear(members: Sequence[Member]) -> list[Member]:
    """Those who are told how it ended: people, once each by their report, who may be answered."""
    return [each for each in members if each.person is not None and each.can_be_told and not each.noise]


def may_answer(muted: Sequence[str], in_hour: int, in_day: int) -> Verdict:
    """Whether an automatic answer may go out: never into a loop, never more than a person would bear."""
    if muted:
        return Verdict(False, f"never answered by itself: {muted[0]}")
    if in_hour >= AUTOMATIC_PER_HOUR_MAX:
        return Verdict(False, f"{in_hour} automatic answers within the hour are enough")
    if in_day >= AUTOMATIC_PER_DAY_MAX:
        return Verdict(False, f"{in_day} automatic answers within the day are enough")
    return Verdict(True, "")


def ending_words(ticket: int, proof: str, solved_by: str, link: str) -> str:
    """What a reporter reads when his ticket has ended: what was done, how sure that is, what to do if it is not so."""
    known = {
        "verified": "We checked, and it works again.",
        "signal": "The system that raised it says that it is over.",
    }.get(proof, "It should work again now.")
    done = f"\n\nWhat was done: {solved_by.strip()}" if solved_by.strip() else ""
    where = f"\n{link}" if link else ""
    return f"Your report (ticket {ticket}) is solved. {known}{done}\n\nIf it is not, answer this message.{where}"
