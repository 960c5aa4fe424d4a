"""What stands around every page: company, person, theme, places to go and how many wait there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One line of the rail; `n` is "" when there is nothing to count."""

    key: str
    name: str
    href: str
    icon: str = ""
    n: str = ""
    title: str = ""
    here: bool = False


@dataclass(frozen=True)
class Frame:
    """The shell around a page."""

    company: str
    name: str
    initials: str
    role: str
    theme: str
    csrf: str
    places: tuple[Place, ...] = ()
    views: tuple[Place, ...] = ()
    teams: tuple[Place, ...] = ()
    may_work: bool = False
    may_set_up: bool = False
