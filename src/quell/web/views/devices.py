"""The fleet and one device: what it says about itself, what may run there, what ran."""

from dataclasses import dataclass

from quell.web.views.signs import Chip, Light, Moment
from quell.web.views.ticket import Alike, Change, Reading, Step


@dataclass(frozen=True)
class DeviceRow:
    """One device in the list; `key` is its part of the address."""

    key: str
    name: str
    icon: str
    whose: str
    place: str
    light: Light
    disk: Reading | None = None
    allowed: int | None = None
    last_run: str = ""
    last_run_says: str = ""


@dataclass(frozen=True)
class DevicesView:
    """The fleet: counts, filters and rows; `filters` are (key, name, count)."""

    rows: tuple[DeviceRow, ...]
    with_agent: int
    seen: int
    need_look: int
    runs_today: int
    held_today: int
    actions: int
    filters: tuple[tuple[str, str, int], ...] = ()
    filter: str = "all"
    words: str = ""
    next: str = ""


@dataclass(frozen=True)
class Allowed:
    """One action of the catalogue and whether this device's own policy lets it run."""

    name: str
    says: str
    on: bool
    chip: Chip
    record: str = ""


@dataclass(frozen=True)
class Run:
    """One fix that ran here."""

    title: str
    says: str
    chip: Chip
    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    foot: str = ""


@dataclass(frozen=True)
class DeviceView:
    """One device."""

    row: DeviceRow
    facts: tuple[str, ...]
    readings: tuple[Reading, ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    read_at: Moment | None = None
    allowed: tuple[Allowed, ...] = ()
    runs: tuple[Run, ...] = ()
    tickets: tuple[Alike, ...] = ()
    agent: bool = True


@dataclass(frozen=True)
class EnrolView:
    """The single-use token and the line that uses it."""

    token: str
    line: str
    ends: Moment
