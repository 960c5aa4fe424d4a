"""A ticket together with those joined to it: what the gathered reports add, and nothing that cannot be taken back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from quell.core.company import Level
from quell.core.errors import Refused
from quell.core.priority import IMPACTS, LEVELS, URGENCIES, Crowd, grown, worse
from quell.core.reading import Reason
from quell.core.ticket import FIELDS, FieldValue, SetBy, Ticket


@dataclass(frozen=True)
class Gathered:
    """What a root ticket shows: its own fields, with the priority that all its members together ask for.

    `guesses` names the fields that nobody has set and no gate has applied. `other` is the level that would stand if a
    person had not set one; None where it is the same.
    """

    fields: Mapping[str, FieldValue]
    crowd: Crowd
    guesses: frozenset[str] = frozenset()
    other: FieldValue | None = None


def root_of(number: int, joined_to: Mapping[int, int | None]) -> int:
    """The ticket where this one counts, by following the pointers."""
    seen = {number}
    while (up := joined_to.get(number)) is not None and up not in seen:
        seen.add(up)
        number = up
    return number


def check_join(child: Ticket, parent: Ticket) -> None:
    """Raise Refused (409) when the one may not be joined to the other."""
    if child.number == parent.number:
        raise Refused("a ticket cannot be joined to itself", 409, "join_to_itself")
    if child.joined_to is not None:
        raise Refused(f"ticket {child.number} is joined already; undo that first", 409, "joined_already")
    if parent.joined_to is not None:
        raise Refused(f"ticket {parent.number} is itself joined to another", 409, "joined_already")
    if child.organisation != parent.organisation:
        raise Refused("tickets of two organisations are never joined", 409, "other_organisation")


def gather(root: Ticket, members: Iterable[Ticket], crowd: Crowd) -> Gathered:
    """The fields that a ticket shows with these members (without itself); alone it shows just its own."""
    others = [each for each in members if not each.noise]
    believed = {name: each for name in FIELDS if (each := root.believed(name)) is not None}
    guesses = frozenset(believed) - frozenset(root.fields)
    own = believed.get("priority")
    if not others or own is None or own.value not in LEVELS:
        return Gathered(believed, crowd, guesses)
    asked = _asked(root, others, crowd)
    if own.by is SetBy.PERSON:
        return Gathered(believed, crowd, guesses, asked if asked.value != own.value else None)
    if asked.value is not None and LEVELS.index(_level(asked.value)) < LEVELS.index(_level(own.value)):
        return Gathered({**believed, "priority": asked}, crowd, guesses)
    return Gathered(believed, crowd, guesses)


def _asked(root: Ticket, others: list[Ticket], crowd: Crowd) -> FieldValue:
    everyone = [root, *others]
    impact = max((each.impact for each in everyone if each.impact in IMPACTS), key=_impact_rank, default="one")
    urgency = max((each.urgency for each in everyone if each.urgency in URGENCIES), key=_urgency_rank, default="medium")
    by_crowd = grown(crowd, IMPACTS[_impact_rank(impact)], URGENCIES[_urgency_rank(urgency)])
    level, says = by_crowd.level, by_crowd.says
    for each in others:
        mine = each.believed("priority")
        value = mine.value if mine else None
        if value in LEVELS and value is not None and worse(_level(value), level) != level:
            level, says = _level(value), f"ticket {each.number}, joined here, is {value}"
    latest = max(_when(each) for each in everyone)
    return FieldValue(level, SetBy.RULE, "rule:impact", latest, None, (Reason(says, 100.0, "rule"),))


def _when(ticket: Ticket) -> datetime:
    return max((each.at for each in [*ticket.fields.values(), *ticket.opinions.values()]), default=ticket.opened)


def _impact_rank(impact: str) -> int:
    return [str(each) for each in IMPACTS].index(impact)


def _urgency_rank(urgency: str) -> int:
    return [str(each) for each in URGENCIES].index(urgency)


def _level(value: str) -> Level:
    return LEVELS[[str(each) for each in LEVELS].index(value)]
