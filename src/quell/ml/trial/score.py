"""The measures by which a replayed stream is judged: right fields, right tickets, and what was sorted by itself.

Same rules as the project's replay scorer: a message's problem is the truth's, else that of the message it answers, else
itself alone; noise is right in no ticket; a join is right when its problem is a majority of the earlier messages.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quell.core.company import LEVELS
from quell.core.reading import NEW_WORK, Message
from quell.ml.facts import HUMAN_CHANNELS
from quell.ml.training.scenario import Scenario, Truth
from quell.ml.trial.run import Outcome, Said

FIELDS = ("category", "owner", "priority", "kind")
RIGHT_PLACES = frozenset({"right_new", "right_join", "noise_out"})
BINS = 10

Numbers = dict[str, float | None]


@dataclass(frozen=True)
class Judged:
    """One message with its truth, what was said, and the verdict on its place."""

    message: Message
    truth: Truth
    said: Said
    place: str
    human: bool

    @property
    def right(self) -> bool:
        """All that was asked is right, and the place."""
        return self.place in RIGHT_PLACES and all(self.field_right(name) is not False for name in FIELDS[:3])

    def field_right(self, name: str) -> bool | None:
        """None where the field was not asked."""
        wanted = self.wanted(name)
        return None if wanted is None else wanted == self.value(name)

    def wanted(self, name: str) -> str | None:
        """The true value; a resolve asks for no priority."""
        if name == "priority" and self.truth.kind == "resolved":
            return None
        return {"category": self.truth.category, "owner": self.truth.owner, "priority": self.truth.priority}.get(
            name, self.truth.kind
        )

    def value(self, name: str) -> str | None:
        """What was said."""
        reading = self.said.reading
        chosen = {"category": reading.category, "owner": reading.owner, "priority": reading.priority}
        return chosen.get(name, reading.kind).value


def judge(scenario: Scenario, outcome: Outcome) -> list[Judged]:
    """Compare a run with the truth."""
    places = _places(scenario, outcome)
    return [
        Judged(said.message, scenario.truths[said.message.id], said, place, said.message.channel in HUMAN_CHANNELS)
        for said, place in zip(outcome.said, places, strict=True)
    ]


def measure(scenario: Scenario, outcome: Outcome) -> dict[str, object]:
    """Every measure of one run as plain data; shares are 0 to 1."""
    judged = judge(scenario, outcome)
    middle = len(judged) // 2
    slices: dict[str, list[Judged]] = {
        "all": judged,
        "second half": judged[middle:],
        "people, new work": [j for j in judged if j.human and j.truth.kind in NEW_WORK],
        "people, new work, second half": [j for j in judged[middle:] if j.human and j.truth.kind in NEW_WORK],
    }
    wrong = [j for j in judged if j.place == "wrong_join"]
    noise = [j for j in judged if j.truth.kind == "noise"]
    seconds = sorted(j.said.seconds for j in judged)
    return {
        "messages": len(judged),
        "slices": {name: _slice(part) for name, part in slices.items()},
        "wrong_joins": len(wrong) / len(judged),
        "wrong_joins_automatic": sum(j.said.automatic for j in wrong) / len(judged),
        "missed_joins": sum(j.place == "missed_join" for j in judged) / len(judged),
        "dropped": sum(j.place == "dropped" for j in judged),
        "noise_opened": sum(j.place == "noise_opened" for j in judged) / len(noise) if noise else None,
        "bcubed_arrival": bcubed(*_groups(judged, {j.message.id: j.said.ticket for j in judged})),
        "bcubed_end": bcubed(*_groups(judged, outcome.final)),
        **_outages(judged, outcome),
        "seconds_p50": seconds[len(seconds) // 2],
        "seconds_p99": seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))],
    }


def _slice(part: Sequence[Judged]) -> Numbers:
    numbers: Numbers = {"count": float(len(part)), "all_four": _mean([j.right for j in part])}
    for name in FIELDS:
        asked = [right for right in (j.field_right(name) for j in part) if right is not None]
        numbers[name] = _mean(asked)
    numbers["ticket"] = _mean([j.place in RIGHT_PLACES for j in part])
    numbers["levels_off"] = _mean([_off(j) for j in part if j.wanted("priority") is not None])
    numbers["category_ece"] = _calibration([j for j in part if j.field_right("category") is not None])
    automatic = [j for j in part if j.said.automatic]
    numbers["sorted"] = len(automatic) / len(part) if part else None
    numbers["sorted_precision"] = _mean([j.right for j in automatic])
    return numbers


def _off(judged: Judged) -> int:
    value = judged.value("priority")
    return (
        abs(LEVELS.index(str(judged.wanted("priority"))) - LEVELS.index(value)) if value in LEVELS else len(LEVELS) - 1
    )


def _calibration(part: Sequence[Judged]) -> float | None:
    """Expected calibration error of the category's confidence over ten equal bins."""
    sums = [0.0] * BINS
    for each in part:
        confidence = each.said.reading.category.confidence
        sums[min(BINS - 1, int(confidence * BINS))] += float(bool(each.field_right("category"))) - confidence
    return sum(abs(value) for value in sums) / len(part) if part else None


