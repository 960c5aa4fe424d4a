"""How urgent a ticket is: impact times urgency by the company's matrix, growing with those who join."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from quell.core.company import Level

Impact = Literal["one", "few", "team", "site", "company"]
Urgency = Literal["low", "medium", "high"]

IMPACTS: tuple[Impact, ...] = ("one", "few", "team", "site", "company")
URGENCIES: tuple[Urgency, ...] = ("low", "medium", "high")
LEVELS: tuple[Level, ...] = ("P1", "P2", "P3", "P4")

DEFAULT_MATRIX: Mapping[Impact, Mapping[Urgency, Level]] = {
    "company": {"low": "P2", "medium": "P1", "high": "P1"},
    "site": {"low": "P3", "medium": "P2", "high": "P1"},
    "team": {"low": "P3", "medium": "P2", "high": "P2"},
    "few": {"low": "P4", "medium": "P3", "high": "P2"},
    "one": {"low": "P4", "medium": "P3", "high": "P3"},
}

REPORTERS_FEW = 2
REPORTERS_TEAM = 4
REPORTERS_SITE = 10
SITES_COMPANY = 3


@dataclass(frozen=True)
class Crowd:
    """Who is touched by one ticket with all its joined reports: distinct reporters, machines and sites."""

    reports: int = 1
    reporters: int = 1
    machines: int = 0
    sites: int = 0


@dataclass(frozen=True)
class Grown:
    """The level that the crowd asks for, and why in words."""

    level: Level
    says: str


def worse(first: Level, second: Level) -> Level:
    """The more urgent of the two."""
    return min(first, second)


def crowd_impact(crowd: Crowd) -> Impact:
    """How wide a problem is by the number of those who report it."""
    if crowd.reporters >= REPORTERS_SITE and crowd.sites >= SITES_COMPANY:
        return "company"
    if crowd.reporters >= REPORTERS_SITE:
        return "site"
    if crowd.reporters >= REPORTERS_TEAM:
        return "team"
    return "few" if crowd.reporters >= REPORTERS_FEW else "one"


def grown(crowd: Crowd, impact: Impact, urgency: Urgency) -> Grown:
    """The level for a gathered ticket: the wider of what was read and what the crowd shows, times the urgency."""
    shown = crowd_impact(crowd)
    widest = max(impact, shown, key=IMPACTS.index)
    level = DEFAULT_MATRIX[widest][urgency]
    people = f"{crowd.reporters} reporters" if crowd.reporters != 1 else "1 reporter"
    places = f" at {crowd.sites} sites" if crowd.sites > 1 else ""
    return Grown(level, f"{people}{places}: impact {widest}, urgency {urgency}")
