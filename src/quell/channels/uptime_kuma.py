"""Uptime Kuma's webhook: a monitor that went down or came up again."""

from collections.abc import Sequence

from quell.channels._clean import one_line
from quell.channels._json import Object, inner, listed, moment, text_at
from quell.channels._machine import Alert, Machine, digest_of, host_in, rows_of
from quell.core.errors import Refused
from quell.seams import Channel

DOWN, UP = "0", "1"
TAGS_MAX = 50


def alerts(body: Object) -> Sequence[Alert]:
    """The one monitor of a notification; a test, a pending state and a maintenance say nothing."""
    if "heartbeat" not in body and "monitor" not in body:
        raise Refused("The body has neither heartbeat nor monitor.", 400, "no_heartbeat")
    heartbeat, monitor = inner(body, "heartbeat"), inner(body, "monitor")
    status = text_at(heartbeat, "status")
    if status not in (DOWN, UP) or not monitor:
        return []
    name = text_at(monitor, "name", "pathName") or "A monitor"
    target = _target(monitor)
    labels = {"monitor": name, "check": text_at(monitor, "type"), "target": target, **_tags(monitor)}
    return [
        Alert(
            identity=f"monitor-{one_line(text_at(monitor, 'id') or digest_of(name, target), 100)}",
            over=status == UP,
            subject=f"{name} is {'up again' if status == UP else 'down'}",
            text=text_at(body, "msg") or text_at(heartbeat, "msg"),
            labels={key: value for key, value in labels.items() if value},
            full_text=rows_of({key: text_at(heartbeat, key) for key in ("msg", "time", "ping", "duration", "retries")}),
            device=host_in(text_at(monitor, "hostname")),
            at=moment(text_at(heartbeat, "time")),
        )
    ]


def _target(monitor: Object) -> str:
    """What is watched; Kuma sends `https://` alone for monitors that have no address."""
    address = text_at(monitor, "url")
    host, port = text_at(monitor, "hostname"), text_at(monitor, "port")
    if address and address not in ("http://", "https://"):
        return address
    return f"{host}:{port}" if host and port else host


def _tags(monitor: Object) -> dict[str, str]:
    rows = listed(monitor, "tags")[:TAGS_MAX]
    return {one_line(text_at(each, "name"), 100): text_at(each, "value") for each in rows if text_at(each, "name")}


CHANNEL: Channel = Machine("uptime-kuma", alerts)
