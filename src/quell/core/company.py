"""What a company tells Quell about itself on the first day: sites, services, teams, categories, people, devices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

DEFAULT_ORGANISATION = "default"
LEVELS = ("P1", "P2", "P3", "P4")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Level = Literal["P1", "P2", "P3", "P4"]


@dataclass(frozen=True)
class Site:
    """A place where people work or machines stand."""

    key: str
    name: str
    aliases: tuple[str, ...] = ()
    organisation: str = DEFAULT_ORGANISATION


@dataclass(frozen=True)
class Service:
    """Something that people use; criticality 1 (the whole business stops) to 4 (a convenience)."""

    key: str
    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    criticality: int = 3
    owner: str | None = None
    organisation: str = DEFAULT_ORGANISATION


@dataclass(frozen=True)
class Team:
    """A group of technicians that owns tickets."""

    key: str
    name: str
    handles: str = ""


@dataclass(frozen=True)
class Category:
    """What a ticket is about, in the company's own words, and the team that usually owns it."""

    key: str
    name: str
    description: str = ""
    team: str | None = None


@dataclass(frozen=True)
class Person:
    """Somebody who reports; `site` is a site's key."""

    email: str
    name: str
    department: str = ""
    site: str | None = None
    title: str = ""
    vip: bool = False
    organisation: str = DEFAULT_ORGANISATION


@dataclass(frozen=True)
class Device:
    """A machine that the company knows by its host name."""

    hostname: str
    owner_email: str | None = None
    kind: str = "laptop"
    os: str = ""
    site: str | None = None
    organisation: str = DEFAULT_ORGANISATION


@dataclass(frozen=True)
class AllowedAction:
    """A fix that the device agent may run in this company."""

    key: str
    description: str = ""


@dataclass(frozen=True)
class Company:
    """Everything that `company.json` says; `business_hours` maps a weekday to its (from, to) periods as HH:MM."""

    name: str
    timezone: str
    business_hours: Mapping[str, tuple[tuple[str, str], ...]]
    sites: tuple[Site, ...] = ()
    services: tuple[Service, ...] = ()
    teams: tuple[Team, ...] = ()
    categories: tuple[Category, ...] = ()
    people: tuple[Person, ...] = ()
    devices: tuple[Device, ...] = ()
    priorities: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[AllowedAction, ...] = ()
    repo_files: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
