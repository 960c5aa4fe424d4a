"""One message's way through the stages, each handing chances to the next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS
from quell.core.reading import Message, OpenTicket
from quell.ml import action, category, join, kind, owner, place, priority, sure
from quell.ml.category import Themes
from quell.ml.companyview import CompanyView
from quell.ml.facts import Facts
from quell.ml.join import JoinView
from quell.ml.kind import CLASSES
from quell.ml.memory import Recall
from quell.ml.place import Context
from quell.ml.stage import Columns, Stage, must_match
from quell.ml.ticketview import Bench, Evidence, TicketView

STAGES = ("kind", "alone", "alone_level", "join", "place", "category", "owner", "priority", "sure", "action")
IDENTITY_OPEN_H, IDENTITY_OVER_H = 96.0, 12.0
REPLY_IS_FOLLOWUP = 0.97
VETO_FACTOR = 0.02
BURST_S = 30 * 60

Floats = NDArray[np.float64]


@dataclass
class Walk:
    """What was found out so far; `show` sums a ticket up when the join is reached."""

    facts: Facts
    recall: Recall
    tickets: tuple[OpenTicket, ...]
    at: datetime
    show: Callable[[OpenTicket], TicketView]
    views: tuple[TicketView, ...] = ()
    bench: Bench | None = None
    kind: Floats = field(default_factory=lambda: np.full(len(CLASSES), 1 / len(CLASSES)))
    own: Evidence | None = None
    keyed: int | None = None
    joins: Floats = field(default_factory=lambda: np.zeros(0))
    join_view: JoinView | None = None
    vetoes: tuple[str | None, ...] = ()
    place: Floats = field(default_factory=lambda: np.array([1.0, 0.0, 0.0]))
    context: Context | None = None
    category: Floats = field(default_factory=lambda: np.zeros(0))
    team: Floats = field(default_factory=lambda: np.zeros(0))
    level: Floats = field(default_factory=lambda: np.zeros(0))
    action: Floats = field(default_factory=lambda: np.ones(1))
    way: str = "new"
    chosen: int | None = None
    place_chance: float = 0.0
    raw: float = 0.0
    sure: float = 0.0

    @property
    def burst(self) -> float:
        """How many members of open tickets arrived in the last half hour, as a logarithm."""
        recent = sum((self.at - m.at).total_seconds() <= BURST_S for t in self.tickets for m in t.members)
        return float(np.log1p(recent)) / 4


class Walker:
    """The stages of one mode (day 0 or corrected) applied to one company."""

    def __init__(
        self,
        view: CompanyView,
        stages: Mapping[str, Stage],
        themes: Themes,
        intent_kinds: NDArray[np.float32],
        fixes: NDArray[np.float32],
    ) -> None:
        """`stages` may lack some while they are being trained; `walk` needs all that it comes to."""
        self.view, self.stages, self._themes, self._intent_kinds = view, stages, themes, intent_kinds
        self._fixes = fixes
        self._checked: set[str] = set()

    def walk(self, way: Walk, until: str = "") -> Walk:
        """Go through all stages, or stop before the stage `until`."""
        for name in STAGES:
            if name == until:
                break
            columns = self.columns(name, way)
            self.take(name, way, self.chances(name, columns))
        return way

    def columns(self, name: str, way: Walk) -> Columns:
        """What the stage is shown of a walk that has taken all stages before it."""
        facts, recall, view = way.facts, way.recall, self.view
        match name:
            case "kind":
                return kind.columns(facts, recall, way.tickets, self._intent_kinds, way.at)
            case "alone":
                return category.columns(view, facts, recall, way.kind, self._themes)
            case "alone_level":
                return priority.columns(view, facts, recall, way.kind, _own(way).category, None, way.burst)
            case "join":
                return self._join_columns(way)
            case "place":
                return self._place_columns(way)
            case "category":
                return self._category_columns(way)
            case "owner":
                return owner.columns(view, facts, recall, way.kind, way.category, _context(way), self._themes)
            case "priority":
                return priority.columns(view, facts, recall, way.kind, way.category, _context(way), way.burst)
            case "sure":
                return self._sure_columns(way)
            case _:
                return action.columns(view, facts, way.kind, _context(way), self._fixes)

    def take(self, name: str, way: Walk, chances: Floats) -> None:
        """Note what the stage answered."""
        match name:
            case "kind":
                self._set_kind(way, chances)
            case "alone":
                self._set_alone(way, chances)
            case "alone_level":
                way.own = Evidence(_own(way).category, _own(way).team, chances[0])
            case "join":
                self._set_joins(way, chances)
            case "place":
                self._set_place(way, chances)
            case "category":
                way.category = chances
            case "owner":
                way.team = chances
            case "priority":
                way.level = chances[0]
            case "action":
                way.action = chances
            case _:
                way.sure = sure.blended(way.raw, float(chances[0]))

    def chances(self, name: str, columns: Columns) -> Floats:
        """The stage's answer to its columns; fails loudly when it was fitted on others."""
        stage = self.stages[name]
        if name not in self._checked:
            must_match(stage, columns.names, name)
            self._checked.add(name)
        return stage.chances(columns.rows())

    def _set_kind(self, way: Walk, chances: Floats) -> None:
        way.kind = chances[0]
        message = way.facts.message
        if way.facts.machine:
            # A machine never adds to an earlier report of its own in words; its identity does that.
            way.kind = _without(way.kind, "followup")
        elif message.reply_to is not None:
            rest = _without(way.kind, "followup") * (1 - REPLY_IS_FOLLOWUP)
            rest[CLASSES.index("followup")] = REPLY_IS_FOLLOWUP
            way.kind = rest

    def _set_alone(self, way: Walk, chances: Floats) -> None:
        way.own = Evidence(chances, owner.by_category(self.view, chances), np.full(len(LEVELS), 1 / len(LEVELS)))

    def _join_columns(self, way: Walk) -> Columns:
        way.views = tuple(way.show(ticket) for ticket in way.tickets)
        way.bench = Bench(way.views)
        way.join_view = join.columns(self.view, way.facts, _own(way), way.kind, way.bench, way.at, self._themes)
        chars = way.bench.best(way.join_view.likeness.chars)
        way.vetoes = tuple(
            join.vetoes(way.facts, way.kind, ticket, float(like)) for ticket, like in zip(way.views, chars, strict=True)
        )
        way.keyed = find_keyed(way.facts.message, way.tickets, way.at)
        return way.join_view.columns

    def _set_joins(self, way: Walk, chances: Floats) -> None:
        factor = np.array([1.0 if veto is None else VETO_FACTOR for veto in way.vetoes])
        way.joins = chances * factor if len(chances) else chances

    def _place_columns(self, way: Walk) -> Columns:
        best = way.join_view.mixed if way.join_view is not None else np.zeros(0)
        return place.columns(way.facts, way.recall, way.kind, way.joins, way.views, best)

    def _set_place(self, way: Walk, chances: Floats) -> None:
        categories, teams = len(self.view.categories.keys), len(self.view.teams.keys)
        noise = float(way.kind[CLASSES.index("noise")])
        if way.keyed is not None:
            way.place = np.array([1 - place.KEYED_CHANCE, place.KEYED_CHANCE, 0.0])
            way.context = place.keyed(way.views, way.keyed)
            way.way, way.chosen, way.place_chance = "key", way.keyed, place.KEYED_CHANCE
            return
        way.place = chances[0] if len(way.views) else np.array([1.0, 0.0, 0.0])
        way.context = place.likely(way.views, way.joins, float(way.place[0]), categories, teams)
        if noise >= max(way.kind[:-1]):
            way.way, way.place_chance = "noise", noise
        elif len(way.views) and way.place[1] >= way.place[0] and way.vetoes[int(way.joins.argmax())] is None:
            way.way, way.chosen, way.place_chance = "join", int(way.joins.argmax()), float(way.place[1])
        else:
            way.way, way.place_chance = "new", float(way.place[0])

    def _category_columns(self, way: Walk) -> Columns:
        put = category.columns(self.view, way.facts, way.recall, way.kind, self._themes)
        context = _context(way)
        category.add_context(put, _own(way).category, context.category, context.joined)
        return put

    def _sure_columns(self, way: Walk) -> Columns:
        parts = [way.category.max(), way.team.max(), way.place_chance]
        if not way.facts.message.resolved:
            parts.append(way.level.max())
        way.raw = way.place_chance if way.way == "noise" else float(np.prod(parts))
        return sure.columns(
            way.facts,
            way.recall,
            way.kind,
            way.category,
            way.team,
            way.level,
            way.place_chance,
            way.way,
            _context(way),
            _own(way).category,
            way.raw,
            way.burst,
        )


