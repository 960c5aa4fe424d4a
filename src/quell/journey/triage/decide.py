"""What is done with a model's reading: applied where the gate is open, suggested elsewhere, never against a person."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from quell.core.reading import Proposal, Reading
from quell.core.ticket import SetBy, Ticket, may_set

SORTED_FIELDS = ("category", "owner", "priority")
SORT_CEILINGS = frozenset({"sort", "fix"})
AUDIT_ONE_IN = 20
NOISE_SURE = 0.7
JOIN_ASK = 0.5


@dataclass(frozen=True)
class GateNow:
    """The gate as it stands: one confidence that all is right, one threshold; closed until evidence opens it."""

    open: bool = False
    threshold: float = 1.0


@dataclass(frozen=True)
class FieldDecision:
    """What becomes of one proposal: `apply` it or only show it, and why."""

    proposal: Proposal
    apply: bool
    why: str


@dataclass(frozen=True)
class JoinDecision:
    """Whether a ticket counts to another from now on (`apply`), is only asked about, or stands alone (`into` None)."""

    into: int | None
    apply: bool
    why: str


@dataclass(frozen=True)
class Sorted:
    """Everything decided for one reading; `audit` draws it for a check by a person although it was applied."""

    fields: tuple[FieldDecision, ...]
    join: JoinDecision
    noise: bool
    automatic: bool
    audit: bool


def decide(
    reading: Reading,
    ticket: Ticket,
    gate: GateNow,
    ceilings: Mapping[str, str],
    *,
    muted: bool = False,
    same_identity: int | None = None,
) -> Sorted:
    """What to do with a reading of the report that opened this ticket.

    `ceilings` maps a category to how far its owner lets automation go; `same_identity` is the ticket of the same
    machine's problem, which a rule joins whatever the gate says; `muted` marks what must never be answered.
    """
    automatic = opens(reading, gate, ceilings)
    fields = tuple(_field(each, ticket, automatic) for each in (reading.category, reading.owner, reading.priority))
    noise = _is_noise(reading, muted)
    join = _join(reading, ticket, automatic, same_identity) if not noise else JoinDecision(None, False, "noise")
    return Sorted(fields, join, noise, automatic, automatic and drawn_for_audit(ticket.number))


def opens(reading: Reading, gate: GateNow, ceilings: Mapping[str, str]) -> bool:
    """Whether this reading may be applied by itself."""
    category = reading.category.value
    allowed = category is not None and ceilings.get(category, "suggest") in SORT_CEILINGS
    return gate.open and allowed and reading.sure >= gate.threshold


def drawn_for_audit(number: int) -> bool:
    """One in twenty, by a digest of the ticket's number: fair, and the same whoever asks."""
    return hashlib.sha256(f"audit {number}".encode()).digest()[0] * AUDIT_ONE_IN < 256


def _field(proposal: Proposal, ticket: Ticket, automatic: bool) -> FieldDecision:
    if proposal.value is None:
        return FieldDecision(proposal, False, "the model abstains")
    if not may_set(ticket, proposal.field, SetBy.MODEL):
        return FieldDecision(proposal, False, "a person or a rule has set it")
    if automatic:
        return FieldDecision(proposal, True, "the gate is open and it is sure enough")
    return FieldDecision(proposal, False, "it asks")


def _is_noise(reading: Reading, muted: bool) -> bool:
    if reading.kind.value != "noise":
        return False
    return muted or reading.kind.confidence >= NOISE_SURE


def _join(reading: Reading, ticket: Ticket, automatic: bool, same_identity: int | None) -> JoinDecision:
    if ticket.joined_to is not None:
        return JoinDecision(None, False, "joined already")
    if same_identity is not None:
        return JoinDecision(same_identity, True, "the same machine says the same problem again")
    if reading.place is None:
        return JoinDecision(None, False, "like nothing that is open")
    option = next((each for each in reading.joins if each.ticket == reading.place), None)
    if option is not None and option.veto is not None:
        return JoinDecision(reading.place, False, f"never by itself: {option.veto}")
    return JoinDecision(reading.place, automatic, "one problem, it is sure" if automatic else "maybe one problem")
