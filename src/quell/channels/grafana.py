"""Grafana's webhook: unified alerting, which looks like Alertmanager's, and the legacy one with a rule and a state."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from quell.channels._clean import one_line
from quell.channels._json import Object, flat, inner, listed, text_at
from quell.channels._machine import Alert, Machine, rows_of
from quell.channels._secret import MACHINE_SETTINGS, check_machine, same
from quell.channels.alertmanager import ALERTS_MAX, alert_in
from quell.core.errors import Refused
from quell.core.incoming import Hook
from quell.seams import Channel, Setting

SIGNATURE_HEADER = "x-grafana-alerting-signature"
CLOCK_SKEW_S_MAX = 300
LEGACY_FIRING = frozenset({"alerting", "no_data"})
# About the watching itself, not about what is watched.
ABOUT_MONITORING = ("DatasourceNoData", "DatasourceError")

SETTINGS = (
    *MACHINE_SETTINGS,
    Setting("hmac_secret", "The contact point's HMAC secret, if it has one.", secret=True),
    Setting("hmac_secret_old", "The HMAC secret before the last change.", secret=True),
    Setting("hmac_header", "The header with the signature.", default="X-Grafana-Alerting-Signature"),
    Setting("hmac_timestamp_header", "The header with the time of the signature, if the contact point names one."),
)


def check(hook: Hook, settings: Mapping[str, str], at: datetime) -> None:
    """The usual secrets, or Grafana's HMAC over the raw body (`time:body` where a time header is named)."""
    secrets = [settings.get(key, "") for key in ("hmac_secret", "hmac_secret_old")]
    if not any(secrets):
        check_machine(hook, settings)
        return
    signed = hook.body
    stamp_header = settings.get("hmac_timestamp_header", "").lower()
    if stamp_header:
        stamp = hook.headers.get(stamp_header, "")
        if not (stamp.isascii() and stamp.isdigit()) or abs(at.timestamp() - int(stamp[:12])) > CLOCK_SKEW_S_MAX:
            raise Refused("The signature's time is missing or too far away.", 401, "stale")
        signed = stamp.encode() + b":" + hook.body
    given = hook.headers.get((settings.get("hmac_header") or SIGNATURE_HEADER).lower(), "").strip().lower()
    wanted = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets if each]
    if not same(given, *wanted):
        raise Refused("The signature is missing or wrong.", 401, "wrong_signature")


def alerts(body: Object) -> Sequence[Alert]:
    """The alerts of a group, or the one rule of a legacy notification; tests and pauses say nothing."""
    organisation = one_line(text_at(body, "orgId"), 20) or "1"
    if isinstance(body.get("alerts"), list):
        found = [each for each in listed(body, "alerts")[:ALERTS_MAX] if isinstance(each, Mapping)]
        return [_unified(each, f"{organisation}/") for each in found]
    if not text_at(body, "ruleId", "ruleName"):
        raise Refused("The body has neither alerts nor a rule.", 400, "no_alerts")
    return _legacy(body, organisation)


def _unified(alert: Object, prefix: str) -> Alert:
    read = alert_in(alert, prefix=prefix)
    values = text_at(alert, "valueString") or rows_of(flat(inner(alert, "values")), " = ")
    links = rows_of({key: text_at(alert, key) for key in ("dashboardURL", "panelURL", "silenceURL")})
    notes = ("This is about the monitoring itself.",) if read.labels.get("alertname") in ABOUT_MONITORING else ()
    whole = "\n".join(part for part in (read.full_text, values, links) if part)
    return replace(read, full_text=whole, notes=notes)


def _legacy(body: Object, organisation: str) -> list[Alert]:
    state = text_at(body, "state").lower()
    if state not in LEGACY_FIRING and state != "ok":
        return []
    matches = [each for each in listed(body, "evalMatches")[:20] if isinstance(each, Mapping)]
    labels = {"alertname": text_at(body, "ruleName"), **flat(inner(body, "tags"))}
    for each in matches:
        labels = {**flat(inner(each, "tags")), **labels}
    values = {text_at(each, "metric"): text_at(each, "value") for each in matches}
    rule = one_line(text_at(body, "ruleId", "ruleName"), 200)
    return [
        Alert(
            identity=f"{organisation}/rule-{rule}",
            over=state == "ok",
            subject=text_at(body, "ruleName", "title"),
            text=text_at(body, "message") or text_at(body, "title"),
            labels=labels,
            full_text=rows_of({"state": state, "rule": text_at(body, "ruleUrl"), **values}),
        )
    ]


CHANNEL: Channel = Machine("grafana", alerts, SETTINGS, check)
