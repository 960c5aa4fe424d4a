"""One ticket: its reports, what was said, what Quell thinks, the fixes, the deadline and the log."""

from dataclasses import dataclass

from quell.web.views.queue import Row
from quell.web.views.signs import Chip, Clock, Face, Moment, Source, Why


@dataclass(frozen=True)
class Choice:
    """One value of a live list."""

    key: str
    name: str
    says: str = ""


@dataclass(frozen=True)
class Opinion:
    """A model's word about a field that a person or a rule has already set otherwise."""

    value: str
    confidence: int | None
    title: str = ""


@dataclass(frozen=True)
class Field:
    """One field with who set it and why; `opinion` is what a model would say instead, never applied by itself."""

    key: str
    label: str
    value: str
    name: str
    guess: bool
    set_by: str = ""
    set_at: Moment | None = None
    confidence: int | None = None
    confidence_title: str = ""
    reasons: tuple[Why, ...] = ()
    model: str = ""
    opinion: Opinion | None = None


@dataclass(frozen=True)
class Joined:
    """One report of the ticket; `state` is in, ask (waits for a person's word) or out (can be put back)."""

    report: int
    icon: str
    channel: str
    said: str
    who: str
    at: Moment
    state: str = "in"
    strength: int | None = None
    reason: str = ""
    first: bool = False
    out_says: str = ""
    moved_to: int | None = None
    over: bool = False


@dataclass(frozen=True)
class File:
    """An attachment as a name to press; never shown inline."""

    name: str
    href: str
    size: str


@dataclass(frozen=True)
class Download:
    """A file's name and bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """One thing said: by a reporter, a technician (to whom), or as a private note."""

    face: Face
    who: str
    where: str
    at: Moment
    text: str
    note: bool = False
    report: int | None = None
    files: tuple[File, ...] = ()
    unsent: str = ""


@dataclass(frozen=True)
class Talk:
    """The conversation; with `report` set it is that reporter's alone. `partners` are (report, name, count)."""

    messages: tuple[Message, ...] = ()
    partners: tuple[tuple[int, str, int], ...] = ()
    report: int | None = None
    follows: int = 0
    earlier: int = 0


@dataclass(frozen=True)
class Step:
    """One line of a plan; `state` is "", ok, bad or run; `phase` opens a new heading before it."""

    says: str
    value: str = ""
    small: str = ""
    state: str = ""
    phase: str = ""


@dataclass(frozen=True)
class Change:
    """A value before and after a fix; `state` is ok or bad."""

    label: str
    before: str
    after: str
    state: str = ""


@dataclass(frozen=True)
class Fix:
    """One fix: `state` is planning, waits, running, held, failed, refused or lapsed."""

    fix: int
    title: str
    device: str
    state: str
    chip: Chip
    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    plan_hash: str = ""
    says: str = ""
    way_back: str = ""
    consent: str = ""


@dataclass(frozen=True)
class Offer:
    """A fix that could be planned on a device of this ticket, with the bounds of its parameters."""

    action: str
    name: str
    device: str
    parameters: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Reading:
    """One value of a device at that moment; `percent` draws a bar, None draws none."""

    label: str
    value: str
    percent: int | None = None
    state: str = ""
    title: str = ""


@dataclass(frozen=True)
class Snapshot:
    """What a device said about itself when the ticket came."""

    device: str
    href: str
    at: Moment
    readings: tuple[Reading, ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    foot: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Alike:
    """Another ticket that is like this one, with its age and how alike (percent, None: not by likeness)."""

    number: int
    title: str
    says: str
    percent: int | None = None


@dataclass(frozen=True)
class Entry:
    """One entry of the timeline; `state` is "", good or bad; `minor` ones are hidden behind "Everything"."""

    at: Moment
    icon: str
    who: str
    says: str
    small: str = ""
    state: str = ""
    minor: bool = False


@dataclass(frozen=True)
class Seal:
    """Whether the log of this ticket is unbroken: recomputed for this very page."""

    entries: int
    whole: bool
    head: str
    says: str


@dataclass(frozen=True)
class DueLine:
    """One deadline and why it is what it is."""

    label: str
    says: str
    state: str = ""


@dataclass(frozen=True)
class Matrix:
    """Impact times urgency: column and row names, cells by row, and where the ticket stands (None: nowhere)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    at: tuple[int, int] | None
    says: str = ""


@dataclass(frozen=True)
class Bars:
    """Reports over time: (x, y, width, height, title) in a box of 716 x 98, with the marks below it."""

    bars: tuple[tuple[float, float, float, float, str], ...]
    marks: tuple[tuple[float, str], ...]
    says: str
    unit: str


@dataclass(frozen=True)
class TicketView:
    """The whole page of one ticket."""

    row: Row
    status: str
    status_says: str
    open: bool
    opened: Moment
    reports: int
    people: int
    machines: int
    sites: int
    fields: tuple[Field, ...]
    joined: tuple[Joined, ...]
    talk: Talk
    entries: tuple[Entry, ...]
    seal: Seal
    due: Clock
    due_lines: tuple[DueLine, ...] = ()
    known: tuple[str, ...] = ()
    bars: Bars | None = None
    matrix: Matrix | None = None
    fixes: tuple[Fix, ...] = ()
    offers: tuple[Offer, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    solved_before: tuple[Alike, ...] = ()
    open_beside: tuple[Alike, ...] = ()
    sources: tuple[tuple[Source, int], ...] = ()
    reaches: str = ""
    proposal_chip: Chip | None = None
    closed_says: str = ""
    joined_to: int | None = None
    own_report: int | None = None
    previous: int | None = None
    following: int | None = None
    place: str = ""


@dataclass(frozen=True)
class EditView:
    """The dialog that changes the fields of one or many tickets by hand."""

    numbers: tuple[tuple[int, int], ...]
    title: str
    focus: str
    categories: tuple[Choice, ...]
    owners: tuple[Choice, ...]
    priorities: tuple[Choice, ...]
    assignees: tuple[Choice, ...] = ()
    category: str = ""
    owner: str = ""
    priority: str = ""
    assignee: str = ""


@dataclass(frozen=True)
class MergeView:
    """The dialog that lets tickets point into another one."""

    numbers: tuple[tuple[int, int], ...]
    title: str
    found: tuple[Alike, ...] = ()
    words: str = ""
