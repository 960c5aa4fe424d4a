"""Open tickets as the join and the context see them: what their members say, believe and share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS
from quell.core.reading import Correction, OpenTicket
from quell.ml.companyview import CompanyView
from quell.ml.entities import SITE_LABELS
from quell.ml.facts import NO_CRITICALITY, Facts
from quell.ml.kernel import Collection, Likeness

MEMBERS_SEEN_MAX = 24
LABELS_COMPARED = ("service", "site", "alertname", "cluster", "env", "instance", "job", "check", "host", "project")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What is held of one message by itself: chances over categories, teams and levels; a person's word is certain."""

    category: Floats
    team: Floats
    level: Floats


@dataclass(frozen=True)
class TicketView:
    """One open ticket, summed up."""

    ticket: OpenTicket
    members: tuple[Facts, ...]
    category: Floats
    team: Floats
    level: Floats
    last_level: Floats
    sites: frozenset[str]
    alert_sites: frozenset[str]
    services: frozenset[str]
    alert_services: frozenset[str]
    hosts: frozenset[str]
    numbers: frozenset[str]
    persons: frozenset[str]
    senders: frozenset[str]
    labels: dict[str, frozenset[str]]
    machines: int
    first_at: datetime
    last_at: datetime
    severity: float
    criticality: float
    staging: bool
    impact: float
    urgency: float


def view_ticket(
    ticket: OpenTicket, members: Sequence[Facts], evidence: Sequence[Evidence], view: CompanyView
) -> TicketView:
    """Sum up a ticket whose members' facts and evidence are given in the same order."""
    level = np.mean([e.level for e in evidence], axis=0)
    last = evidence[-1].level
    if ticket.priority in LEVELS and not ticket.believed.get("priority", True):
        last = np.array([key == ticket.priority for key in LEVELS], np.float64)
    people = [m for m in members if not m.machine]
    machines = [m for m in members if m.machine]
    return TicketView(
        ticket=ticket,
        members=tuple(members),
        category=_settled(ticket, "category", ticket.category, view.categories.keys, [e.category for e in evidence]),
        team=_settled(ticket, "owner", ticket.owner, view.teams.keys, [e.team for e in evidence]),
        level=level,
        last_level=last,
        sites=_union(m.entities.sites | m.entities.label_sites | _own_site(m) for m in members),
        alert_sites=_union(m.entities.label_sites | m.entities.sites for m in machines),
        services=_union(m.entities.services | m.entities.label_services for m in members),
        alert_services=_union(m.entities.services | m.entities.label_services for m in machines),
        hosts=_union(m.entities.hosts for m in members),
        numbers=_union(m.entities.numbers for m in members),
        persons=_union(m.entities.persons for m in members),
        senders=frozenset(m.message.sender for m in people if m.message.sender),
        labels={
            name: frozenset(m.message.labels[name] for m in machines if m.message.labels.get(name))
            for name in LABELS_COMPARED
        },
        machines=len(machines),
        first_at=members[0].message.at,
        last_at=max(m.message.at for m in members),
        severity=max(m.severity for m in members),
        criticality=min((m.criticality for m in members), default=NO_CRITICALITY),
        staging=all(m.entities.staging for m in members),
        impact=float(np.mean([m.meaning.impact @ np.arange(4) for m in members])),
        urgency=float(np.mean([m.meaning.urgency @ np.arange(3) for m in members])),
    )


def certain(correction: Correction, believed: Evidence, view: CompanyView) -> Evidence:
    """A person's word where it was said, the belief elsewhere."""

    def pick(value: str | None, keys: Sequence[str], otherwise: Floats) -> Floats:
        return np.array([k == value for k in keys], np.float64) if value in keys else otherwise

    return Evidence(
        pick(correction.category, view.categories.keys, believed.category),
        pick(correction.owner, view.teams.keys, believed.team),
        pick(correction.priority, LEVELS, believed.level),
    )


class Bench:
    """All open tickets with their members end to end, to be compared with one message at once."""

    def __init__(self, tickets: Sequence[TicketView]) -> None:
        """Keep the tickets in order."""
        self.tickets = tuple(tickets)
        members = [member for ticket in tickets for member in ticket.members]
        counts = np.array([len(ticket.members) for ticket in tickets], np.int64)
        self.starts = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(tickets) else np.zeros(0, np.int64)
        self.counts = counts
        self.texts = Collection([member.seen for member in members])
        self.intents = np.stack([m.meaning.intents for m in members]) if members else np.zeros((0, 0), np.float32)
        self.ages_at = [m.message.at for m in members]

    def likeness(self, facts: Facts) -> Likeness:
        """How like each member is to this message."""
        return self.texts.likeness(facts.seen)

    def best(self, values: NDArray[np.floating]) -> Floats:
        """The largest value of each ticket's members."""
        return np.asarray(np.maximum.reduceat(values, self.starts) if len(self.starts) else np.zeros(0), np.float64)

    def mean(self, values: NDArray[np.floating]) -> Floats:
        """The mean of each ticket's members."""
        return np.asarray(
            np.add.reduceat(values, self.starts) / self.counts if len(self.starts) else np.zeros(0), np.float64
        )

    def first(self, values: NDArray[np.floating]) -> Floats:
        """The value of each ticket's first member."""
        return np.asarray(values[self.starts], np.float64)

    def last(self, values: NDArray[np.floating]) -> Floats:
        """The value of each ticket's latest member."""
        return np.asarray(values[self.starts + self.counts - 1], np.float64)


def _settled(ticket: OpenTicket, field: str, value: str | None, keys: Sequence[str], beliefs: list[Floats]) -> Floats:
    """A person's value is certain; a model's own is not evidence, so the members' own evidence is averaged instead."""
    if value in keys and not ticket.believed.get(field, True):
        return np.array([key == value for key in keys], np.float64)
    result: Floats = np.mean(beliefs, axis=0)
    return result


def _union(parts: "object") -> frozenset[str]:
    return frozenset().union(*parts)  # type: ignore[misc]


def _own_site(facts: Facts) -> frozenset[str]:
    return frozenset({facts.entities.sender_site} if facts.entities.sender_site else ())


__all__ = ["SITE_LABELS", "Bench", "Evidence", "TicketView", "certain", "view_ticket"]
