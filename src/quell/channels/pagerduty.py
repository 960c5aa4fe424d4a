"""PagerDuty's Events API as others speak it to us: version 2, and version 1, which some senders still use."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from quell.channels._clean import one_line
from quell.channels._json import Object, flat, inner, moment, read_object, text_at
from quell.channels._machine import Alert, Machine, digest_of, host_in, rows_of
from quell.channels._secret import MACHINE_SETTINGS, check_machine, same
from quell.core.errors import Refused
from quell.core.incoming import Hook
from quell.seams import Channel, Setting

KEY_CHARS_MAX = 255
SUMMARY_CHARS_MAX = 1_024
ACTIONS = frozenset({"trigger", "acknowledge", "resolve"})

SETTINGS = (
    Setting("routing_key", "The integration key that the sender uses (`routing_key` or `service_key`).", secret=True),
    Setting("routing_key_old", "The key before the last change.", secret=True),
    *MACHINE_SETTINGS,
)


def check(hook: Hook, settings: Mapping[str, str], at: datetime) -> None:
    """The key in the body, where one is set, beside the usual secrets."""
    wanted = [settings.get(key, "") for key in ("routing_key", "routing_key_old")]
    if not any(wanted):
        check_machine(hook, settings)
        return
    body = read_object(hook.body)
    if not same(text_at(body, "routing_key", "service_key"), *wanted):
        raise Refused("The routing key is missing or wrong.", 401, "wrong_key")


def alerts(body: Object) -> Sequence[Alert]:
    """The one event of a request; an acknowledgement says nothing."""
    action = text_at(body, "event_action", "event_type").lower()
    if action not in ACTIONS:
        raise Refused("event_action is trigger, acknowledge or resolve.", 400, "no_action")
    payload = inner(body, "payload")
    summary = (text_at(payload, "summary") or text_at(body, "description"))[:SUMMARY_CHARS_MAX]
    if action == "trigger" and not summary:
        raise Refused("An event that triggers needs payload.summary.", 400, "no_summary")
    if action == "acknowledge":
        return []
    details = inner(payload, "custom_details") or inner(body, "details")
    source = text_at(payload, "source") or text_at(body, "client")
    labels = {key: text_at(payload, key) for key in ("severity", "component", "group", "class")}
    labels |= {"source": source, "dedup_key": dedup_key(body), "client": text_at(body, "client")}
    return [
        Alert(
            identity=dedup_key(body),
            over=action == "resolve",
            subject=summary or "An event that is over",
            text="\n".join(part for part in (summary, _words(details)) if part),
            labels={key: value for key, value in labels.items() if value},
            full_text=rows_of({**flat(details), "source": source, "client": text_at(body, "client_url")}),
            device=host_in(source) if "." in source or "-" in source else None,
            at=moment(text_at(payload, "timestamp")),
        )
    ]


def answers(body: Object) -> tuple[int, bytes]:
    """What PagerDuty answers: 202 and the dedup key; 200 and the incident key in version 1."""
    if "service_key" in body:
        said = {"status": "success", "message": "Event processed", "incident_key": dedup_key(body)}
        return 200, json.dumps(said).encode()
    said = {"status": "success", "message": "Event processed", "dedup_key": dedup_key(body)}
    return 202, json.dumps(said).encode()


def dedup_key(body: Object) -> str:
    """The sender's name of the problem; without one, a name made of its words."""
    named = one_line(text_at(body, "dedup_key", "incident_key"), KEY_CHARS_MAX)
    payload = inner(body, "payload")
    words = text_at(payload, "summary") or text_at(body, "description")
    return named or digest_of(text_at(payload, "source"), words)


def _words(details: Object) -> str:
    """What a sender writes into its details for a reader: the firing alerts of Alertmanager, a description."""
    lines = [text_at(details, key) for key in ("firing", "description", "body")]
    return "\n".join(dict.fromkeys(line for line in lines if line))


CHANNEL: Channel = Machine("pagerduty", alerts, SETTINGS, check, answers)
