"""How the problems that several people or machines reported were recognised: tickets, first join, wrong joins."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from quell.core.reading import NEW_WORK
from quell.replay.judge import Verdict


@dataclass(frozen=True)
class Outage:
    """One problem that several reported: how it was recognised.

    `first_join` is the report (counted from 1) that was first put to the others, at the time `recognised`; both are
    None when none was. `strangers` are ids of messages about something else that were put into one of its tickets,
    `strays` its own that were put elsewhere.
    """

    problem: str
    began: datetime
    recognised: datetime | None
    messages: int
    reports: int
    first_join: int | None
    tickets: int
    tickets_at_end: int
    strangers: tuple[str, ...]
    strays: tuple[str, ...]

    @property
    def wrong_joins(self) -> int:
        """Joins that were wrong, into it and out of it."""
        return len(self.strangers) + len(self.strays)


def outages(verdicts: Sequence[Verdict]) -> list[Outage]:
    """Every problem with more than one report, the biggest first."""
    members: defaultdict[str, list[Verdict]] = defaultdict(list)
    for each in verdicts:
        if each.truth is not None and each.truth.kind != "noise":
            members[each.truth.problem].append(each)
    homes = _homes(verdicts)
    found = [_outage(problem, those, verdicts, homes) for problem, those in members.items()]
    return sorted((each for each in found if each.reports > 1), key=lambda each: (-each.reports, -each.messages))


def _homes(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Whose ticket each one is: the problem of the first message in it."""
    homes: dict[str, str] = {}
    for each in verdicts:
        if each.said.ticket is not None and each.truth is not None:
            homes.setdefault(each.said.ticket, each.truth.problem)
    return homes


def _outage(problem: str, members: Sequence[Verdict], verdicts: Sequence[Verdict], homes: Mapping[str, str]) -> Outage:
    first: dict[str, bool] = {}
    for each in members:
        if each.truth is not None and _is_new(each):
            first.setdefault(each.truth.reporter, each.place == "right_join")
    joined = list(first.values())
    wrong = [each for each in verdicts if each.place == "wrong_join" and each.truth is not None]
    return Outage(
        problem=problem,
        began=members[0].past.at,
        recognised=next((each.past.at for each in members if each.place == "right_join" and _is_new(each)), None),
        messages=len(members),
        reports=len(joined),
        first_join=joined.index(True) + 1 if any(joined) else None,
        tickets=len({each.said.ticket or each.past.id for each in members}),
        tickets_at_end=len({each.said.ticket_final or each.past.id for each in members}),
        strangers=tuple(
            each.past.id
            for each in wrong
            if homes.get(each.said.ticket or "") == problem and each.truth and each.truth.problem != problem
        ),
        strays=tuple(each.past.id for each in wrong if each.truth and each.truth.problem == problem),
    )


def _is_new(verdict: Verdict) -> bool:
    return verdict.truth is not None and verdict.truth.kind in NEW_WORK
