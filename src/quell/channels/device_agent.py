"""What our own agent on a device saw by itself: signed by the device's key, which the door has checked."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from quell.channels._clean import labels_of, one_line, storable
from quell.channels._json import Object, flat, inner, listed, read_object, text_at
from quell.core.errors import Refused
from quell.core.incoming import Answer, Hook, Incoming, Receipt, Said, Sent
from quell.seams import Channel, Setting

REPORTS_MAX = 100
TEXT_CHARS_MAX = 10_000
KEY_CHARS_MAX = 300


@dataclass(frozen=True)
class DeviceAgent:
    """The body is the agent's `reports` message of `quell.wire.messages`.

    The door opens the signature with the device's key and says whose it was in `x-quell-device`, the host name as
    enrolled, a header that it never takes over from outside.
    """

    name: str = "device_agent"
    settings: tuple[Setting, ...] = ()

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """The door's word for who signed, then the shape; a report that is sent again keeps its key."""
        if not _host(hook):
            raise Refused("No device has signed this.", 401, "no_device")
        body = read_object(hook.body)
        reports = _reports(body)
        if not reports:
            raise Refused("The message holds no reports.", 400, "no_reports")
        keys = sorted(_source_key(body, each) for each in reports)
        return Receipt(hashlib.sha256("\n".join(keys).encode("utf-8", "surrogatepass")).hexdigest())

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """One message for each check that began to fail or passes again."""
        body = read_object(hook.body)
        return tuple(_incoming(body, each, _host(hook)) for each in _reports(body))

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """A device needs no words."""
        raise Refused("A device's own report cannot be answered.", 400, "no_way_back")


def _host(hook: Hook) -> str:
    return one_line(hook.headers.get("x-quell-device", ""), 255)


def _reports(body: Object) -> list[Object]:
    return [each for each in listed(body, "reports")[:REPORTS_MAX] if isinstance(each, Mapping)]


def _source_key(body: Object, report: Object) -> str:
    own = text_at(report, "key") or f"{text_at(report, 'identity')} {text_at(report, 'said')} {text_at(report, 'at')}"
    return one_line(f"{text_at(body, 'device_id')}/{own}", KEY_CHARS_MAX)


def _incoming(body: Object, report: Object, host: str) -> Incoming:
    over = text_at(report, "said").lower() == "resolved"
    identity = one_line(f"{text_at(body, 'device_id')}/{text_at(report, 'identity')}", KEY_CHARS_MAX)
    facts = labels_of(flat(inner(report, "fields")))
    status = "resolved" if over else "firing"
    return Incoming(
        source_key=_source_key(body, report),
        said=Said.RESOLVED if over else Said.FIRING,
        text=storable(text_at(report, "text"))[:TEXT_CHARS_MAX],
        subject=one_line(text_at(report, "subject")) or None,
        device=host or None,
        labels={**facts, "host": host, "fingerprint": identity, "status": status},
        identity=identity,
        at=_moment(text_at(report, "at")),
    )


def _moment(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


CHANNEL: Channel = DeviceAgent()
