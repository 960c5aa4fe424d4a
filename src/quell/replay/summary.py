"""A replay in a few sentences: what it would have sorted by itself, how often that was right, the biggest outage."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from quell.replay.judge import FIELDS, Verdict
from quell.replay.outages import Outage, outages


@dataclass(frozen=True)
class Share:
    """So many of so many; `percent` is None of none."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        """Rounded, but 100 only for all and 0 only for none."""
        if not self.whole:
            return None
        exact = 100 * self.part / self.whole
        return min(99, max(1, round(exact))) if 0 < self.part < self.whole else round(exact)

    def __str__(self) -> str:
        """For a person."""
        return f"{self.part} of {self.whole}" + (f" ({self.percent} %)" if self.whole else "")


@dataclass(frozen=True)
class Row:
    """One category of the truth: how many messages, and of those sorted right, sorted wrong, left to people.

    `named` counts those whose category was named right, whoever had the last word.
    """

    category: str
    messages: int
    right: int
    wrong: int
    left: int
    named: int


@dataclass(frozen=True)
class Summary:
    """All figures of one replay; shares of right ones are over messages whose truth is known."""

    messages: int
    judged: int
    right: int
    wrong: int
    unjudged: int
    left: int
    fields: tuple[tuple[str, Share], ...]
    places: Share
    rows: tuple[Row, ...]
    outages: tuple[Outage, ...]
    seconds_median: float
    seconds_most: float

    @property
    def sorted_itself(self) -> int:
        """How many needed nobody's yes."""
        return self.right + self.wrong + self.unjudged


def summarise(verdicts: Sequence[Verdict]) -> Summary:
    """The figures of one replay."""
    known = [each for each in verdicts if each.truth is not None]
    alone = [each for each in verdicts if each.automatic]
    right = sum(each.all_right for each in alone if each.truth is not None)
    unjudged = sum(each.truth is None for each in alone)
    took = sorted(each.said.seconds for each in verdicts) or [0.0]
    return Summary(
        messages=len(verdicts),
        judged=len(known),
        right=right,
        wrong=len(alone) - unjudged - right,
        unjudged=unjudged,
        left=len(verdicts) - len(alone),
        fields=tuple((name, _field(name, known)) for name in FIELDS),
        places=Share(sum(each.place in ("right_new", "right_join", "noise_out") for each in known), len(known)),
        rows=_rows(known),
        outages=tuple(outages(verdicts)),
        seconds_median=took[len(took) // 2],
        seconds_most=took[min(len(took) - 1, int(len(took) * 0.99))],
    )


def _field(name: str, known: Sequence[Verdict]) -> Share:
    asked = [each.right[name] for each in known if each.right is not None and name in each.right]
    return Share(sum(asked), len(asked))


def _rows(known: Sequence[Verdict]) -> tuple[Row, ...]:
    counts: dict[str, Counter[str]] = {}
    for each in known:
        category = each.truth.fields["category"] if each.truth is not None else None
        if category is None or each.right is None:
            continue
        count = counts.setdefault(category, Counter())
        count["messages"] += 1
        count["named"] += each.right["category"]
        count["left" if not each.automatic else "right" if each.all_right else "wrong"] += 1
    rows = [Row(name, n["messages"], n["right"], n["wrong"], n["left"], n["named"]) for name, n in counts.items()]
    return tuple(sorted(rows, key=lambda row: (-row.messages, row.category)))


def sentences(found: Summary) -> list[str]:
    """What one wants to know at the end of a replay, a line each."""
    said = [
        f"{found.messages} messages, {found.seconds_median:.3f} s for one as a rule, "
        f"{found.seconds_most:.3f} s at most for 99 of 100"
    ]
    if not found.judged:
        return [*said, f"sorted by itself: {Share(found.sorted_itself, found.messages)}; nobody says what was true"]
    said.append(
        f"sorted by itself: {Share(found.sorted_itself, found.messages)}, "
        f"right: {Share(found.right, found.right + found.wrong)}; left to people: {found.left}"
    )
    said.append("right, sorted or suggested: " + ", ".join(f"{name} {share}" for name, share in found.fields))
    said.append(f"in the right ticket on arrival: {found.places}")
    return said + ([f"biggest outage: {outage_sentence(found.outages[0])}"] if found.outages else [])


def outage_sentence(found: Outage) -> str:
    """How one outage was recognised."""
    first = f"first join at report {found.first_join}" if found.first_join else "never joined"
    wrong = f"{found.wrong_joins} wrong joins"
    if found.wrong_joins:
        wrong += f" ({len(found.strangers)} strangers joined to it, {len(found.strays)} of its own joined elsewhere)"
    return (
        f"{found.problem}, {found.messages} messages with {found.reports} reports: "
        f"{found.tickets} tickets opened for them, {first}, {wrong}"
    )
