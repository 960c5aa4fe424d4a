"""How times, names and sizes are said on every page; pure, in the company's own time zone."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from quell.web.views.signs import Clock, Moment

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
SOON_S = HOUR_S
DAYS_WITH_HOURS_MAX = 2
# Marks that turn the reading direction of what follows: a name or a title must not rearrange our own words.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
FORCING = frozenset("\u202d\u202e")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def span(seconds: float) -> str:
    """A length of time: "under 1 m", "13 m", "1 h 12 m", "1 d 6 h", "5 d"."""
    if seconds < MINUTE_S:
        return "under 1 m"
    if seconds < HOUR_S:
        return f"{int(seconds // MINUTE_S)} m"
    if seconds < DAY_S:
        hours, minutes = int(seconds // HOUR_S), int(seconds % HOUR_S // MINUTE_S)
        return f"{hours} h {minutes:02} m" if minutes else f"{hours} h"
    days, hours = int(seconds // DAY_S), int(seconds % DAY_S // HOUR_S)
    return f"{days} d {hours} h" if hours and days < DAYS_WITH_HOURS_MAX else f"{days} d"


def age(then: datetime, now: datetime) -> str:
    """How long ago, as "8 s ago", "13 m ago", "2 d ago"."""
    seconds = max(0.0, (now - then).total_seconds())
    return f"{int(seconds)} s ago" if seconds < MINUTE_S else f"{span(seconds)} ago"


def left(due: datetime | None, now: datetime, zone: ZoneInfo, label: str = "Due", paused: str = "") -> Clock:
    """What is left until a deadline; a paused clock says why it stands still."""
    if paused:
        return Clock("paused", "paused", paused)
    if due is None:
        return Clock("", "", "")
    seconds = (due - now).total_seconds()
    title = f"{label} at {when(due, now, zone)}"
    if seconds < 0:
        return Clock(f"{span(-seconds)} over", "over", f"{label} was due at {when(due, now, zone)}")
    return Clock(span(seconds), "soon" if seconds < SOON_S else "", title)


def when(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Clock time for today, weekday and clock for the days around, the date before or after that."""
    there, today = at.astimezone(zone), now.astimezone(zone)
    days = (there.date() - today.date()).days
    clock = f"{there:%H:%M}"
    if days == 0:
        return clock
    if days == -1:
        return f"yesterday {clock}"
    if 0 < days < 7:
        return f"{DAYS[there.weekday()]} {clock}"
    date = f"{there.day} {MONTHS[there.month - 1]}"
    return date if there.year == today.year else f"{date} {there.year}"


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> Moment:
    """A time for people and for machines; the title is the whole of it."""
    there = at.astimezone(zone)
    full = f"{DAYS[there.weekday()]}, {there.day} {MONTHS[there.month - 1]} {there.year}, {there:%H:%M:%S %Z}"
    return Moment(when(at, now, zone), there.isoformat(timespec="seconds"), full)


def initials(name: str) -> str:
    """One or two letters for a face: first and last word of a name, or of what stands before an address's @."""
    words = [word for word in name.split("@")[0].replace(".", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


def plain(text: str) -> str:
    """A line without control characters and without marks that turn the reading direction."""
    kept = (" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text if each not in TURNING)
    return " ".join("".join(kept).split())


def sentence(text: str) -> str:
    """A line as a sentence: a capital first, a full stop last."""
    line = plain(text)
    end = "" if not line or line[-1] in ".?!…:" else "."
    return line[:1].upper() + line[1:] + end


def spoken(text: str) -> str:
    """What somebody wrote, as he wrote it, but for marks that force the reading direction to hide what is said."""
    return "".join(each for each in text if each not in FORCING)


def size(count: int) -> str:
    """Bytes as a person says them."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def several(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 report", "31 reports", "1,204 tickets"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
