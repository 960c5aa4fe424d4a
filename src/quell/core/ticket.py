"""What we do about a report: a ticket folded from its events, with the moves it may make and who set each field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum

from quell.core.errors import Broken, Refused
from quell.core.event import Event, Json
from quell.core.reading import Reason

FIELDS = ("category", "owner", "assignee", "priority")
# The source of reasons that quote a report, and what is said in their place where nothing can be erased.
QUOTING = "words"
UNQUOTED = "words of this report stand in corrected ones of the same kind"


class Status(StrEnum):
    """Where a ticket stands."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


OPEN_STATUSES = frozenset({Status.NEW, Status.OPEN, Status.WAITING})

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.OPEN, Status.WAITING, Status.RESOLVED}),
    Status.OPEN: frozenset({Status.WAITING, Status.RESOLVED}),
    Status.WAITING: frozenset({Status.OPEN, Status.RESOLVED}),
    Status.RESOLVED: frozenset({Status.OPEN, Status.CLOSED}),
    Status.CLOSED: frozenset({Status.OPEN}),
}


class SetBy(IntEnum):
    """Who set a value; a greater one is never overwritten by a lesser one."""

    MODEL = 1
    RULE = 2
    PERSON = 3


@dataclass(frozen=True)
class FieldValue:
    """A value with its provenance; `reasons` are those of the proposal that it came from."""

    value: str | None
    by: SetBy
    actor: str
    at: datetime
    confidence: float | None = None
    reasons: tuple[Reason, ...] = ()
    proposal: int | None = None


@dataclass(frozen=True)
class Closure:
    """How a ticket ended: what solved it and how sure that is (`verified`, `confirmed`, `assumed`)."""

    by: str
    at: datetime
    proof: str
    fix: int | None = None


@dataclass(frozen=True)
class Ticket:
    """A ticket alone, without what joined reports add to it.

    `report` is the report that opened it; `joined_to` the ticket that it now counts to, None when it stands alone.
    `stirred_by` holds the tickets joined here whose reporters brought this ended ticket back to life: when one of them
    leaves, its stir leaves with it. `opinions` are values that are not in force: a guess where the field has none, the
    model's other opinion where a person's value stands. `version` is the number of events folded.
    """

    number: int
    organisation: str
    report: int
    opened: datetime
    status: Status = Status.NEW
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    opinions: Mapping[str, FieldValue] = field(default_factory=dict)
    impact: str = "one"
    urgency: str = "medium"
    joined_to: int | None = None
    join_strength: float | None = None
    stirred_by: frozenset[int] = frozenset()
    first_answer: datetime | None = None
    waiting_since: datetime | None = None
    closure: Closure | None = None
    noise: bool = False
    version: int = 0

    @property
    def status_shown(self) -> Status:
        """The status with stirs taken into account."""
        ended = self.status not in OPEN_STATUSES
        return Status.OPEN if ended and self.stirred_by else self.status

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.status_shown in OPEN_STATUSES and not self.noise

    def value(self, name: str) -> str | None:
        """The value in force of one field, or None."""
        found = self.fields.get(name)
        return found.value if found else None

    def believed(self, name: str) -> FieldValue | None:
        """The value in force, else the guess, else None."""
        return self.fields.get(name) or self.opinions.get(name)


def check_move(ticket: Ticket, status: Status) -> None:
    """Raise Refused (409) when the ticket may not go from where it stands to this status."""
    if status not in MOVES[ticket.status_shown]:
        raise Refused(f"a ticket that is {ticket.status_shown} cannot become {status}", 409, "move_not_allowed")


def may_set(ticket: Ticket, name: str, by: SetBy) -> bool:
    """Whether a value by this setter may stand: it never overwrites a greater one."""
    now = ticket.fields.get(name)
    return now is None or by >= now.by


def fold(events: Iterable[Event], start: Ticket | None = None) -> Ticket:
    """The ticket that these events, in order, make; pure. With `start`, go on from there."""
    ticket = start
    for event in events:
        ticket = apply(ticket, event)
    if ticket is None:
        raise Broken("a ticket cannot be folded from no event")
    return ticket


def apply(ticket: Ticket | None, event: Event) -> Ticket:
    """The ticket after one more event; an unknown kind is Broken, for a log that we cannot read is no log."""
    if event.kind == "ticket_opened":
        if ticket is not None:
            raise Broken(f"{event.stream} is opened twice")
        return _opened(event)
    if ticket is None:
        raise Broken(f"{event.stream} has {event.kind} before it was opened")
    if event.seq != ticket.version + 1:
        raise Broken(f"{event.stream} lacks the event {ticket.version + 1}")
    step = _STEPS.get(event.kind)
    if step is None:
        raise Broken(f"{event.stream} has an event of the unknown kind {event.kind!r}")
    return replace(step(ticket, event), version=event.seq)


def _opened(event: Event) -> Ticket:
    body = event.body
    return Ticket(
        number=_int(event, "ticket"),
        organisation=str(body["organisation"]),
        report=_int(event, "report"),
        opened=event.at,
        noise=bool(body.get("noise", False)),
        version=event.seq,
    )


def _assessed(ticket: Ticket, event: Event) -> Ticket:
    return replace(ticket, impact=str(event.body["impact"]), urgency=str(event.body["urgency"]))


def _field_set(ticket: Ticket, event: Event) -> Ticket:
    name, value = str(event.body["field"]), field_value(event)
    if may_set(ticket, name, value.by):
        return replace(ticket, fields={**ticket.fields, name: value}, opinions=_without(ticket.opinions, name))
    return replace(ticket, opinions={**ticket.opinions, name: value})


