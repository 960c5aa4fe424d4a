"""A row of the queue in words, and the groups that rows stand in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from quell.store.queue import ASKS, IN_HAND, WAITS, QueuePage
from quell.store.queue_rows import INCIDENT, QueueRow
from quell.web.reading.names import Names, source
from quell.web.views.queue import Group, Row
from quell.web.views.signs import Chip, Clock, Spark, Why
from quell.web.words import left, several

LIVE_FOR = timedelta(minutes=5)
REASONS_MAX = 6
FIX_CHIPS: Mapping[str, Chip] = {
    "planned": Chip("fix waits", "warn", "", "A fix waits for somebody’s approval"),
    "agreed": Chip("fix runs", "accent", "play", "A fix was approved and is on its way"),
    "applying": Chip("fix runs", "accent", "play", "A fix runs on the device"),
    "checking": Chip("fix runs", "accent", "play", "A fix ran and is being checked"),
    "undoing": Chip("is put back", "warn", "undo", "The fix did not help and is taken back"),
}
GROUPS: Mapping[int, tuple[str, str, str]] = {
    INCIDENT: ("live", "Incidents", "three reports and more"),
    ASKS: ("yes", "Needs your yes", ""),
    IN_HAND: ("hand", "In hand", "by due time"),
    WAITS: ("wait", "Waiting on somebody", "clocks stand still"),
}
ENDED_GROUP = ("ended", "Ended today", "newest first")
FOUND_GROUP = ("found", "Found", "open first, then the newest")


def groups(page: QueuePage, rows: Sequence[Row], flat: tuple[str, str, str] | None = None) -> tuple[Group, ...]:
    """The rows in their groups, in order; ended and found tickets stand in one."""
    if flat is not None:
        return (Group(flat[0], flat[1], page.tickets, flat[2], tuple(rows)),)
    made = []
    for rank, (key, name, hint) in GROUPS.items():
        mine = tuple(row for row, raw in zip(rows, page.rows, strict=True) if raw.rank == rank)
        if mine:
            made.append(Group(key, name, page.ranks.get(rank, len(mine)), hint, mine))
    return tuple(made)


def row_view(raw: QueueRow, names: Names) -> Row:
    """One ticket as a row."""
    shown = raw.shown
    priority, category, owner = _field(shown, "priority"), _field(shown, "category"), _field(shown, "owner")
    assignee = _field(shown, "assignee")
    accepts = raw.proposed and raw.needs_yes
    return Row(
        number=raw.number,
        version=raw.version,
        title=raw.title,
        group=GROUPS.get(raw.rank, FOUND_GROUP)[0],
        priority=_text(priority, "value"),
        priority_says=_priority_says(priority),
        priority_guess=bool(priority.get("guess")),
        category=names.categories.get(_text(category, "value"), _text(category, "value")),
        category_guess=bool(category.get("guess")),
        owner=names.owner(_text(owner, "value"), _text(assignee, "value"), bool(owner.get("guess"))),
        who=_who(raw),
        reports=raw.reports,
        sources=tuple(source(name) for name, _ in raw.channels),
        sources_say=_sources_say(raw.channels),
        confidence=percent(raw.sure) if accepts else None,
        reasons=reasons(category.get("reasons")),
        due=clock(raw, names),
        chips=_chips(raw),
        live=raw.open and raw.rank == INCIDENT and names.now - raw.heard_at < LIVE_FOR,
        unread=raw.needs_yes and raw.open,
        spark=spark(raw.minutes) if not accepts else None,
        accepts=accepts,
    )


def gone(raw: QueueRow, names: Names) -> str:
    """What became of a ticket that the view shows no longer."""
    if raw.joined_to is not None:
        return f"joined to T-{raw.root}"
    if raw.noise:
        return "put aside as noise"
    if not raw.open:
        return "solved" if raw.status == "resolved" else raw.status
    return "no longer in this view"


def clock(raw: QueueRow, names: Names) -> Clock:
    """What is due next: the first answer until it was given, then the solution."""
    if not raw.open:
        return Clock("")
    if raw.status == "waiting":
        return left(None, names.now, names.zone, paused="The clock stands still while we wait for the reporter")
    answer_next = raw.first_answer_due is not None and raw.sort_due == raw.first_answer_due
    due: datetime | None = raw.first_answer_due if answer_next else raw.due_at
    return left(due, names.now, names.zone, "First answer" if answer_next else "Solution")


def reasons(found: object) -> tuple[Why, ...]:
    """Reasons as they stand in a field's JSON: [says, weight, source]."""
    if not isinstance(found, list):
        return ()
    good = [each for each in found if isinstance(each, list) and len(each) == 3]
    return tuple(Why(points(each[1]), str(each[0])) for each in good[:REASONS_MAX])


def points(weight: object) -> str:
    """A weight in points of 100 with its sign: "+38", "−6"."""
    if not isinstance(weight, int | float):
        return ""
    whole = round(weight)
    return f"+{whole}" if whole >= 0 else f"−{-whole}"


def percent(share: float | None) -> int | None:
    """A share of 1 as whole per cent; never 100, for nothing is that sure."""
    return None if share is None else min(99, round(share * 100))


def spark(minutes: Sequence[int]) -> Spark | None:
    """Reports over the last forty minutes as a line of 64 by 16."""
    if not minutes or not any(minutes):
        return None
    top, step = max(minutes), 64 / (len(minutes) - 1)
    line = " ".join(f"{n * step:.1f},{15 - 14 * value / top:.1f}" for n, value in enumerate(minutes))
    return Spark(line, f"{several(sum(minutes), 'report')} in the last 40 minutes")


def _field(shown: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = shown.get(name)
    return found if isinstance(found, dict) else {}


def _text(field: Mapping[str, Any], key: str) -> str:
    value = field.get(key)
    return value if isinstance(value, str) else ""


def _priority_says(field: Mapping[str, Any]) -> str:
    found = field.get("reasons")
    first = found[0][0] if isinstance(found, list) and found and isinstance(found[0], list) else ""
    return f"{field.get('value')}: {first}" if first else ""


def _who(raw: QueueRow) -> str:
    if raw.reports > 1 and raw.reporter:
        return f"{raw.reporter} and {raw.reports - 1} more"
    return f"for {raw.reporter}" if raw.status == "waiting" and raw.reporter else raw.reporter


def _sources_say(channels: Sequence[tuple[str, int]]) -> str:
    total = sum(count for _, count in channels)
    return f"{total} from {', '.join(source(name).name for name, _ in channels)}" if channels else ""


def _chips(raw: QueueRow) -> tuple[Chip, ...]:
    made = []
    if raw.maybe_into is not None and raw.joined_to is None:
        made.append(Chip(f"like T-{raw.maybe_into}", "guess", "merge", "Quell thinks that this is the same problem"))
    if raw.fix_state in FIX_CHIPS:
        made.append(FIX_CHIPS[raw.fix_state])
    if not raw.open:
        made.append(Chip("noise" if raw.noise else "solved" if raw.status == "resolved" else raw.status))
    return tuple(made)
