"""The queue: groups of rows, and the preview of one ticket beside it."""

from dataclasses import dataclass

from quell.web.views.signs import NO_CLOCK, NOBODY, Chip, Clock, Face, Light, Moment, Source, Spark, Why


@dataclass(frozen=True)
class Row:
    """One ticket in the queue; a field whose `…_guess` is True is a model's word and has a dashed edge."""

    number: int
    version: int
    title: str
    group: str
    priority: str = ""
    priority_says: str = ""
    priority_guess: bool = False
    category: str = ""
    category_guess: bool = False
    owner: Face = NOBODY
    who: str = ""
    reports: int = 1
    sources: tuple[Source, ...] = ()
    sources_say: str = ""
    confidence: int | None = None
    reasons: tuple[Why, ...] = ()
    due: Clock = NO_CLOCK
    chips: tuple[Chip, ...] = ()
    live: bool = False
    unread: bool = False
    spark: Spark | None = None
    gone: str = ""
    accepts: bool = False

    @property
    def low(self) -> bool:
        """Whether the guess is too weak to look like one to press."""
        return self.confidence is not None and self.confidence < LOW_CONFIDENCE_PERCENT


LOW_CONFIDENCE_PERCENT = 50


@dataclass(frozen=True)
class Group:
    """Rows that ask the same thing of us; `count` counts the tickets of the group in the whole view, shown or not."""

    key: str
    name: str
    count: int
    hint: str = ""
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Proposed:
    """One field of a ticket as the preview and the proposal panel say it."""

    key: str
    label: str
    value: str
    guess: bool
    extra: str = ""
    confidence: int | None = None
    title: str = ""


@dataclass(frozen=True)
class Peek:
    """The preview of the row under the cursor."""

    row: Row
    channel: str
    at: Moment
    quote: str
    sender: str
    device: str = ""
    fields: tuple[Proposed, ...] = ()
    same_as: str = ""
    same_as_number: int | None = None
    fix_says: str = ""
    fix_light: Light | None = None


@dataclass(frozen=True)
class WhyView:
    """Why a ticket's proposal is what it is: (heading, reasons) by field, and how often such calls are right."""

    title: str
    blocks: tuple[tuple[str, tuple[Why, ...]], ...]
    foot: str


@dataclass(frozen=True)
class Empty:
    """Why there is nothing to see: `kind` is quiet (all done), first (nothing ever came) or search (nothing fits)."""

    kind: str
    words: str = ""
    address: str = ""


@dataclass(frozen=True)
class QueueView:
    """One page of the queue; `next` is the cursor of the following page, "" on the last."""

    key: str
    name: str
    tickets: int
    reports: int
    groups: tuple[Group, ...] = ()
    next: str = ""
    words: str = ""
    peek: Peek | None = None
    empty: Empty | None = None
    cursor: int | None = None
