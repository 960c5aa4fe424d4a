"""Columns for the match of one message with each category: it reads descriptions and never sees a category's key."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quell.ml.adapter import HEAT
from quell.ml.companyview import ANCHORS, CompanyView
from quell.ml.facts import Facts
from quell.ml.knowledge import Knowledge
from quell.ml.memory import Recall
from quell.ml.ridge import softmax
from quell.ml.stage import Columns

FLOOR = 1e-3
MEMORY_HEAT = 6.0
SERVICE_HEAT = 14.0
ANCHOR = {name: index for index, (name, _) in enumerate(ANCHORS)}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Themes:
    """Which intents speak of how-to, rights, security and things that one can touch; each of shape (intents,)."""

    how_to: NDArray[np.float32]
    rights: NDArray[np.float32]
    security: NDArray[np.float32]
    physical: NDArray[np.float32]
    order: NDArray[np.float32]

    @classmethod
    def of(cls, knowledge: Knowledge) -> "Themes":
        """Read off the intents' keys."""
        keys = [str(intent["key"]) for intent in knowledge.intents]

        def mark(*starts: str) -> NDArray[np.float32]:
            return np.array([key.startswith(starts) for key in keys], np.float32)

        return cls(
            mark("service.how_to"),
            mark("access.", "request.joiner", "request.leaver"),
            mark("security.", "sec.", "auth."),
            mark("hardware.", "print.", "facilities.", "device.battery", "network.wired"),
            mark("request.", "software."),
        )


def columns(view: CompanyView, facts: Facts, recall: Recall, kind: Floats, themes: Themes) -> Columns:
    """One row a category; `kind` holds the chances of kind.CLASSES."""
    options = view.categories
    put = Columns(len(options.keys))
    _described(put, view, facts)
    _carried(put, view, facts)
    _natures(put, view, facts, kind, themes)
    _remembered(put, recall)
    for index, name in enumerate(("incident", "request", "question")):
        put.put(f"kind_{name}", float(kind[index]))
    put.put("machine", facts.machine)
    return put


def add_context(put: Columns, alone: Floats, context: Floats, joined: float) -> None:
    """What the likely tickets are: `context` is their category mix (sums to 1 or is zero), `joined` its chance."""
    put.put("alone", alone)
    put.put("alone_log", np.log(alone + FLOOR))
    put.put("alone_gap", alone - alone.max())
    put.put("context", joined * context)
    put.put("context_log", np.log(joined * context + FLOOR))
    put.put("mixture_log", np.log((1 - joined) * alone + joined * context + FLOOR))
    put.put("joined", joined)


def _described(put: Columns, view: CompanyView, facts: Facts) -> None:
    like = view.categories.texts.likeness(facts.seen)
    pieces = view.categories.clauses.likeness(facts.seen)
    teams = view.teams.texts.likeness(facts.seen)
    put.put("text_vector", _centred(like.vectors))
    put.put("text_words", like.words)
    put.put("text_chars", _centred(like.chars))
    put.put("clause_vector", _centred(view.categories.best_clause(pieces.vectors)))
    put.put("clause_words", view.categories.best_clause(pieces.words))
    put.put("clause_chars", _centred(view.categories.best_clause(pieces.chars)))
    put.put("clause_gap", _gap(view.categories.best_clause(pieces.vectors)))
    team = np.where(view.team_of >= 0, teams.vectors[view.team_of], 0)
    put.put("team_vector", _centred(team))
    put.put("team_words", np.where(view.team_of >= 0, teams.words[view.team_of], 0))
    first = view.first_guess(facts.seen)
    turned = view.adapted("category", facts.seen)
    put.put("adapted", _centred(turned))
    put.put("adapted_log", np.log(softmax(turned, HEAT) + FLOOR))
    put.put("adapted_gap", _gap(turned))
    put.put("first", first)
    put.put("first_log", np.log(first + FLOOR))
    put.put("first_gap", _gap(np.log(first + FLOOR)))


