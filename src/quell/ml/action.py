"""Columns for the known fix that likely solves it: one row for each fix that the company allows, and one for none."""

import numpy as np
from numpy.typing import NDArray

from quell.ml import patterns
from quell.ml.companyview import CompanyView
from quell.ml.facts import DEVICE_KINDS, SIGNAL_NAMES, Facts
from quell.ml.kind import CLASSES
from quell.ml.knowledge import IMPACTS, Knowledge
from quell.ml.owner import BREAKAGE
from quell.ml.place import Context
from quell.ml.stage import Columns

KNOWN = (
    "flush_dns",
    "clear_cache",
    "restart_service",
    "free_disk_space",
    "kill_process",
    "sync_time",
    "restart_print_spooler",
    "remount_share",
    "reset_vpn_client",
    "renew_dhcp",
)
FLOOR = 1e-3
PATTERNS_USED = ("others_fine", "own_cause", "many", "one_thing", "single_case", "wish", "question", "late", "done")
DEVICE_SIGNALS = ("has_device", "own_device", "severity", "machine", *(f"device_{kind}" for kind in DEVICE_KINDS))

Floats = NDArray[np.float64]


def fixes_of_intents(knowledge: Knowledge, keys: tuple[str, ...]) -> NDArray[np.float32]:
    """One-hot over `keys` for each intent, by the fix that usually solves it; shape (intents, keys)."""
    rows = [[intent.get("fix") == key for key in keys] for intent in knowledge.intents]
    return np.array(rows, np.float32).reshape(len(knowledge.intents), len(keys))


def columns(view: CompanyView, facts: Facts, kind: Floats, context: Context, fixes: NDArray[np.float32]) -> Columns:
    """One row a fix, in the company's order; the last row stands for none of them."""
    keys = view.actions.keys
    count = len(keys) + 1
    put = Columns(count)
    none = np.zeros(count)
    none[-1] = 1
    share = facts.meaning.intents @ fixes if len(keys) else np.zeros(0)
    like = view.actions.texts.likeness(facts.seen)
    pieces = view.actions.clauses.likeness(facts.seen)
    put.put("none", none)
    put.put("share", _with_none(share))
    put.put("share_log", np.log(_with_none(share) + FLOOR))
    put.put("text_vector", _with_none(_centred(like.vectors)))
    put.put("text_chars", _with_none(_centred(like.chars)))
    put.put("text_words", _with_none(like.words))
    put.put("clause_vector", _with_none(_centred(view.actions.best_clause(pieces.vectors))))
    put.put("adapted", _with_none(_centred(view.adapted("action", facts.seen))))
    for name in KNOWN:
        put.put(f"is_{name}", _with_none(np.array([key == name for key in keys], np.float64)))
    best = float(share.max()) if len(share) else 0.0
    signals = {f"signal_{name}": float(facts.signals[SIGNAL_NAMES.index(name)]) for name in DEVICE_SIGNALS}
    says = {f"says_{name}": float(facts.hits[patterns.NAMES.index(name)]) for name in PATTERNS_USED}
    kinds = {f"kind_{name}": float(kind[index]) for index, name in enumerate(CLASSES)}
    reach = {f"impact_{name}": float(facts.meaning.impact[index]) for index, name in enumerate(IMPACTS)}
    rest = {
        "best": best,
        "joined": context.joined,
        "size": context.joined * context.size,
        "reporters": context.joined * context.reporters,
        "agent": float(facts.message.channel == "device_agent"),
        "breakage": float(bool(BREAKAGE.search(facts.seen.text))),
    }
    for name, value in (signals | says | kinds | reach | rest).items():
        put.put(name, value)
        put.put(f"none_{name}", none * value)
    return put


def _with_none(values: NDArray[np.floating]) -> Floats:
    return np.append(np.asarray(values, np.float64), 0.0)


def _centred(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return values - values.mean() if len(values) else values
