"""What can be said of one message alone: its words, meaning, patterns, names and signals; a pure function."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from quell.core.company import Company
from quell.core.reading import Message
from quell.ml import patterns
from quell.ml.entities import Entities, Gazetteer
from quell.ml.kernel import Seen
from quell.ml.knowledge import Meaning

CHANNELS = ("email", "slack", "whatsapp", "portal", "device_agent")
DEVICE_KINDS = ("laptop", "desktop", "server", "printer", "network", "phone", "kiosk")
HUMAN_CHANNELS = frozenset({"email", "slack", "whatsapp", "portal", "teams", "sms", "phone", "api"})
SEVERITIES = {
    5: ("disaster", "critical", "crit", "emergency", "fatal", "p1", "sev1", "page", "down", "alert"),
    4: ("high", "error", "err", "major", "p2", "sev2"),
    3: ("average", "warning", "warn", "medium", "moderate", "p3", "sev3", "degraded"),
    2: ("minor", "low", "p4", "sev4"),
    1: ("info", "information", "informational", "notice", "ok", "none", "debug", "p5"),
}
_SEVERITY = {word: level for level, words in SEVERITIES.items() for word in words}
NO_CRITICALITY = 4.5
SIGNAL_NAMES = (
    "machine",
    "severity",
    "criticality",
    "criticality_named",
    "vip",
    "outside",
    "weekday",
    "night",
    "length",
    "no_subject",
    "shouting",
    "exclaims",
    "answer_mark",
    "stranger",
    "has_device",
    "own_device",
    "site_known",
    "names_service",
    "names_site",
    "names_host",
    "many_hosts",
    "staging",
    "numbers",
    *(f"channel_{name}" for name in CHANNELS),
    *(f"device_{name}" for name in DEVICE_KINDS),
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Facts:
    """One message with everything that needs no state; `signals` follow SIGNAL_NAMES, `hits` patterns.NAMES."""

    message: Message
    seen: Seen
    meaning: Meaning
    hits: Floats
    entities: Entities
    signals: Floats
    severity: float
    criticality: float
    machine: bool


def is_machine(message: Message) -> bool:
    """A machine has no sender or speaks on a channel where no person does."""
    return message.channel not in HUMAN_CHANNELS or (message.sender is None and bool(message.labels))


def severity_of(message: Message) -> float:
    """0 (none said) to 5 (critical), from the labels that monitoring tools use."""
    for name in ("severity", "priority", "level", "urgency", "SEVERITY", "state"):
        level = _SEVERITY.get(message.labels.get(name, "").lower())
        if level is not None:
            return float(level)
    return 0.0


def gather(
    message: Message,
    seen: Seen,
    meaning: Meaning,
    company: Company,
    gazetteer: Gazetteer,
    criticalities: dict[str, int],
) -> Facts:
    """Put the facts of one message together."""
    entities = gazetteer.find(message)
    machine = is_machine(message)
    named = [criticalities[key] for key in (entities.label_services or entities.services) if key in criticalities]
    criticality = float(min(named)) if named else NO_CRITICALITY
    severity = severity_of(message)
    person = gazetteer.people.get((message.sender or "").lower())
    device = gazetteer.hosts.get((message.device or "").lower())
    local = message.at.astimezone(ZoneInfo(company.timezone))
    letters = [c for c in message.text if c.isalpha()]
    values = [
        machine,
        severity / 5,
        criticality / 4,
        bool(named),
        person is not None and person.vip,
        not _open(company, local.strftime("%a").lower()[:3], local.strftime("%H:%M")),
        local.weekday() < 5,
        local.hour < 6 or local.hour >= 22,
        np.log1p(len(seen.text)) / 7,
        message.subject is None,
        sum(c.isupper() for c in letters) / max(1, len(letters)),
        min(3, message.text.count("!")) / 3,
        (message.subject or "").lower().startswith(("re:", "aw:", "antw:", "sv:", "fw", "wg:", "tr:")),
        not machine and person is None,
        message.device is not None,
        device is not None and device.owner_email is not None,
        entities.sender_site is not None,
        bool(entities.services or entities.label_services),
        bool(entities.sites or entities.label_sites),
        bool(entities.hosts),
        min(3, len(entities.hosts)) / 3,
        entities.staging,
        min(3, len(entities.numbers)) / 3,
        *(message.channel == name for name in CHANNELS),
        *(device is not None and device.kind == kind for kind in DEVICE_KINDS),
    ]
    return Facts(
        message,
        seen,
        meaning,
        patterns.hits(seen.text),
        entities,
        np.array(values, np.float32),
        severity,
        criticality,
        machine,
    )


def _open(company: Company, day: str, clock: str) -> bool:
    return any(start <= clock < end for start, end in company.business_hours.get(day, ()))
