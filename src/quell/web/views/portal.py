"""What a reporter sees: the form, his requests, one request; never a private note, never another's words."""

from dataclasses import dataclass

from quell.web.views.signs import Chip, Moment
from quell.web.views.ticket import Message


@dataclass(frozen=True)
class MyRequest:
    """One of my requests, with what happens next."""

    report: int
    title: str
    says: str
    icon: str
    chip: Chip
    asks: bool = False


@dataclass(frozen=True)
class PortalView:
    """The form and, for somebody whom we know, his requests."""

    company: str
    name: str = ""
    email: str = ""
    text: str = ""
    device: str = ""
    devices: tuple[str, ...] = ()
    fault: str = ""
    requests: tuple[MyRequest, ...] = ()
    ways: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequestView:
    """One request as its reporter sees it; `link` keeps its page reachable without an account."""

    company: str
    report: int
    title: str
    chip: Chip
    says: str
    at: Moment
    messages: tuple[Message, ...]
    link: str
    asks_solved: bool = False
    fresh: bool = False
    name: str = ""
