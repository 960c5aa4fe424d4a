"""Alertmanager's webhook, version 4: each alert of a group is its own problem, named by its fingerprint."""

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quell.channels._clean import labels_of, one_line, storable
from quell.channels._json import Object, flat, inner, listed, moment, read_object, text_at
from quell.channels._secret import MACHINE_SETTINGS, check_machine
from quell.core.errors import Refused
from quell.core.incoming import Answer, Hook, Incoming, Receipt, Said, Sent
from quell.seams import Channel, Setting

ALERTS_MAX = 2_000
TEXT_CHARS_MAX = 20_000
SAME_DELIVERY_S = 60

HOST_LABELS = ("hostname", "host", "nodename", "node", "instance")
_PORT = re.compile(r":\d{1,5}$")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Alertmanager:
    """One webhook of Alertmanager (or of anything that speaks its version 4)."""

    name: str = "alertmanager"
    settings: tuple[Setting, ...] = MACHINE_SETTINGS

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """The secret first, then the shape; the delivery's key is the digest of the states that it tells.

        A second try within a minute is the same delivery. The same states later are a repeat, which must be heard: the
        alert may have been taken for resolved in between.
        """
        check_machine(hook, settings)
        body = read_object(hook.body)
        if not isinstance(body.get("alerts"), list):
            raise Refused("The body has no list of alerts.", 400, "no_alerts")
        states = sorted(_state(alert) for alert in _alerts(body))
        return Receipt(_delivery_key(body, states, at) if states else None, body=b'{"status":"ok"}')

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """One message an alert, with that alert's own status and not the group's."""
        body = read_object(hook.body)
        notes = _group_notes(body)
        return tuple(_incoming(alert, notes) for alert in _alerts(body))

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """Nobody listens at the other end of an alert."""
        raise Refused("An alert cannot be answered.", 400, "no_way_back")


def host_of(labels: Mapping[str, str]) -> str | None:
    """The machine that an alert is about, from its labels: no port, and no bare address, which names no machine."""
    for key in HOST_LABELS:
        host = _PORT.sub("", _SCHEME.sub("", labels.get(key, "").strip()).split("/")[0])
        if host and not _is_address(host) and host.lower() != "localhost":
            return one_line(host, 255)
    return None


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """A name of our own for an alert that brings none: its labels decide, in any order."""
    words = "\x1f".join(f"{key}\x1e{labels[key]}" for key in sorted(labels))
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _alerts(body: Object) -> list[Object]:
    return [each for each in listed(body, "alerts")[:ALERTS_MAX] if isinstance(each, Mapping)]


def _identity(alert: Object) -> str:
    return one_line(text_at(alert, "fingerprint"), 200) or fingerprint_of(flat(inner(alert, "labels")))


def _resolved(alert: Object) -> bool:
    return text_at(alert, "status").lower() == "resolved"


def _state(alert: Object) -> str:
    """One alert's state, named: a repeat has the same name, a later firing or the resolve another."""
    status = "resolved" if _resolved(alert) else "firing"
    return f"{_identity(alert)}:{one_line(text_at(alert, 'startsAt'), 64)}:{status}"


def _delivery_key(body: Object, states: list[str], at: datetime) -> str:
    minute = str(int(at.timestamp()) // SAME_DELIVERY_S)
    words = "\n".join([minute, text_at(body, "groupKey"), text_at(body, "truncatedAlerts"), *states])
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def _group_notes(body: Object) -> tuple[str, ...]:
    left_out = text_at(body, "truncatedAlerts")
    if left_out in ("", "0"):
        return ()
    return (f"Alertmanager left {one_line(left_out, 20)} more alerts of this group out; nothing is known about them.",)


def _incoming(alert: Object, notes: tuple[str, ...]) -> Incoming:
    labels = labels_of(flat(inner(alert, "labels")))
    words = {key: storable(value) for key, value in flat(inner(alert, "annotations")).items()}
    identity, over = _identity(alert), _resolved(alert)
    device = host_of(labels)
    return Incoming(
        source_key=storable(_state(alert)),
        said=Said.RESOLVED if over else Said.FIRING,
        subject=_subject(labels, device),
        text=_text(labels, words),
        full_text=_full_text(labels, words, alert),
        device=device,
        labels={**labels, "fingerprint": identity, "status": "resolved" if over else "firing"},
        identity=identity,
        at=moment(text_at(alert, "endsAt" if over else "startsAt")),
        notes=notes,
        organisation=labels.get("organisation") or None,
    )


def _subject(labels: Mapping[str, str], device: str | None) -> str:
    what = labels.get("alertname") or "Alert without a name"
    where = device or labels.get("instance") or labels.get("service") or labels.get("site")
    return one_line(f"{what} on {where}" if where else what)


def _text(labels: Mapping[str, str], words: Mapping[str, str]) -> str:
    """What the rule's author wrote for a reader; where nothing was written, the labels must speak."""
    lines = [words[key] for key in ("summary", "title", "description", "message") if words.get(key)]
    text = "\n".join(dict.fromkeys(lines)) or " ".join(f"{key}={value}" for key, value in labels.items())
    return text[:TEXT_CHARS_MAX]


def _full_text(labels: Mapping[str, str], words: Mapping[str, str], alert: Object) -> str:
    rows = [f"{key}: {value}" for key, value in words.items()]
    rows += [f"{key} = {value}" for key, value in labels.items()]
    source = text_at(alert, "generatorURL")
    rows += [f"source: {storable(source)}"] if source else []
    return "\n".join(rows)[:TEXT_CHARS_MAX]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


CHANNEL: Channel = Alertmanager()
