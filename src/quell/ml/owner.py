"""Columns for the team that owns the work: by category, by context, by memory, and by who has hands at that place."""

import re

import numpy as np
from numpy.typing import NDArray

from quell.ml import patterns
from quell.ml.category import Themes
from quell.ml.companyview import CompanyView
from quell.ml.facts import Facts
from quell.ml.memory import Recall
from quell.ml.place import Context
from quell.ml.ridge import softmax
from quell.ml.stage import Columns

FLOOR = 1e-3
RIDGE_HEAT = 6.0
HANDS = re.compile(
    r"\b(hands?|touch\w*|whatever|swap\w*|on[- ]site|field|mains|physically|screwdrivers?|carr(y|ies)|plug\w*)\b",
    re.I,
)
BREAKAGE = re.compile(
    r"\b(broken?|cracked|smell\w*|burnt|cable|plug|socket|screen|keyboard|mouse|dock|headset|printer|paper|jam\w*"
    r"|replace\w*|swap\w*|battery|fan|noise|dead|wont turn on|port|kabel|scherm|bildschirm|drucker"
    r"|écran|câble|imprimante|pantalla|tela|skjerm|kaputt|stuk|cass[ée]\w*|roto|quebrad\w*|ødelagt)\b",
    re.I,
)

Floats = NDArray[np.float64]


def by_category(view: CompanyView, category: Floats) -> Floats:
    """The chance of each team as the usual owner of the likely categories, shape (teams,)."""
    total = np.zeros(len(view.teams.keys))
    known = view.team_of >= 0
    np.add.at(total, view.team_of[known], category[known])
    return total


def columns(
    view: CompanyView, facts: Facts, recall: Recall, kind: Floats, category: Floats, context: Context, themes: Themes
) -> Columns:
    """One row a team."""
    count = len(view.teams.keys)
    put = Columns(count)
    share = by_category(view, category)
    put.put("share", share)
    put.put("share_log", np.log(share + FLOOR))
    put.put("share_gap", share - share.max())
    like = view.teams.texts.likeness(facts.seen)
    put.put("text_vector", like.vectors - like.vectors.mean())
    put.put("text_words", like.words)
    put.put("text_chars", like.chars - like.chars.mean())
    turned = view.adapted("team", facts.seen)
    put.put("adapted", turned - turned.mean())
    put.put("memory", recall.team)
    put.put("memory_log", np.log(softmax(recall.team, RIDGE_HEAT) + FLOOR))
    put.put("memory_gap", recall.team - recall.team.max())
    put.put("context", context.joined * context.team)
    put.put("context_log", np.log(context.joined * context.team + FLOOR))
    put.put("mixture_log", np.log((1 - context.joined) * share + context.joined * context.team + FLOOR))
    _by_place(put, view, facts, themes)
    return put


def _by_place(put: Columns, view: CompanyView, facts: Facts, themes: Themes) -> None:
    count = len(view.teams.keys)
    texts = [f"{team.name}. {team.handles}" for team in view.company.teams]
    hands = np.array([bool(HANDS.search(text)) for text in texts], np.float64)
    owns_none = np.array([not (view.team_of == index).any() for index in range(count)], np.float64)
    names = facts.entities
    sites = names.sites | names.label_sites
    said = np.array([bool(sites & own) for own in view.team_sites], np.float64)
    stands = np.array([names.sender_site in own for own in view.team_sites], np.float64)
    physical = float(facts.meaning.intents @ themes.physical)
    breakage = float(bool(BREAKAGE.search(facts.seen.text)))
    one = float(facts.hits[_ONE])
    put.put("hands", hands)
    put.put("owns_none", owns_none)
    put.put("site_said", said)
    put.put("site_sender", stands)
    for name, site in (("said", said), ("sender", stands)):
        put.put(f"hands_{name}", hands * site)
        put.put(f"none_{name}", owns_none * site)
        put.put(f"none_{name}_physical", owns_none * site * physical)
        put.put(f"none_{name}_breakage", owns_none * site * breakage)
        put.put(f"none_{name}_one", owns_none * site * one)
        put.put(f"none_{name}_agent", owns_none * site * float(facts.message.channel == "device_agent"))
    put.put("physical", physical)
    put.put("breakage", breakage)
    put.put("machine", facts.machine)


_ONE = patterns.NAMES.index("one_thing")
