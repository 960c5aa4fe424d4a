"""The small signs that every page shares: a face, a chip, a clock, a source, a reason, a status light."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Face:
    """Who owns or speaks: `kind` is person, team, quell or none; a guess has a dashed edge."""

    name: str
    initials: str
    kind: str = "person"
    guess: bool = False


NOBODY = Face("", "", kind="none")
QUELL = Face("Quell", "", kind="quell")


@dataclass(frozen=True)
class Chip:
    """A fact in a box; `state` is "", good, warn, bad, accent or guess; `icon` names a symbol of the sprite."""

    text: str
    state: str = ""
    icon: str = ""
    title: str = ""


@dataclass(frozen=True)
class Clock:
    """What is left until a deadline; `state` is "", soon, over or paused; `title` says which deadline and when."""

    text: str
    state: str = ""
    title: str = ""


NO_CLOCK = Clock("")


@dataclass(frozen=True)
class Light:
    """A status light with its word; `state` is ok, warn, bad, off or run."""

    state: str
    text: str
    title: str = ""


@dataclass(frozen=True)
class Source:
    """A channel as an icon with its name."""

    icon: str
    name: str


@dataclass(frozen=True)
class Why:
    """One reason: signed points out of 100 as text ("+38", "−6", or "" when it was not weighed), and the sentence."""

    points: str
    says: str


@dataclass(frozen=True)
class Moment:
    """A time as the page shows it, and as machines read it (ISO 8601)."""

    text: str
    iso: str
    title: str = ""


@dataclass(frozen=True)
class Spark:
    """A tiny line of numbers, scaled to `points` of an SVG polyline, with a sentence for those who cannot see it."""

    points: str
    says: str
    width: int = 64
    height: int = 16
