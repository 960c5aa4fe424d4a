"""What people say to the desk and what it answers: the values of its verbs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Who:
    """Who acts: an account, or a token (`actor` names it then); `role` is one of `core.permission.Role`."""

    account: int
    name: str
    email: str
    role: str
    actor: str = ""


@dataclass(frozen=True)
class Seen:
    """A ticket as the person saw it: its number and the version on the screen (None: whatever it is now)."""

    number: int
    version: int | None = None


@dataclass(frozen=True)
class Done:
    """What a verb did, as one sentence; `undo` is what `Desk.undo` takes, None where no way leads back."""

    says: str
    ticket: int | None = None
    undo: str | None = None


@dataclass(frozen=True)
class Reported:
    """What the portal can say at once: the report's number, and the ticket's once it is known."""

    report: int
    ticket: int | None = None


@dataclass(frozen=True)
class Reporter:
    """Who tells us something on the portal; `proven` when he is signed in or came by his signed link."""

    email: str
    name: str = ""
    proven: bool = False


@dataclass(frozen=True)
class Loaded:
    """What a company file brought: (noun, count) pairs in reading order, and the warnings about it."""

    counts: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Enrolment:
    """A single-use token that lets one device in, and when it ends."""

    token: str
    ends: datetime


@dataclass(frozen=True)
class Address:
    """Where a channel's sender must deliver: the path below this server, None for channels that fetch."""

    channel: str
    path: str | None
