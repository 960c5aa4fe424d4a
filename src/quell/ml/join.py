"""Columns for the question whether a message belongs to an open ticket, and the rules that forbid it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from quell.core.company import DEFAULT_ORGANISATION, LEVELS
from quell.ml import patterns
from quell.ml.category import Themes
from quell.ml.companyview import CompanyView
from quell.ml.facts import SIGNAL_NAMES, Facts
from quell.ml.kernel import Likeness
from quell.ml.kind import CLASSES, SAYS
from quell.ml.owner import BREAKAGE
from quell.ml.stage import Columns
from quell.ml.ticketview import LABELS_COMPARED, Bench, Evidence, TicketView

BURST_S, RECENT_MESSAGES = 1.5 * 3600, 10
WORK_OF_ITS_OWN = 0.8
ONE_TEMPLATE = 0.7
FIRST_PATTERNS = ("others_fine", "many", "wish", "one_thing")
UNKNOWN_LEVEL = 3.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class JoinView:
    """The columns together with the likeness to each member, from which reasons are read."""

    columns: Columns
    likeness: Likeness
    mixed: Floats


def columns(
    view: CompanyView, facts: Facts, own: Evidence, kind: Floats, bench: Bench, at: datetime, themes: Themes
) -> JoinView:
    """One row a ticket of the bench; `own` is what is held of the message by itself."""
    put = Columns(len(bench.tickets))
    like = bench.likeness(facts)
    mixed = like.mixed
    _texts(put, like, bench, facts)
    best = bench.best(mixed)
    _agreement(put, bench, own, facts)
    _times(put, bench, at)
    _names(put, view, facts, bench.tickets)
    _labels(put, facts, bench.tickets)
    put.put_all(SAYS, facts.hits)
    at_pattern = [patterns.NAMES.index(name) for name in FIRST_PATTERNS]
    put.put_all(
        [f"first_{name}" for name in FIRST_PATTERNS],
        np.stack([t.members[0].hits[at_pattern] for t in bench.tickets]) if bench.tickets else np.zeros((0, 4)),
    )
    _natures(put, facts, bench, themes)
    put.put("machine", facts.machine)
    put.put("severity", facts.severity / 5)
    put.put("criticality", facts.criticality / 4)
    put.put("impact", float(facts.meaning.impact @ np.arange(4)))
    put.put("urgency", float(facts.meaning.urgency @ np.arange(3)))
    put.put("stranger", facts.signals[_STRANGER])
    put.put_all([f"kind_{name}" for name in CLASSES], kind)
    put.put("rank", np.log1p(_rank(-best)))
    put.put("gap", best - best.max() if len(best) else best)
    put.put("tickets", np.log1p(len(bench.tickets)) / 6)
    return JoinView(put, like, best)


def _natures(put: Columns, facts: Facts, bench: Bench, themes: Themes) -> None:
    """Things that one can touch, orders, how-to and security: of the message, and how far the ticket is from it."""
    own = facts.meaning.intents
    for name in ("physical", "order", "rights", "how_to", "security"):
        theme = getattr(themes, name)
        share = float(own @ theme)
        members = bench.mean(bench.intents @ theme) if len(bench.tickets) else np.zeros(0)
        put.put(f"{name}", share)
        put.put(f"{name}_apart", share - members)
    put.put("breakage", bool(BREAKAGE.search(facts.seen.text)))


def _texts(put: Columns, like: Likeness, bench: Bench, facts: Facts) -> None:
    for name, values in (("vector", like.vectors), ("chars", like.chars), ("words", like.words)):
        put.put(f"{name}_best", bench.best(values))
        put.put(f"{name}_mean", bench.mean(values))
        put.put(f"{name}_first", bench.first(values))
    put.put("vector_last", bench.last(like.vectors))
    put.put("mixed_best", bench.best(like.mixed))
    intents = bench.intents @ facts.meaning.intents if len(bench.tickets) else np.zeros(0, np.float32)
    put.put("intent_best", bench.best(intents))
    put.put("intent_mean", bench.mean(intents))
    put.put("intent_first", bench.first(intents))


def _agreement(put: Columns, bench: Bench, own: Evidence, facts: Facts) -> None:
    tickets = bench.tickets
    put.put("category_same", _each(tickets, lambda t: float(own.category @ t.category)))
    put.put("category_top", _each(tickets, lambda t: float(t.category[int(own.category.argmax())])))
    put.put("category_sure", _each(tickets, lambda t: float(t.category.max())))
    put.put("team_same", _each(tickets, lambda t: float(own.team @ t.team)))
    put.put("level_gap", _each(tickets, lambda t: abs(float((own.level - t.level) @ np.arange(len(LEVELS))))))
    put.put("ticket_level", _each(tickets, lambda t: float(t.level @ np.arange(len(LEVELS)))))
    put.put("ticket_impact", _each(tickets, lambda t: t.impact))
    put.put("ticket_urgency", _each(tickets, lambda t: t.urgency))
    put.put("ticket_severity", _each(tickets, lambda t: t.severity / 5))
    put.put("ticket_criticality", _each(tickets, lambda t: t.criticality / 4))


def _times(put: Columns, bench: Bench, at: datetime) -> None:
    tickets = bench.tickets
    last = _each(tickets, lambda t: max(0.0, (at - t.last_at).total_seconds() / 3600))
    first = _each(tickets, lambda t: max(0.0, (at - t.first_at).total_seconds() / 3600))
    put.put("age_last", np.log1p(last))
    put.put("age_first", np.log1p(first))
    put.put("age_last_minutes", np.exp(-last * 2))
    put.put("rank_age", np.log1p(_rank(last)))
    burst = _each(tickets, lambda t: sum((at - m.message.at).total_seconds() <= BURST_S for m in t.members))
    put.put("burst", np.log1p(burst))
    put.put("burst_share", burst / max(1.0, float(burst.sum())) if len(burst) else burst)
    moments = sorted((m.message.at for t in tickets for m in t.members), reverse=True)[:RECENT_MESSAGES]
    floor = moments[-1] if moments else at
    put.put("recent", _each(tickets, lambda t: sum(m.message.at >= floor for m in t.members) / RECENT_MESSAGES))
    put.put("size", np.log1p(_each(tickets, lambda t: len(t.members))))
    put.put("people", np.log1p(_each(tickets, lambda t: len(t.senders))))
    put.put("machines", np.log1p(_each(tickets, lambda t: t.machines)))
    put.put("machine_only", _each(tickets, lambda t: t.machines == len(t.members)))
    put.put("over", _each(tickets, lambda t: t.ticket.over))


def _names(put: Columns, view: CompanyView, facts: Facts, tickets: tuple[TicketView, ...]) -> None:
    names = facts.entities
    said_sites = names.sites | names.label_sites
    sites = said_sites or frozenset({names.sender_site} if names.sender_site else ())
    services = names.services | names.label_services
    put.put("sites_shared", _each(tickets, lambda t: bool(sites & t.sites)))
    put.put("sites_conflict", _each(tickets, lambda t: bool(said_sites) and bool(t.sites) and not said_sites & t.sites))
    put.put("sender_site_shared", _each(tickets, lambda t: names.sender_site in t.sites))
    put.put(
        "sender_site_foreign",
        _each(tickets, lambda t: names.sender_site is not None and bool(t.sites) and names.sender_site not in t.sites),
    )
    put.put("alert_site_shared", _each(tickets, lambda t: bool(sites & t.alert_sites)))
    put.put(
        "alert_site_conflict",
        _each(tickets, lambda t: bool(sites) and bool(t.alert_sites) and not sites & t.alert_sites),
    )
    put.put("services_shared", _each(tickets, lambda t: len(services & t.services)))
    put.put(
        "services_conflict", _each(tickets, lambda t: bool(services) and bool(t.services) and not services & t.services)
    )
    put.put("alert_service_shared", _each(tickets, lambda t: bool(services & t.alert_services)))
    put.put("services_named", bool(services))
    put.put("hosts_shared", _each(tickets, lambda t: bool(names.hosts & t.hosts)))
    put.put(
        "hosts_conflict", _each(tickets, lambda t: bool(names.hosts) and bool(t.hosts) and not names.hosts & t.hosts)
    )
    put.put("hosts_near", _each(tickets, lambda t: _near_hosts(names.hosts, t.hosts)))
    put.put("numbers_shared", np.log1p(_each(tickets, lambda t: len(names.numbers & t.numbers))))
    put.put("persons_shared", _each(tickets, lambda t: bool(names.persons & t.persons)))
    put.put("person_is_sender", _each(tickets, lambda t: bool(names.persons & t.senders)))
    put.put(
        "sender_before", _each(tickets, lambda t: facts.message.sender in t.senders if facts.message.sender else False)
    )
    put.put("sender_elsewhere", bool(facts.message.sender) and any(facts.message.sender in t.senders for t in tickets))
    put.put("staging_differs", _each(tickets, lambda t: t.staging != names.staging))
    near = view.service_texts.likeness(facts.seen).vectors
    put.put(
        "alert_service_near",
        _each(
            tickets,
            lambda t: max((float(near[view.services[s]]) for s in t.alert_services if s in view.services), default=0.0),
        ),
    )
    put.put(
        "service_near",
        _each(
            tickets,
            lambda t: max((float(near[view.services[s]]) for s in t.services if s in view.services), default=0.0),
        ),
    )
    put.put(
        "channel_same", _each(tickets, lambda t: any(m.message.channel == facts.message.channel for m in t.members))
    )


def _labels(put: Columns, facts: Facts, tickets: tuple[TicketView, ...]) -> None:
    for name in LABELS_COMPARED:
        own = facts.message.labels.get(name) if facts.machine else None
        put.put(f"label_{name}_same", _each(tickets, lambda t, own=own, name=name: bool(own) and own in t.labels[name]))
        put.put(
            f"label_{name}_other",
            _each(
                tickets, lambda t, own=own, name=name: bool(own) and bool(t.labels[name]) and own not in t.labels[name]
            ),
        )


def vetoes(facts: Facts, kind: Floats, ticket: TicketView, chars: float = 0.0) -> str | None:
    """The rule that forbids joining by itself, whatever the score says; None where none does.

    `chars` is the best likeness in characters with a member: machines fill one template for many hosts.
    """
    organisation = facts.message.organisation or DEFAULT_ORGANISATION
    others = {m.message.organisation or DEFAULT_ORGANISATION for m in ticket.members}
    if others and organisation not in others:
        return "another organisation"
    if facts.entities.staging != ticket.staging:
        return "staging or test on one side only"
    if facts.machine and ticket.machines == len(ticket.members) and _same_alert_elsewhere(facts, ticket, chars):
        return "the same alert on another host"
    if kind[1] + kind[2] > WORK_OF_ITS_OWN and facts.message.sender not in ticket.senders:
        return "a request or question, not an incident"
    return None


def _same_alert_elsewhere(facts: Facts, ticket: TicketView, chars: float) -> bool:
    """One alert name, or nearly one text, but hosts that are named on both sides and shared on none."""
    labelled = frozenset().union(*(m.entities.label_hosts for m in ticket.members))
    name = facts.message.labels.get("alertname")
    if name and name in ticket.labels["alertname"] and _foreign(facts.entities.label_hosts, labelled):
        return True
    return chars >= ONE_TEMPLATE and _foreign(facts.entities.hosts, ticket.hosts)


def _foreign(left: frozenset[str], right: frozenset[str]) -> bool:
    return bool(left) and bool(right) and not left & right


def _near_hosts(left: frozenset[str], right: frozenset[str]) -> bool:
    """Hosts that differ only in their closing digits: db-prod-03 and db-prod-07."""
    stems = {host.rstrip("0123456789") for host in left}
    return bool(left) and not left & right and bool(stems & {host.rstrip("0123456789") for host in right})


def _each(tickets: tuple[TicketView, ...], read: "object") -> Floats:
    return np.array([read(ticket) for ticket in tickets], np.float64)  # type: ignore[operator]


def _rank(values: Floats) -> Floats:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)


_STRANGER = SIGNAL_NAMES.index("stranger")
__all__ = ["UNKNOWN_LEVEL", "JoinView", "columns", "vetoes"]
