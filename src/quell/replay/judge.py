"""Holds answers against the truth, once all of them are given: which fields and places were right."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quell.replay.history import Past
from quell.replay.prediction import Prediction

FIELDS = ("category", "priority", "owner")
RIGHT_PLACES = frozenset({"right_new", "right_join", "noise_out"})
ALONE = "alone:"
# A place that a person took back later weighs half when the next join is judged.
STAYED, MOVED = 2, 1


@dataclass(frozen=True)
class Truth:
    """What was true of one message: its kind, its fields (None: not asked), and the problem that it belongs to."""

    kind: str
    fields: Mapping[str, str | None]
    problem: str
    reporter: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """One message with what was answered; `truth` is None where nobody knows, and then nothing is judged.

    `place` is `right_new`, `right_join`, `wrong_join`, `missed_join`, `dropped`, `noise_out` or `noise_opened`; `right`
    maps a field that was asked to whether it was right.
    """

    past: Past
    said: Prediction
    truth: Truth | None
    place: str = ""
    right: Mapping[str, bool] | None = None

    @property
    def automatic(self) -> bool:
        """Whether nobody had to say yes to any of it."""
        asked = self.right if self.right is not None else dict.fromkeys(FIELDS, True)
        return self.said.auto.get("ticket", False) and all(self.said.auto.get(name, False) for name in asked)

    @property
    def all_right(self) -> bool:
        """Whether the place and every field that was asked were right."""
        return self.place in RIGHT_PLACES and all((self.right or {}).values())


def truths_of(past: Sequence[Past]) -> list[Truth | None]:
    """The truth of each message; a reply belongs to the problem of what it replies to."""
    problems: dict[str, str] = {}
    found: list[Truth | None] = []
    for each in past:
        given = each.reveal()
        inherited = problems.get(str(each.row.get("reply_to")), f"{ALONE}{each.id}")
        problem = _text(given, "problem") or inherited
        problems[each.id] = problem
        found.append(_truth(each, given, problem) if given is not None else None)
    return found


def _truth(past: Past, given: Mapping[str, object], problem: str) -> Truth:
    kind = _text(given, "kind") or "incident"
    fields = {name: _text(given, name) for name in FIELDS}
    if kind == "resolved":
        fields["priority"] = None
    labels = past.row.get("labels")
    fingerprint = labels.get("fingerprint") if isinstance(labels, dict) else None
    reporter = past.row.get("sender") or fingerprint or f"{past.channel}:{past.row.get('device')}"
    return Truth(kind, fields, problem, str(reporter), _text(given, "why") or "")


def _text(given: Mapping[str, object] | None, name: str) -> str | None:
    value = given.get(name) if given is not None else None
    return str(value) if value is not None else None


def judge(past: Sequence[Past], said: Sequence[Prediction]) -> list[Verdict]:
    """A verdict for each message, in order; answers must be complete before this is called."""
    tickets = Tickets()
    made = []
    for each, answer, truth in zip(past, said, truths_of(past), strict=True):
        if truth is None:
            made.append(Verdict(each, answer, None))
            continue
        values = {"category": answer.category, "priority": answer.priority, "owner": answer.owner}
        right = {name: values[name] == wanted for name, wanted in truth.fields.items() if wanted is not None}
        made.append(Verdict(each, answer, truth, tickets.judge(each, answer, truth), right))
    return made


class Tickets:
    """What lies in each ticket so far, by problem and sender: a join is right when its problem has a majority there."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._inside: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._senders: defaultdict[str, set[object]] = defaultdict(set)
        self._known: set[str] = set()

    def judge(self, past: Past, said: Prediction, truth: Truth) -> str:
        """The verdict about one place; remembers what lies there now."""
        sender = past.row.get("sender")
        inside = self._inside[said.ticket] if said.ticket is not None else Counter()
        senders = self._senders[said.ticket] if said.ticket is not None else set()
        joined = bool(inside) and (bool(senders) or said.join_confidence is not None)
        fits = joined and inside[truth.problem] >= max(inside.values())
        verdict = self._verdict(said, truth, joined, fits, sender is not None and sender in senders)
        self._remember(said, truth, sender)
        return verdict

    def _verdict(self, said: Prediction, truth: Truth, joined: bool, fits: bool, own: bool) -> str:
        if truth.kind == "noise":
            if said.ticket is None or fits or (joined and own):
                return "noise_out"
            return "wrong_join" if joined else "noise_opened"
        if said.ticket is None:
            return "dropped"
        if joined:
            return "right_join" if fits else "wrong_join"
        return "missed_join" if truth.problem in self._known else "right_new"

    def _remember(self, said: Prediction, truth: Truth, sender: object) -> None:
        if truth.kind != "noise":
            self._known.add(truth.problem)
        if said.ticket is not None:
            self._senders[said.ticket].add(sender)
            self._inside[said.ticket][truth.problem] += STAYED if said.ticket == said.ticket_final else MOVED
        if said.ticket_final is not None and said.ticket_final != said.ticket:
            self._inside[said.ticket_final][truth.problem] += STAYED
