"""The second look: young tickets that, now that more is known, look like one problem with the ticket that just grew."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from quell.core.reading import Message, OpenTicket
from quell.ml.walk import Walk

YOUNG = timedelta(hours=3)
MEMBERS_MAX = 3
LOOKS_MAX = 3
CHANCE_MIN = 0.5

Begin = Callable[[Message, Sequence[OpenTicket], datetime], Walk]
Finish = Callable[[Walk], Walk]


def second_look(way: Walk, begin: Begin, finish: Finish) -> tuple[tuple[int, int, float], ...]:
    """(ticket, into ticket, chance) for at most three young tickets, nearest to the message first.

    Each young ticket's first message is read again as if it came now, against the ticket that just took in the new one.
    `begin` starts a walk, `finish` takes it up to the join. Of the two the older number survives.
    """
    if way.chosen is None or way.facts.message.resolved:
        return ()
    grown = way.tickets[way.chosen]
    grown = replace(grown, members=(*grown.members, way.facts.message))
    found = []
    for index in _young(way):
        young = way.tickets[index]
        others = [grown if t.number == grown.number else t for t in way.tickets if t.number != young.number]
        again = finish(begin(young.members[0], others, way.at))
        at = next(i for i, ticket in enumerate(again.tickets) if ticket.number == grown.number)
        chance = float(again.joins[at])
        if chance >= CHANCE_MIN and chance == again.joins.max() and again.vetoes[at] is None:
            pair = sorted((young, grown), key=lambda ticket: (ticket.opened, ticket.number))
            found.append((pair[1].number, pair[0].number, round(chance, 4)))
    return tuple(found)


def _young(way: Walk) -> list[int]:
    likeness = way.join_view.mixed if way.join_view is not None else None
    if likeness is None:
        return []
    young = [
        index
        for index, ticket in enumerate(way.tickets)
        if index != way.chosen
        and way.at - ticket.opened <= YOUNG
        and len(ticket.members) <= MEMBERS_MAX
        and not ticket.over
    ]
    return sorted(young, key=lambda index: (-float(likeness[index]), index))[:LOOKS_MAX]