def _places(scenario: Scenario, outcome: Outcome) -> list[str]:
    content: defaultdict[int, Counter[str]] = defaultdict(Counter)
    senders: defaultdict[int, set[str | None]] = defaultdict(set)
    known, verdicts = set[str](), list[str]()
    for said in outcome.said:
        truth, ticket, final = scenario.truths[said.message.id], said.ticket, outcome.final[said.message.id]
        inside = content[ticket] if ticket is not None else Counter[str]()
        joined = ticket is not None and bool(inside) and (bool(senders[ticket]) or said.joined)
        fits = joined and inside[truth.problem] >= max(inside.values())
        if truth.kind == "noise":
            own = fits or (joined and said.message.sender is not None and said.message.sender in senders[ticket or 0])
            verdicts.append("noise_out" if ticket is None or own else "wrong_join" if joined else "noise_opened")
        else:
            opened = "missed_join" if truth.problem in known else "right_new"
            verdicts.append(
                "dropped" if ticket is None else "right_join" if fits else "wrong_join" if joined else opened
            )
            known.add(truth.problem)
        if ticket is not None:
            senders[ticket].add(said.message.sender)
            content[ticket][truth.problem] += 2 if ticket == final else 1  # in halves: moved away later counts half
        if final is not None and final != ticket:
            content[final][truth.problem] += 2
    return verdicts


def _groups(judged: Sequence[Judged], tickets: Mapping[str, int | None]) -> tuple[list[str], list[str]]:
    kept = [j for j in judged if j.truth.kind != "noise"]
    return [j.truth.problem for j in kept], [str(tickets[j.message.id] or j.message.id) for j in kept]


def bcubed(truth: Sequence[str], made: Sequence[str]) -> float:
    """B-cubed F1 of one grouping against another."""
    both, real, groups = Counter(zip(truth, made, strict=True)), Counter(truth), Counter(made)
    if not truth:
        return 1.0
    precision = sum(n * n / groups[g] for (_, g), n in both.items()) / len(truth)
    recall = sum(n * n / real[t] for (t, _), n in both.items()) / len(truth)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outages(judged: Sequence[Judged], outcome: Outcome) -> Numbers:
    """Problems with at least three reports: joined by the third report, and tickets opened for them."""
    members: defaultdict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        if each.truth.kind != "noise":
            members[each.truth.problem].append(each)
    by_third, arrival, end = list[bool](), list[int](), list[int]()
    for part in members.values():
        firsts: dict[str, bool] = {}
        for each in (j for j in part if j.truth.kind in NEW_WORK):
            firsts.setdefault(_reporter(each.message), each.place == "right_join")
        if len(firsts) >= 3:
            by_third.append(any(list(firsts.values())[:3]))
            arrival.append(len({j.said.ticket or j.message.id for j in part}))
            end.append(len({outcome.final[j.message.id] or j.message.id for j in part}))
    return {
        "outages": float(len(by_third)),
        "outages_joined_by_third": _mean(by_third),
        "tickets_per_outage_arrival": _mean(arrival),
        "tickets_per_outage_end": _mean(end),
    }


def _reporter(message: Message) -> str:
    return message.sender or message.labels.get("fingerprint") or f"{message.channel}:{message.device}"


def _mean(values: Sequence[float] | Sequence[bool] | Sequence[int]) -> float | None:
    return sum(values) / len(values) if values else None
