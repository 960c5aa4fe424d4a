"""What all channels of machines share: a problem with a stable name, its state, and the hook that tells it."""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from quell.channels._clean import labels_of, one_line, storable
from quell.channels._json import Object, read_object
from quell.channels._secret import MACHINE_SETTINGS, check_machine
from quell.core.errors import Refused
from quell.core.incoming import Answer, Hook, Incoming, Receipt, Said, Sent
from quell.seams import Setting

TEXT_CHARS_MAX = 20_000
KEY_CHARS_MAX = 300
SAME_DELIVERY_S = 60
HOST_LABELS = ("hostname", "host", "nodename", "node", "instance")

_PORT = re.compile(r":\d{1,5}$")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Alert:
    """One state of one problem: `identity` is the problem's name, `state` tells this state from its others."""

    identity: str
    over: bool
    subject: str
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    full_text: str = ""
    device: str | None = None
    at: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The state's name: a repeat has the same, a later firing or the resolve another."""
        return storable(f"{self.identity}:{self.state}:{'resolved' if self.over else 'firing'}"[: KEY_CHARS_MAX * 2])


def _check(hook: Hook, settings: Mapping[str, str], at: datetime) -> None:
    check_machine(hook, settings)


def _answers(body: Object) -> tuple[int, bytes]:
    return 200, b'{"status":"ok"}'


@dataclass(frozen=True)
class Machine:
    """A hook that a machine posts JSON to.

    `alerts` reads what it says and raises Refused when it is something else; `check` proves the sender; `answers` is
    the status and body that it is told.
    """

    name: str
    alerts: Callable[[Object], Sequence[Alert]]
    settings: tuple[Setting, ...] = MACHINE_SETTINGS
    check: Callable[[Hook, Mapping[str, str], datetime], None] = _check
    answers: Callable[[Object], tuple[int, bytes]] = _answers

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """The secret, then the shape; the delivery's key is the digest of the states that it tells.

        A second try within a minute is the same delivery. The same states later are a repeat, which must be heard: the
        problem may have been taken for solved in between.
        """
        self.check(hook, settings, at)
        body = read_object(hook.body)
        told = self.alerts(body)
        status, said = self.answers(body)
        return Receipt(_delivery_key(told, at) if told else None, status, said)

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """One message an alert."""
        return tuple(heard(each) for each in self.alerts(read_object(hook.body)))

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """Nobody listens at the other end of an alert."""
        raise Refused("An alert cannot be answered.", 400, "no_way_back")


def heard(alert: Alert) -> Incoming:
    """The alert as the rooms hear it; the labels say its state and its name, too."""
    labels = labels_of(dict(alert.labels))
    identity = one_line(alert.identity, KEY_CHARS_MAX)
    device = alert.device or host_of(labels)
    return Incoming(
        source_key=alert.key,
        said=Said.RESOLVED if alert.over else Said.FIRING,
        subject=one_line(alert.subject) or None,
        text=storable(alert.text)[:TEXT_CHARS_MAX],
        full_text=storable(alert.full_text)[:TEXT_CHARS_MAX] or None,
        device=one_line(device, 255) if device else None,
        labels={**labels, "fingerprint": identity, "status": "resolved" if alert.over else "firing"},
        identity=identity,
        at=alert.at,
        notes=tuple(one_line(each) for each in alert.notes),
        organisation=labels.get("organisation") or None,
    )


def host_of(labels: Mapping[str, str]) -> str | None:
    """The machine that an alert is about, from its labels: no port, and no bare address, which names no machine."""
    for key in HOST_LABELS:
        host = host_in(labels.get(key, ""))
        if host:
            return host
    return None


def host_in(words: str) -> str | None:
    """The host name in `host`, `host:port` or an address on the web, or None."""
    host = _PORT.sub("", _SCHEME.sub("", words.strip()).split("/")[0])
    if not host or _is_address(host) or host.lower() == "localhost" or " " in host:
        return None
    return one_line(host, 255)


def digest_of(*words: str) -> str:
    """A short name of our own for a problem that brings none."""
    return hashlib.sha256("\x1f".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def rows_of(pairs: Mapping[str, str], between: str = ": ") -> str:
    """Pairs as lines for a reader."""
    return "\n".join(f"{key}{between}{value}" for key, value in pairs.items() if value)


def _delivery_key(told: Sequence[Alert], at: datetime) -> str:
    minute = str(int(at.timestamp()) // SAME_DELIVERY_S)
    notes = sorted({note for each in told for note in each.notes})
    words = "\n".join([minute, *notes, *sorted(each.key for each in told)])
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
