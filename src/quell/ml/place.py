"""Columns for where a message goes (new, the best ticket, another one) and what the likely tickets then say of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS
from quell.ml.facts import NO_CRITICALITY, Facts
from quell.ml.kind import CLASSES, SAYS
from quell.ml.memory import Recall
from quell.ml.stage import Columns
from quell.ml.ticketview import TicketView

CLASSES_OF_PLACE = ("new", "best", "other")
ODDS_FLOOR = -9.0
KEYED_CHANCE = 0.97

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Context:
    """The likely tickets, mixed by their chances; `joined` is the chance that the message belongs to any of them."""

    joined: float
    chances: Floats
    category: Floats
    team: Floats
    level: Floats
    last_level: Floats
    size: float
    reporters: float
    sites: float
    machines: float
    severity: float
    criticality: float
    over: float
    top: float


def columns(
    facts: Facts, recall: Recall, kind: Floats, joins: Floats, tickets: tuple[TicketView, ...], best_like: Floats
) -> Columns:
    """One row, from the join chances of all tickets."""
    put = Columns(1)
    odds = np.sort(np.log(np.clip(joins, 1e-5, 1 - 1e-5)) - np.log(1 - np.clip(joins, 1e-5, 1 - 1e-5)))[::-1]
    three = np.concatenate((odds, np.full(3, ODDS_FLOOR)))[:3]
    put.put_all(["odds_1", "odds_2", "odds_3"], three)
    put.put("gap", three[0] - three[1])
    put.put("sum", float(np.log(joins.sum() + 1e-4)))
    put.put_all([f"kind_{name}" for name in CLASSES], kind)
    put.put_all(SAYS, facts.hits)
    put.put("impact", float(facts.meaning.impact @ np.arange(4)))
    put.put("urgency", float(facts.meaning.urgency @ np.arange(3)))
    put.put("machine", facts.machine)
    put.put("severity", facts.severity / 5)
    put.put("memory_best", recall.best)
    put.put("novelty", recall.novelty)
    put.put("like_best", float(best_like.max()) if len(best_like) else 0.0)
    put.put("staging", facts.entities.staging)
    best = tickets[int(joins.argmax())] if len(joins) else None
    put.put("best_size", np.log1p(len(best.members)) if best else 0.0)
    put.put("best_machines", np.log1p(best.machines) if best else 0.0)
    put.put("best_sender", bool(best and facts.message.sender and facts.message.sender in best.senders))
    return put


def likely(tickets: tuple[TicketView, ...], joins: Floats, new: float, categories: int, teams: int) -> Context:
    """Spread the chance of joining over the tickets by their odds and mix what they hold."""
    if not len(joins):
        none = np.zeros(categories), np.zeros(teams), np.zeros(len(LEVELS)), np.zeros(len(LEVELS))
        return Context(0.0, np.zeros(0), *none, 0, 0, 0, 0, 0, NO_CRITICALITY / 4, 0, 0)
    clipped = np.clip(joins, 1e-6, 1 - 1e-4)
    odds = clipped / (1 - clipped)
    share = odds / odds.sum()
    return mixed(tickets, share, 1 - new)


def keyed(tickets: tuple[TicketView, ...], index: int, chance: float = KEYED_CHANCE) -> Context:
    """A thread or a machine's identity names the ticket."""
    share = np.zeros(len(tickets))
    share[index] = 1.0
    return mixed(tickets, share, chance)


def mixed(tickets: tuple[TicketView, ...], share: Floats, joined: float) -> Context:
    """`share` over the tickets sums to one; `joined` is the chance of any."""
    kept = np.flatnonzero(share > 1e-4)
    chosen, weights = [tickets[i] for i in kept], share[kept] / share[kept].sum()

    def mean(values: list[float]) -> float:
        return float(weights @ np.array(values))

    return Context(
        joined=joined,
        chances=joined * share,
        category=weights @ np.stack([t.category for t in chosen]),
        team=weights @ np.stack([t.team for t in chosen]),
        level=weights @ np.stack([t.level for t in chosen]),
        last_level=weights @ np.stack([t.last_level for t in chosen]),
        size=mean([np.log1p(len(t.members)) for t in chosen]),
        reporters=mean([np.log1p(len(t.senders)) for t in chosen]),
        sites=mean([np.log1p(len(t.sites)) for t in chosen]),
        machines=mean([np.log1p(t.machines) for t in chosen]),
        severity=mean([t.severity / 5 for t in chosen]),
        criticality=mean([t.criticality / 4 for t in chosen]),
        over=mean([float(t.ticket.over) for t in chosen]),
        top=float(share.max()),
    )
