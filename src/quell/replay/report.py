"""The report of a replay as one HTML page: what would have been sorted, how outages were recognised, worst mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment

from quell.core.company import Company
from quell.core.reading import Proposal, Reading
from quell.core.words import title_of, visible
from quell.replay.judge import ALONE, RIGHT_PLACES, Truth, Verdict
from quell.replay.summary import Share, Summary

MISTAKES_SHOWN_MAX = 25
OUTAGES_SHOWN_MAX = 40
REASONS_SHOWN_MAX = 3
WORDS_CHARACTERS_MAX = 420
PLACES = {
    "wrong_join": "put into a ticket about something else",
    "missed_join": "opened a ticket of its own though its problem was known",
    "dropped": "taken for noise",
    "noise_opened": "opened a ticket though it is noise",
}


@dataclass(frozen=True)
class About:
    """Whose history was replayed, how and when; `corrections` says whether the truth was told after each answer."""

    company: Company
    folder: str
    at: datetime
    model: str
    corrections: bool


@dataclass(frozen=True)
class Wrong:
    """One wrong answer: what it is about, what was said and how surely, what is true, and why it was said."""

    what: str
    said: str
    confidence: float | None
    true: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """A message with everything that was wrong about it; `automatic` ones nobody would have looked at."""

    verdict: Verdict
    title: str
    words: str
    automatic: bool
    sure: float
    wrong: tuple[Wrong, ...]


def write(path: Path, about: About, summary: Summary, verdicts: Sequence[Verdict], read: Mapping[str, Reading]) -> None:
    """Write the page; it needs nothing but itself."""
    path.write_text(page(about, summary, verdicts, read), encoding="utf-8")


def page(about: About, summary: Summary, verdicts: Sequence[Verdict], read: Mapping[str, Reading]) -> str:
    """The page's HTML."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    zone, names = ZoneInfo(about.company.timezone), _names(about.company)
    environment.filters |= {
        "percent": _percent,
        "span": _span,
        "local": lambda at: at.astimezone(zone),
        "named": lambda key: names.get(key, key),
    }
    source = files("quell.replay").joinpath("report.html").read_text(encoding="utf-8")
    bar = [("right", summary.right), ("wrong", summary.wrong), ("unjudged", summary.unjudged), ("left", summary.left)]
    return environment.from_string(source).render(
        about=about,
        summary=summary,
        bar=[(name, count, Share(count, summary.messages)) for name, count in bar if count],
        sorted_right=Share(summary.right, summary.right + summary.wrong),
        outages=summary.outages[:OUTAGES_SHOWN_MAX],
        mistakes=mistakes(verdicts, read),
        period=(verdicts[0].past.at, verdicts[-1].past.at) if verdicts else None,
    )


def mistakes(verdicts: Sequence[Verdict], read: Mapping[str, Reading]) -> list[Mistake]:
    """The worst first: those that nobody would have looked at, then those that were suggested most surely."""
    found = [_mistake(each, read.get(each.past.id)) for each in verdicts if each.truth is not None]
    wrong = [each for each in found if each.wrong]
    return sorted(wrong, key=lambda each: (not each.automatic, -each.sure))[:MISTAKES_SHOWN_MAX]


def _mistake(verdict: Verdict, reading: Reading | None) -> Mistake:
    row, said, truth = verdict.past.row, verdict.said, verdict.truth
    text, subject = str(row.get("text") or ""), row.get("subject")
    made = [_field(verdict, name, reading) for name, right in (verdict.right or {}).items() if not right]
    if verdict.place not in RIGHT_PLACES and truth is not None:
        made.append(
            Wrong("ticket", _place_said(verdict), said.join_confidence, _place_true(truth), _join(verdict, reading))
        )
    words = visible(text)
    return Mistake(
        verdict,
        title_of(str(subject) if subject else None, text),
        words if len(words) <= WORDS_CHARACTERS_MAX else words[:WORDS_CHARACTERS_MAX] + "…",
        verdict.automatic,
        reading.sure if reading is not None else 0.0,
        tuple(made),
    )


def _field(verdict: Verdict, name: str, reading: Reading | None) -> Wrong:
    said = verdict.said
    values = {"category": said.category, "priority": said.priority, "owner": said.owner}
    confidences = {
        "category": said.category_confidence,
        "priority": said.priority_confidence,
        "owner": said.owner_confidence,
    }
    true = verdict.truth.fields[name] if verdict.truth is not None else None
    return Wrong(name, values[name] or "nothing", confidences[name], true or "", _reasons(name, reading))


def _reasons(name: str, reading: Reading | None) -> tuple[str, ...]:
    if reading is None:
        return ()
    proposal: Proposal = {"category": reading.category, "priority": reading.priority, "owner": reading.owner}[name]
    return tuple(each.says for each in proposal.reasons[:REASONS_SHOWN_MAX])


def _place_said(verdict: Verdict) -> str:
    where = f", ticket {verdict.said.ticket}" if verdict.said.ticket is not None else ""
    return PLACES.get(verdict.place, verdict.place) + where


def _place_true(truth: Truth) -> str:
    if truth.kind == "noise":
        return "no ticket at all"
    return "a ticket of its own" if truth.problem.startswith(ALONE) else truth.problem


def _join(verdict: Verdict, reading: Reading | None) -> tuple[str, ...]:
    joins = reading.joins if reading is not None else ()
    option = next((each for each in joins if str(each.ticket) == verdict.said.ticket), None)
    return tuple(each.says for each in option.reasons[:REASONS_SHOWN_MAX]) if option is not None else ()


def _names(company: Company) -> dict[str, str]:
    """The names of categories and teams by their keys; where one key names both, the category's."""
    return {each.key: each.name for each in company.teams} | {each.key: each.name for each in company.categories}


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _span(began: datetime, until: datetime) -> str:
    minutes = round((until - began).total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes // 1440} days"
