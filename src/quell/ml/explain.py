"""The walk as a reading: each field's proposal with its chance, and reasons in words that a technician can check."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quell.core.company import LEVELS
from quell.core.reading import JoinOption, Kind, Proposal, Reading, Reason
from quell.ml.companyview import CompanyView
from quell.ml.kind import CLASSES
from quell.ml.knowledge import IMPACTS, URGENCIES, Knowledge
from quell.ml.memory import Memory
from quell.ml.text import tokens
from quell.ml.ticketview import TicketView
from quell.ml.walk import Walk

RANKED_MAX, JOINS_MAX, REASONS_MAX = 3, 5, 4
WORD_CASES_MIN, WORD_LETTERS_MIN = 2, 3
LIKE_CASE_MIN = 0.35
INTENT_MIN = 0.25
# The levels, by their place in P1 to P4, that a reading of impact or urgency speaks for; for others it speaks against.
LEVELS_OF_IMPACT = {"one": (2, 3), "few": (1, 2, 3), "site": (0, 1), "all": (0, 1)}
LEVELS_OF_URGENCY = {"low": (2, 3), "medium": (1, 2), "high": (0, 1, 2)}
# The written examples know no team between a few people and a site.
REACHES = {"one": "one", "few": "few", "site": "site", "all": "company"}

Floats = NDArray[np.float64]


def reading(way: Walk, view: CompanyView, memory: Memory, knowledge: Knowledge, name: str, version: str) -> Reading:
    """Everything that was proposed, with reasons."""
    place = way.views[way.chosen].ticket.number if way.chosen is not None else None
    category = _proposal(
        "category", view.categories.keys, way.category, _category_reasons(way, view, memory, knowledge)
    )
    return Reading(
        kind=_kind(way),
        category=category,
        owner=_proposal("owner", view.teams.keys, way.team, _owner_reasons(way, view)),
        priority=_proposal("priority", LEVELS, way.level, _priority_reasons(way, view)),
        place=place,
        place_confidence=round(way.place_chance, 4),
        joins=_joins(way, view),
        sure=round(way.sure, 4),
        impact=REACHES[IMPACTS[int(way.facts.meaning.impact.argmax())]],
        urgency=URGENCIES[int(way.facts.meaning.urgency.argmax())],
        model=name,
        version=version,
        action=_action(way, view, knowledge),
    )


def _proposal(field: str, keys: Sequence[str], chances: Floats, reasons: list[Reason]) -> Proposal:
    order = np.argsort(-chances, kind="stable")[:RANKED_MAX]
    ranked = tuple((keys[i], round(float(chances[i]), 4)) for i in order)
    value, confidence = ranked[0] if ranked else (None, 0.0)
    # What speaks for the answer comes first, the strongest first; what speaks against it is not left out.
    strongest = sorted(sorted(reasons, key=lambda r: -abs(r.weight))[:REASONS_MAX], key=lambda r: -r.weight)
    return Proposal(field, value, confidence, tuple(strongest), ranked)


def _kind(way: Walk) -> Proposal:
    if way.facts.message.resolved:
        return Proposal(
            "kind", "resolved", 1.0, (Reason("the machine says that it is over", 100, "status"),), (("resolved", 1.0),)
        )
    reasons = []
    if way.facts.message.reply_to is not None:
        reasons.append(Reason("answers an earlier message of the same thread", 90, "thread"))
    kinds: tuple[Kind, ...] = ("incident", "request", "question", "followup", "noise")
    assert kinds == CLASSES
    return _proposal("kind", kinds, way.kind, reasons)


def _action(way: Walk, view: CompanyView, knowledge: Knowledge) -> Proposal | None:
    """The allowed fix that is likelier than every other and than none; None when no fix is likely."""
    best = int(way.action.argmax())
    if best >= len(view.actions.keys):
        return None
    key = view.actions.keys[best]
    share = sum(p for p, i in zip(way.facts.meaning.intents, knowledge.intents, strict=True) if i.get("fix") == key)
    reasons = []
    if share > 0.05:
        reasons.append(Reason("it reads like what this fix usually solves", _points(float(share)), "day-0 knowledge"))
    reasons.append(Reason(f"the company allows it for: {view.company.actions[best].description[:80]}", 10, "company"))
    return _proposal("action", (*view.actions.keys, ""), way.action, reasons)


def _category_reasons(way: Walk, view: CompanyView, memory: Memory, knowledge: Knowledge) -> list[Reason]:
    best = int(way.category.argmax())
    reasons = []
    context = way.context
    if context is not None and context.joined * context.category[best] > 0.1:
        number = way.views[int(context.chances.argmax())].ticket.number
        reasons.append(
            Reason(
                f"the ticket that it likely belongs to ({number}) has this category",
                _points(context.joined * context.category[best]),
                "ticket",
            )
        )
    reasons += _word_reasons(way, memory, view.categories.keys[best])
    case = way.recall.best_case
    if (
        case >= 0
        and way.recall.best > LIKE_CASE_MIN
        and memory.cases[case].correction.category == view.categories.keys[best]
    ):
        # Not its title: that is another person's words, and a reason outlives them in the log.
        says = "much like an earlier report, which a person put here"
        reasons.append(Reason(says, _points(way.recall.best), "solved ticket"))
    reasons += _service_reasons(way, view, best)
    top = int(way.facts.meaning.intents.argmax())
    if way.facts.meaning.intents[top] > INTENT_MIN:
        reasons.append(
            Reason(
                f"reads as \u201c{knowledge.intents[top]['name']}\u201d",
                _points(float(way.facts.meaning.intents[top]) * 0.5),
                "day-0 knowledge",
            )
        )
    shared = sorted(set(_long(way.facts.seen.text)) & set(_long(_category_text(view, best))))
    if shared:
        quoted = ", ".join(f"'{word}'" for word in shared[:3])
        says = f"{quoted} stands in the category's own description"
        reasons.append(Reason(says, 10.0 * len(shared[:3]), "description"))
    if not reasons:
        said = view.company.categories[best].description or view.company.categories[best].name
        nearest = f"nearest in meaning to what the company says of it: \u201c{said[:80]}\u201d"
        reasons.append(Reason(nearest, _points(float(way.category[best]) * 0.5), "description"))
    return reasons


def _word_reasons(way: Walk, memory: Memory, key: str) -> list[Reason]:
    """The words that most set this category's corrected messages apart from the others'."""
    inside = [set(_long(c.facts.seen.text)) for c in memory.cases if c.correction.category == key]
    outside = [set(_long(c.facts.seen.text)) for c in memory.cases if c.correction.category not in (None, key)]
    scored = []
    for word in set(_long(way.facts.seen.text)):
        own, other = sum(word in words for words in inside), sum(word in words for words in outside)
        if own >= WORD_CASES_MIN:
            rate, otherwise = own / len(inside), (other + 0.5) / (len(outside) + 1)
            scored.append((rate * np.log(rate / otherwise), word, own))
    scored.sort(key=lambda each: (-each[0], each[1]))
    return [
        Reason(f"'{word}' is in {own} corrected messages of this category", _points(min(1.0, lift / 3)), "words")
        for lift, word, own in scored[:2]
        if lift > 0
    ]


def _service_reasons(way: Walk, view: CompanyView, best: int) -> list[Reason]:
    reasons = []
    names = way.facts.entities
    for key in sorted(names.label_services | names.services):
        index = view.services.get(key)
        if index is None:
            continue
        share = float(view.service_to_category[index][best])
        said = names.spans.get(key, key)
        if share > 0.1:
            reasons.append(
                Reason(
                    f"names the service {view.company.services[index].name} ('{said}')", _points(share * 0.6), "service"
                )
            )
    return reasons


def _owner_reasons(way: Walk, view: CompanyView) -> list[Reason]:
    best = int(way.team.argmax())
    category = int(way.category.argmax())
    reasons = []
    if view.team_of[category] == best:
        reasons.append(
            Reason(
                f"usually owns {view.company.categories[category].name}",
                _points(float(way.category[category])),
                "category",
            )
        )
    context = way.context
    if context is not None and context.joined * context.team[best] > 0.1:
        reasons.append(
            Reason("owns the ticket that it likely belongs to", _points(context.joined * context.team[best]), "ticket")
        )
    if way.recall.team[best] > 0.2:
        reasons.append(
            Reason(
                "was named by people for messages like this",
                _points(min(1.0, float(way.recall.team[best]))),
                "solved ticket",
            )
        )
    site = way.facts.entities.sender_site
    if site in view.team_sites[best]:
        reasons.append(Reason(f"works at the site {site}", 15, "site"))
    return reasons


def _priority_reasons(way: Walk, view: CompanyView) -> list[Reason]:
    facts = way.facts
    meaning = facts.meaning
    impact, urgency = int(meaning.impact.argmax()), int(meaning.urgency.argmax())
    reach = {"one": "one person or device", "few": "a few people", "site": "a whole site", "all": "everybody"}[
        IMPACTS[impact]
    ]
    press = {"low": "it can wait", "medium": "work is hindered", "high": "work stands still"}[URGENCIES[urgency]]
    level = int(way.level.argmax())
    reasons = [
        Reason(
            f"reads as concerning {reach}",
            _speaks(level in LEVELS_OF_IMPACT[IMPACTS[impact]], float(meaning.impact[impact]) * 0.6),
            "impact",
        ),
        Reason(
            f"reads as: {press}",
            _speaks(level in LEVELS_OF_URGENCY[URGENCIES[urgency]], float(meaning.urgency[urgency]) * 0.6),
            "urgency",
        ),
    ]
    for key in sorted(facts.entities.label_services | facts.entities.services):
        index = view.services.get(key)
        if index is not None:
            service = view.company.services[index]
            reasons.append(
                Reason(
                    f"names service {service.name}, criticality {service.criticality}",
                    40 / service.criticality,
                    "service",
                )
            )
    if facts.severity:
        reasons.append(
            Reason(f"the machine calls it {_severity_word(facts.message.labels)}", 8 * facts.severity, "severity")
        )
    context = way.context
    if context is not None and context.joined > 0.3 and len(way.views):
        likely = way.views[int(context.chances.argmax())]
        count = "1 report" if len(likely.members) == 1 else f"{len(likely.members)} reports"
        stands = f" and stands at {likely.ticket.priority}" if likely.ticket.priority else ""
        says = f"its likely ticket {likely.ticket.number} has {count}{stands}"
        agrees = likely.ticket.priority in (None, LEVELS[level])
        reasons.append(Reason(says, _speaks(agrees, context.joined * 0.7), "ticket"))
    return reasons


def _speaks(for_it: bool, share: float) -> float:
    """Points for the answer, or against it."""
    return _points(share) if for_it else -_points(share)


def _joins(way: Walk, view: CompanyView) -> tuple[JoinOption, ...]:
    if not len(way.joins):
        return ()
    chances = way.joins.copy()
    if way.keyed is not None:
        chances = way.context.chances if way.context is not None else chances
    order = np.argsort(-chances, kind="stable")[:JOINS_MAX]
    return tuple(
        JoinOption(
            way.views[i].ticket.number,
            round(float(chances[i]), 4),
            _join_reasons(way, view, int(i)),
            None if way.keyed == i else way.vetoes[i],
        )
        for i in order
        if chances[i] > 0.01
    )


def _join_reasons(way: Walk, view: CompanyView, index: int) -> tuple[Reason, ...]:
    ticket, names, facts = way.views[index], way.facts.entities, way.facts
    reasons: list[Reason] = []
    if way.keyed == index:
        by_thread = facts.message.reply_to is not None and any(
            m.message.id == facts.message.reply_to for m in ticket.members
        )
        reasons.append(Reason("answers in the same thread" if by_thread else "the same alert identity", 95, "key"))
    minutes = round((facts.message.at - ticket.last_at).total_seconds() / 60)
    same = [
        word
        for word, shared in (
            ("site", (names.sites | names.label_sites | _own(names.sender_site)) & ticket.sites),
            ("service", (names.services | names.label_services) & ticket.services),
            ("host", names.hosts & ticket.hosts),
        )
        if shared
    ]
    when = f"{minutes} minutes apart" if minutes < 120 else f"{minutes // 60} hours apart"
    reasons.append(
        Reason(
            f"same {' and '.join(same)}, {when}" if same else when,
            25.0 * len(same) + max(0, 20 - minutes / 6),
            "place and time",
        )
    )
    if way.join_view is not None:
        reasons.append(
            Reason(
                f"{round(100 * float(way.join_view.mixed[index]) / 1.4)} % alike in words and meaning",
                _points(float(way.join_view.mixed[index]) / 1.4),
                "meaning",
            )
        )
    if way.vetoes[index] is not None and way.keyed != index:
        reasons.append(Reason(f"forbidden: {way.vetoes[index]}", -100, "rule"))
    if facts.message.sender in ticket.senders:
        reasons.append(Reason("the same person reported here before", 20, "sender"))
    return tuple(sorted(reasons, key=lambda r: -abs(r.weight))[:REASONS_MAX])


def _category_text(view: CompanyView, index: int) -> str:
    category = view.company.categories[index]
    return f"{category.name} {category.description}"


def _long(text: str) -> list[str]:
    return [word for word in tokens(text) if len(word) > WORD_LETTERS_MIN]


def _own(site: str | None) -> frozenset[str]:
    return frozenset({site} if site else ())


def _severity_word(labels: "object") -> str:
    return str(labels.get("severity") or labels.get("priority") or labels.get("level") or "severe")  # type: ignore[attr-defined]


def _points(chance: float) -> float:
    return round(100 * float(chance), 1)


__all__ = ["TicketView", "reading"]
