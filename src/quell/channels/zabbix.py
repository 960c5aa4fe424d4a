"""Zabbix by a webhook media type whose script we give: one event and its recovery share the event's id."""

import re
from collections.abc import Mapping, Sequence

from quell.channels._clean import one_line
from quell.channels._json import Object, as_text, flat, read_json, text_at
from quell.channels._machine import Alert, Machine, digest_of, rows_of
from quell.core.errors import Refused
from quell.seams import Channel

TAGS_MAX = 50
OVER = frozenset({"0", "ok", "resolved", "recovery"})
SEVERITIES = ("Not classified", "Information", "Warning", "Average", "High", "Disaster")

# A macro that Zabbix did not know arrives as it was written.
_UNEXPANDED = re.compile(r"\{[A-Z][A-Z0-9_.]*(?:\.\"?[^}]*)?\}|\*UNKNOWN\*|\*UNDEFINED\*")


def alerts(body: Object) -> Sequence[Alert]:
    """The one event of a notification; an update is told like a repeat."""
    given = {key: _expanded(value) for key, value in flat(body).items()}
    host, name = (
        text_at(given, "host", "hostname", "host_name"),
        text_at(given, "name", "trigger", "subject", "event_name"),
    )
    if not host and not name:
        raise Refused("The body names neither a host nor a trigger.", 400, "no_event")
    event = text_at(given, "event_id", "eventid")
    tags = _tags(body.get("tags"))
    severity = _severity(text_at(given, "severity"), text_at(given, "nseverity"))
    labels = {**tags, "alertname": name, "severity": severity, "host": host, "eventid": event}
    words = [text_at(given, "message"), text_at(given, "opdata", "item", "operational_data")]
    return [
        Alert(
            identity=f"zbx-{event}" if event else f"zbx-{digest_of(host, name)}",
            over=text_at(given, "event_value", "status").lower() in OVER,
            subject=f"{name} on {host}" if host and host not in name else name,
            text="\n".join(dict.fromkeys(each for each in [name, *words] if each)),
            labels={key: value for key, value in labels.items() if value},
            full_text=rows_of(given),
        )
    ]


def _expanded(value: str) -> str:
    return _UNEXPANDED.sub("", value).strip()


def _severity(words: str, number: str) -> str:
    if words:
        return words
    return SEVERITIES[int(number)] if number in ("0", "1", "2", "3", "4", "5") else ""


def _tags(value: object) -> dict[str, str]:
    """`{EVENT.TAGSJSON}` as it comes: a list of {tag, value}, or that list as text."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = read_json(value.encode("utf-8", "surrogatepass"))
        except Refused:
            return {}
    rows = [each for each in value[:TAGS_MAX] if isinstance(each, Mapping)] if isinstance(value, list) else []
    pairs = {one_line(text_at(each, "tag"), 100): as_text(each.get("value")) for each in rows}
    return {key: each for key, each in pairs.items() if key}


CHANNEL: Channel = Machine("zabbix", alerts)
