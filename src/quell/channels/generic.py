"""Any JSON from any machine: the usual names of a title, a text, a state and a key are found by themselves."""

from collections.abc import Sequence

from quell.channels._clean import one_line
from quell.channels._json import Object, flat, inner, moment, text_at
from quell.channels._machine import Alert, Machine, digest_of, rows_of
from quell.core.errors import Refused
from quell.seams import Channel

TITLES = ("title", "subject", "summary", "name", "alertname", "check", "event")
TEXTS = ("text", "message", "description", "body", "details", "msg", "output")
KEYS = ("key", "fingerprint", "dedup_key", "alias", "incident_key", "alert_id", "alertId", "id")
STATES = ("status", "state", "event_action", "action", "event_type")
TIMES = ("at", "time", "timestamp", "date", "created_at", "startsAt")
OVER = frozenset(
    {"resolved", "resolve", "ok", "up", "recovered", "recovery", "closed", "close", "success", "normal", "clear"}
)


def alerts(body: Object) -> Sequence[Alert]:
    """The one problem of a request; without a key, title and host are its name."""
    given = flat(body)
    title, text = text_at(given, *TITLES), text_at(given, *TEXTS)
    if not title and not text:
        raise Refused(f"The body has no {', '.join(TITLES[:3])}, {' or '.join(TEXTS[:3])}.", 400, "no_words")
    labels = {**flat(inner(body, "labels")), **flat(inner(body, "tags"))}
    labels |= {key: value for key, value in given.items() if key not in TEXTS and len(value) < 200}
    key = one_line(text_at(given, *KEYS), 200)
    host = text_at(labels, "host", "hostname", "instance", "device", "node")
    return [
        Alert(
            identity=key or digest_of(title or text[:200], host),
            over=text_at(given, *STATES).lower() in OVER,
            subject=title or text.split("\n")[0],
            text=text or title,
            labels=labels,
            full_text=rows_of(given),
            at=moment(text_at(given, *TIMES)),
        )
    ]


CHANNEL: Channel = Machine("generic", alerts)
