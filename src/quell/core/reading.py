"""What a model is shown and what it answers: a message, the open tickets, a reading with proposals and reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["incident", "request", "question", "followup", "noise", "resolved"]
KINDS: tuple[Kind, ...] = ("incident", "request", "question", "followup", "noise", "resolved")
NEW_WORK: frozenset[str] = frozenset({"incident", "request", "question"})


@dataclass(frozen=True)
class Message:
    """One report or reply as a model sees it: visible text, no quotes, no signature block removed beyond that.

    `sender`, `device`, `organisation` are the company's own keys (mail address, host name); `labels` are a machine's.
    `reply_to` is the id of the message that it answers, `identity` a machine's stable name of the problem.
    """

    id: str
    at: datetime
    channel: str
    text: str
    subject: str | None = None
    sender: str | None = None
    device: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    reply_to: str | None = None
    identity: str | None = None
    resolved: bool = False
    organisation: str | None = None


@dataclass(frozen=True)
class OpenTicket:
    """A ticket that a message may belong to, with its members oldest first; fields are what is in force now.

    `believed` says per field whether the value is only a model's belief (True) or a person or rule set it (False).
    """

    number: int
    opened: datetime
    members: tuple[Message, ...]
    category: str | None = None
    owner: str | None = None
    priority: str | None = None
    over: bool = False
    believed: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """Why, in words that a technician reads, with its weight in points of 100 (negative: it spoke against)."""

    says: str
    weight: float
    source: str = "words"


@dataclass(frozen=True)
class Proposal:
    """What a model suggests for one field; `value` is None when it abstains. `ranked` holds the best few by chance."""

    field: str
    value: str | None
    confidence: float
    reasons: tuple[Reason, ...] = ()
    ranked: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class JoinOption:
    """One open ticket that the message may belong to; a `veto` names the rule that forbids joining by itself."""

    ticket: int
    chance: float
    reasons: tuple[Reason, ...] = ()
    veto: str | None = None


@dataclass(frozen=True)
class Reading:
    """A model's whole answer for one message.

    `place` is the number of the ticket that it belongs to, None for a new one; `place_confidence` is the chance that
    this is right. `sure` is the one calibrated chance that category, owner, priority and place are all right.
    `second_look` lists (ticket, into ticket, chance) for young tickets that now look like one problem. `action` is the
    company's allowed fix that usually solves this, None when no fix is likely.
    """

    kind: Proposal
    category: Proposal
    owner: Proposal
    priority: Proposal
    place: int | None
    place_confidence: float
    joins: tuple[JoinOption, ...]
    sure: float
    impact: str
    urgency: str
    model: str
    version: str
    second_look: tuple[tuple[int, int, float], ...] = ()
    action: Proposal | None = None


@dataclass(frozen=True)
class Correction:
    """A person's word for one message: each None field was not said. `ticket` is where the message truly belongs."""

    at: datetime
    kind: str | None = None
    category: str | None = None
    owner: str | None = None
    priority: str | None = None
    ticket: int | None = None
    standing_alone: bool = False


@dataclass(frozen=True)
class Known:
    """A message with the word of a person about it, for fitting anew from history."""

    message: Message
    correction: Correction