def _carried(put: Columns, view: CompanyView, facts: Facts) -> None:
    count = len(view.categories.keys)
    carried = (
        facts.meaning.intents @ view.intent_to_category
        if view.intent_to_category is not None
        else np.full(count, 1 / count)
    )
    put.put("intent", carried)
    put.put("intent_log", np.log(carried + FLOOR))
    for name, keys in (("named", facts.entities.services), ("label", facts.entities.label_services)):
        at = [view.services[key] for key in keys if key in view.services]
        share = view.service_to_category[at].mean(axis=0) if at else np.full(count, 1 / count)
        put.put(f"service_{name}", np.log(share + 0.01))
        put.put(f"service_{name}_any", bool(at))
    near = view.service_texts.likeness(facts.seen)
    soft = (
        softmax(near.vectors, SERVICE_HEAT) @ view.service_to_category
        if len(near.vectors)
        else np.full(count, 1 / count)
    )
    put.put("service_soft", np.log(soft + 0.01))


def _natures(put: Columns, view: CompanyView, facts: Facts, kind: Floats, themes: Themes) -> None:
    anchors, intents = view.anchor_match, facts.meaning.intents
    put.put_all([f"nature_{name}" for name, _ in ANCHORS], anchors)
    how_to, rights, security, order, physical = (
        float(intents @ t) for t in (themes.how_to, themes.rights, themes.security, themes.order, themes.physical)
    )
    signals = dict(zip(("device_agent",), (facts.message.channel == "device_agent",), strict=True))
    server = facts.machine and not signals["device_agent"]
    device = view.gazetteer.hosts.get((facts.message.device or "").lower())
    device_kind = device.kind if device else ""
    products = (
        ("how_to_question", how_to, "question"),
        ("question_question", kind[2], "question"),
        ("request_order", kind[1], "order"),
        ("order_order", order, "order"),
        ("request_rights", kind[1], "rights"),
        ("rights_rights", rights, "rights"),
        ("rights_login", rights, "login"),
        ("security_security", security, "security"),
        ("attack_security", facts.hits[_ATTACK], "security"),
        ("agent_machine", signals["device_agent"], "machine"),
        ("laptop_machine", device_kind in ("laptop", "desktop"), "machine"),
        ("physical_machine", physical, "machine"),
        ("server_server", server, "server"),
        ("server_host", device_kind == "server", "server"),
        ("network_host", device_kind == "network", "network"),
        ("printer_host", device_kind == "printer", "print"),
        ("one_machine", facts.hits[_ONE], "machine"),
        ("server_app", server, "app"),
    )
    for name, value, anchor in products:
        put.put(name, float(value) * anchors[:, ANCHOR[anchor]])


def _remembered(put: Columns, recall: Recall) -> None:
    seen = recall.counts > 0
    put.put("memory", recall.category)
    put.put("memory_log", np.log(softmax(recall.category, MEMORY_HEAT) + FLOOR))
    put.put("memory_gap", _gap(recall.category))
    put.put("nearest", recall.nearest)
    put.put("nearest_gap", _gap(recall.nearest))
    put.put("nearest_square", recall.nearest**2)
    put.put("past_first", recall.first)
    put.put("past_first_log", np.log(recall.first + FLOOR))
    put.put("host_share", recall.host_share)
    put.put("count_log", np.log1p(recall.counts))
    put.put("none_yet", ~seen & (recall.cases > 0))
    put.put("recent_share", recall.recent_share)
    put.put("memory_count", recall.category * np.log1p(recall.cases))
    put.put("novelty", recall.novelty)


def _centred(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return values - values.mean() if len(values) else values


def _gap(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return values - values.max() if len(values) else values


def _index(name: str) -> int:
    from quell.ml.patterns import NAMES

    return NAMES.index(name)


_ATTACK, _ONE = _index("attack"), _index("one_thing")
