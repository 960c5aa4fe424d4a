"""Sentry's webhooks (integration platform): issues, issue alerts and metric alerts, signed with the client secret."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from quell.channels._clean import one_line
from quell.channels._json import Object, inner, listed, moment, text_at
from quell.channels._machine import Alert, Machine, rows_of
from quell.channels._secret import MACHINE_SETTINGS, check_machine, same
from quell.core.errors import Refused
from quell.core.incoming import Hook
from quell.seams import Channel, Setting

FRAMES_MAX = 15
TAGS_MAX = 50
ISSUE_FIRES = frozenset({"created", "unresolved"})
ISSUE_OVER = frozenset({"resolved", "archived", "ignored"})
METRIC_FIRES = frozenset({"critical", "warning"})

SETTINGS = (
    Setting("client_secret", "The integration's client secret, which signs each request.", secret=True),
    Setting("client_secret_old", "The client secret before the last rotation.", secret=True),
    *MACHINE_SETTINGS,
)


def check(hook: Hook, settings: Mapping[str, str], at: datetime) -> None:
    """Sentry's signature on the raw bytes where a client secret is set, else the usual secrets."""
    secrets = [settings.get(key, "") for key in ("client_secret", "client_secret_old")]
    if not any(secrets):
        check_machine(hook, settings)
        return
    wanted = [hmac.new(each.encode(), hook.body, hashlib.sha256).hexdigest() for each in secrets if each]
    if not same(hook.headers.get("sentry-hook-signature", "").strip().lower(), *wanted):
        raise Refused("The signature is missing or wrong.", 401, "wrong_signature")


def alerts(body: Object) -> Sequence[Alert]:
    """The issue or metric alert of a request; comments, installations and assignments say nothing."""
    data = inner(body, "data")
    if not data and not text_at(body, "action"):
        raise Refused("The body has no data.", 400, "no_data")
    action = text_at(body, "action").lower()
    if inner(data, "metric_alert"):
        return _metric(data, action)
    if inner(data, "issue"):
        return _issue(inner(data, "issue"), action)
    event = inner(data, "event") or inner(data, "error")
    return [_event(event, data)] if event else []


def _issue(issue: Object, action: str) -> list[Alert]:
    if action not in ISSUE_OVER and action not in ISSUE_FIRES:
        return []
    meta, project = inner(issue, "metadata"), inner(issue, "project")
    name = text_at(issue, "title") or text_at(meta, "type", "title")
    labels = {
        "project": text_at(project, "slug", "name") or text_at(issue, "project"),
        "level": text_at(issue, "level"),
        "issue": text_at(issue, "shortId"),
        "culprit": text_at(issue, "culprit"),
        "platform": text_at(issue, "platform"),
        "users": text_at(issue, "userCount"),
        "events": text_at(issue, "count"),
    }
    place = ":".join(part for part in (text_at(meta, "filename"), text_at(meta, "function")) if part)
    lines = [name, text_at(meta, "value"), f"in {place}" if place else "", text_at(issue, "culprit")]
    return [
        Alert(
            identity=f"issue-{one_line(text_at(issue, 'id', 'shortId'), 100)}",
            over=action in ISSUE_OVER,
            subject=name,
            text="\n".join(dict.fromkeys(line for line in lines if line)),
            labels={key: value for key, value in labels.items() if value},
            state=one_line(text_at(issue, "lastSeen"), 64) if action == "unresolved" else "",
            full_text=rows_of({"issue": text_at(issue, "web_url", "permalink"), "status": text_at(issue, "status")}),
            at=moment(text_at(issue, "lastSeen", "firstSeen")),
        )
    ]


def _event(event: Object, data: Object) -> Alert:
    """An issue alert was triggered by this event; its issue is the problem."""
    tags = {}
    for pair in listed(event, "tags")[:TAGS_MAX]:
        if isinstance(pair, list) and len(pair) == 2:
            tags[one_line(str(pair[0]), 100)] = str(pair[1])
    name = text_at(event, "title") or text_at(inner(event, "metadata"), "type", "title") or text_at(event, "message")
    labels = {
        **{key: tags[key] for key in ("environment", "release", "server_name", "url") if tags.get(key)},
        "project": text_at(event, "project_name", "project_slug", "project"),
        "level": text_at(event, "level"),
        "culprit": text_at(event, "culprit"),
        "rule": text_at(data, "triggered_rule"),
    }
    lines = [name, text_at(inner(event, "metadata"), "value"), *frames(event)]
    return Alert(
        identity=f"issue-{one_line(text_at(event, 'issue_id', 'groupID', 'event_id'), 100)}",
        over=False,
        subject=name,
        text="\n".join(dict.fromkeys(line for line in lines if line)),
        labels={key: value for key, value in labels.items() if value},
        state=one_line(text_at(event, "event_id"), 64),
        full_text=rows_of({"event": text_at(event, "web_url"), "message": text_at(event, "message"), **tags}),
        device=tags.get("server_name"),
        at=moment(text_at(event, "datetime")),
    )


def frames(event: Object) -> list[str]:
    """The exceptions of an event with their innermost frames, written as a reader knows them."""
    lines: list[str] = []
    for each in listed(inner(event, "exception"), "values")[:3]:
        lines.append(": ".join(part for part in (text_at(each, "type"), text_at(each, "value")) if part))
        stack = listed(inner(each, "stacktrace"), "frames")
        for frame in reversed(stack[-FRAMES_MAX:]):
            where = text_at(frame, "filename", "abs_path", "module")
            lines.append(f'  File "{where}", line {text_at(frame, "lineno") or "?"}, in {text_at(frame, "function")}')
    return [one_line(line, 1_000) if not line.startswith("  ") else f"  {one_line(line, 1_000)}" for line in lines]


def _metric(data: Object, action: str) -> list[Alert]:
    metric = inner(data, "metric_alert")
    if action not in METRIC_FIRES and action != "resolved":
        return []
    rule = inner(metric, "alert_rule")
    name = text_at(data, "description_title") or text_at(metric, "title") or text_at(rule, "name")
    labels = {"severity": action if action in METRIC_FIRES else "", "rule": text_at(rule, "name")}
    return [
        Alert(
            identity=f"metric-{one_line(text_at(metric, 'id', 'identifier') or text_at(rule, 'id'), 100)}",
            over=action == "resolved",
            subject=name,
            text="\n".join(part for part in (name, text_at(data, "description_text")) if part),
            labels={key: value for key, value in labels.items() if value},
            full_text=rows_of({"alert": text_at(data, "web_url")}),
            at=moment(text_at(metric, "date_started", "date_detected")),
        )
    ]


CHANNEL: Channel = Machine("sentry", alerts, SETTINGS, check)
