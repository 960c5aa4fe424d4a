"""Alertmanager's webhook, version 4: each alert of a group is its own problem, named by its fingerprint."""

from collections.abc import Mapping, Sequence

from quell.channels._clean import one_line, storable
from quell.channels._json import Object, flat, inner, listed, moment, text_at
from quell.channels._machine import Alert, Machine, digest_of, host_of, rows_of
from quell.core.errors import Refused
from quell.seams import Channel

ALERTS_MAX = 2_000


def alerts_in(body: Object) -> Sequence[Alert]:
    """The alerts of a group, each with its own status and not the group's."""
    if not isinstance(body.get("alerts"), list):
        raise Refused("The body has no list of alerts.", 400, "no_alerts")
    notes = _group_notes(body)
    return [alert_in(each, notes) for each in listed(body, "alerts")[:ALERTS_MAX] if isinstance(each, Mapping)]


def alert_in(alert: Object, notes: tuple[str, ...] = (), prefix: str = "") -> Alert:
    """One alert; without a fingerprint its labels, in any order, are its name."""
    labels = flat(inner(alert, "labels"))
    words = flat(inner(alert, "annotations"))
    over = text_at(alert, "status").lower() == "resolved"
    named = one_line(text_at(alert, "fingerprint"), 200)
    return Alert(
        identity=prefix + (named or digest_of(*(f"{key}\x1e{labels[key]}" for key in sorted(labels)))),
        over=over,
        subject=_subject(labels),
        text=_text(labels, words),
        labels=labels,
        state=one_line(text_at(alert, "startsAt"), 64),
        full_text="\n".join(part for part in (rows_of(words), rows_of(labels, " = "), _source(alert)) if part),
        at=moment(text_at(alert, "endsAt" if over else "startsAt")),
        notes=notes,
    )


def _group_notes(body: Object) -> tuple[str, ...]:
    left_out = text_at(body, "truncatedAlerts")
    if left_out in ("", "0"):
        return ()
    return (f"Alertmanager left {one_line(left_out, 20)} more alerts of this group out; nothing is known about them.",)


def _subject(labels: Mapping[str, str]) -> str:
    what = labels.get("alertname") or "Alert without a name"
    where = host_of(labels) or labels.get("instance") or labels.get("service") or labels.get("site")
    return f"{what} on {where}" if where else what


def _text(labels: Mapping[str, str], words: Mapping[str, str]) -> str:
    """What the rule's author wrote for a reader; where nothing was written, the labels must speak."""
    lines = [words[key] for key in ("summary", "title", "description", "message") if words.get(key)]
    return "\n".join(dict.fromkeys(lines)) or " ".join(f"{key}={value}" for key, value in labels.items())


def _source(alert: Object) -> str:
    address = text_at(alert, "generatorURL")
    return f"source: {storable(address)}" if address else ""


CHANNEL: Channel = Machine("alertmanager", alerts_in)