def _proposed(ticket: Ticket, event: Event) -> Ticket:
    name, value = str(event.body["field"]), field_value(event)
    if ticket.value(name) == value.value:
        return replace(ticket, opinions=_without(ticket.opinions, name))
    return replace(ticket, opinions={**ticket.opinions, name: value})


def _rejected(ticket: Ticket, event: Event) -> Ticket:
    return replace(ticket, opinions=_without(ticket.opinions, str(event.body["field"])))


def _without(values: Mapping[str, FieldValue], name: str) -> dict[str, FieldValue]:
    return {key: each for key, each in values.items() if key != name}


def _field_released(ticket: Ticket, event: Event) -> Ticket:
    name = str(event.body["field"])
    return replace(ticket, fields=_without(ticket.fields, name))


def _moved(ticket: Ticket, event: Event) -> Ticket:
    status = Status(str(event.body["status"]))
    waiting = event.at if status is Status.WAITING else None
    return replace(ticket, status=status, waiting_since=waiting, stirred_by=frozenset(), closure=None)


def _ended(ticket: Ticket, event: Event) -> Ticket:
    fix = event.body.get("fix")
    closure = Closure(event.actor, event.at, str(event.body["proof"]), int(fix) if isinstance(fix, int) else None)
    return replace(ticket, status=Status.RESOLVED, closure=closure, stirred_by=frozenset(), waiting_since=None)


def _closed(ticket: Ticket, event: Event) -> Ticket:
    return replace(ticket, status=Status.CLOSED, stirred_by=frozenset())


def _reopened(ticket: Ticket, event: Event) -> Ticket:
    return replace(ticket, status=Status.OPEN, closure=None, stirred_by=frozenset(), waiting_since=None)


def _stirred(ticket: Ticket, event: Event) -> Ticket:
    if ticket.status in OPEN_STATUSES:
        return ticket
    return replace(ticket, stirred_by=ticket.stirred_by | {_int(event, "by_ticket")})


def _joined(ticket: Ticket, event: Event) -> Ticket:
    strength = event.body.get("strength")
    share = float(strength) if isinstance(strength, int | float) else None
    return replace(ticket, joined_to=_int(event, "into"), join_strength=share)


def _left(ticket: Ticket, event: Event) -> Ticket:
    return replace(ticket, joined_to=None, join_strength=None)


def _lost(ticket: Ticket, event: Event) -> Ticket:
    return replace(ticket, stirred_by=ticket.stirred_by - set(_ints(event, "tickets")))


def _answered(ticket: Ticket, event: Event) -> Ticket:
    return ticket if ticket.first_answer else replace(ticket, first_answer=event.at)


def _heard(ticket: Ticket, event: Event) -> Ticket:
    waited = ticket.status is Status.WAITING
    return replace(ticket, status=Status.OPEN, waiting_since=None) if waited else ticket


def _noise_set(ticket: Ticket, event: Event) -> Ticket:
    return replace(ticket, noise=bool(event.body["noise"]))


def _noted(ticket: Ticket, event: Event) -> Ticket:
    return ticket


_STEPS = {
    "ticket_assessed": _assessed,
    "field_set": _field_set,
    "field_released": _field_released,
    "ticket_moved": _moved,
    "ticket_resolved": _ended,
    "ticket_closed": _closed,
    "ticket_reopened": _reopened,
    "ticket_stirred": _stirred,
    "ticket_joined": _joined,
    "ticket_left": _left,
    "member_joined": _noted,
    "member_left": _lost,
    "answer_sent": _answered,
    "reporter_replied": _heard,
    "noise_set": _noise_set,
    "note_added": _noted,
    "proposal_made": _proposed,
    "proposal_rejected": _rejected,
    "opinion_announced": _noted,
    "evidence_gathered": _noted,
    "handed_over": _noted,
    "fix_proposed": _noted,
    "fix_planned": _noted,
    "fix_consented": _noted,
    "fix_refused": _noted,
    "fix_ordered": _noted,
    "fix_applied": _noted,
    "fix_checked": _noted,
    "fix_undone": _noted,
    "fix_failed": _noted,
    "reporters_told": _noted,
    "identity_over": _noted,
    "audit_drawn": _noted,
}


def field_value(event: Event) -> FieldValue:
    """The value that a `field_set` event carries."""
    body = event.body
    value, confidence, proposal = body["value"], body.get("confidence"), body.get("proposal")
    return FieldValue(
        value=None if value is None else str(value),
        by=SetBy[str(body["by"]).upper()],
        actor=str(body.get("actor", event.actor)),
        at=event.at,
        confidence=float(confidence) if isinstance(confidence, int | float) else None,
        reasons=reasons_from(body.get("reasons")),
        proposal=int(proposal) if isinstance(proposal, int) else None,
    )


def reasons_from(value: Json) -> tuple[Reason, ...]:
    """Reasons out of their JSON form: a list of [says, weight, source]."""
    if not isinstance(value, list):
        return ()
    return tuple(
        Reason(str(each[0]), float(each[1]) if isinstance(each[1], int | float) else 0.0, str(each[2]))
        for each in value
        if isinstance(each, list) and len(each) == 3
    )


def lasting(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Reasons as they may stand in the log for ever: without the words that they quote from what a person wrote."""
    return tuple(replace(each, says=UNQUOTED) if each.source == QUOTING else each for each in reasons)


def reasons_json(reasons: Iterable[Reason]) -> list[Json]:
    """Reasons in their JSON form, weights to three digits."""
    return [[each.says, round(each.weight, 3), each.source] for each in reasons]


def _int(event: Event, key: str) -> int:
    value = event.body[key]
    if not isinstance(value, int):
        raise Broken(f"{event.stream} {event.seq}: {key} is no number")
    return value


def _ints(event: Event, key: str) -> list[int]:
    value = event.body.get(key)
    return [each for each in value if isinstance(each, int)] if isinstance(value, list) else []