def find_keyed(message: Message, tickets: Sequence[OpenTicket], at: datetime) -> int | None:
    """The index of the ticket that a thread or a machine's identity names, or None; of several the latest."""
    found: tuple[datetime, int] | None = None
    for index, ticket in enumerate(tickets):
        for member in ticket.members:
            if message.reply_to is not None and member.id == message.reply_to:
                return index
            if message.identity is None or member.identity != message.identity:
                continue
            age_h = (at - max(m.at for m in ticket.members if m.identity == message.identity)).total_seconds() / 3600
            if age_h <= (IDENTITY_OVER_H if ticket.over else IDENTITY_OPEN_H) and (
                found is None or found[0] < member.at
            ):
                found = (member.at, index)
    return found[1] if found else None


def _without(chances: Floats, name: str) -> Floats:
    kept = chances.copy()
    kept[CLASSES.index(name)] = 0
    result: Floats = kept / kept.sum()
    return result


def _own(way: Walk) -> Evidence:
    if way.own is None:
        raise RuntimeError("the stage alone has not been walked")
    return way.own


def _context(way: Walk) -> Context:
    if way.context is None:
        raise RuntimeError("the stage place has not been walked")
    return way.context


__all__ = ["STAGES", "Message", "Walk", "Walker", "find_keyed"]
