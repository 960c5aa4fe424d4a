"""One good delivery or more for every channel, with the settings that make it believable, and ways to spoil it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path

from quell.channels.slack import signature
from quell.core.incoming import Hook, Incoming
from tests.channels import machine_samples as told

CAPTURES = Path(__file__).parent / "captures"
NOW = datetime(2026, 11, 23, 7, 9, tzinfo=UTC)
MAILBOX = "support@quell.example"
TOKEN_KEY = "a key for tests"

SETTINGS: dict[str, dict[str, str]] = {
    "alertmanager": {"token": "s3cret"},
    "device_agent": {},
    "email": {"address": MAILBOX, "token_key": TOKEN_KEY},
    "portal": {},
    "slack": {"signing_secret": "shh", "bot_token": "xoxb-1"},
    **{name: {"hook_key": told.KEY} for name in ("grafana", "zabbix", "uptime-kuma", "pagerduty", "sentry", "generic")},
}
MACHINES = (
    ("grafana", told.GRAFANA),
    ("grafana", told.GRAFANA_LEGACY),
    ("zabbix", told.ZABBIX),
    ("uptime-kuma", told.UPTIME_KUMA),
    ("pagerduty", told.PAGERDUTY),
    ("pagerduty", told.PAGERDUTY_1),
    ("sentry", told.SENTRY_ISSUE),
    ("sentry", told.SENTRY_EVENT),
    ("sentry", told.SENTRY_METRIC),
    ("generic", told.GENERIC),
)


@dataclass(frozen=True)
class Sample:
    """A delivery that its channel accepts at `NOW` under these settings."""

    channel: str
    hook: Hook
    settings: Mapping[str, str]


def captured(name: str) -> Hook:
    """A request as a real program sent it."""
    record = json.loads((CAPTURES / name).read_text())
    headers = {key.lower(): value for key, value in record["headers"].items()}
    return Hook(record["body"].encode(), headers, path=record["path"])


def slack_hook(body: Mapping[str, object] | bytes, at: datetime = NOW, secret: str = "shh") -> Hook:
    """A request signed as Slack signs."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = str(int(at.timestamp()))
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature(secret, stamp, raw)}
    return Hook(raw, headers, path="/hooks/slack/key")


def slack_message(text: str = "printer on fire", ts: str = "1795417740.000100", **more: object) -> dict[str, object]:
    """An `event_callback` with one message of a person."""
    event = {"type": "message", "user": "U1", "text": text, "ts": ts, "channel": "C1", "channel_type": "channel"}
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": f"Ev{ts}",
        "event": {**event, **more},
        "authorizations": [{"user_id": "UBOT", "is_bot": True}],
    }


def mail(body: str = "My screen is black.", **headers: str) -> bytes:
    """A small mail; a header named with `_` for `-`; None of the standard ones need be given."""
    base = {
        "From": "Ann Example <ann@client.example>",
        "To": MAILBOX,
        "Subject": "Screen",
        "Message-ID": "<one@client.example>",
        "Date": "Mon, 23 Nov 2026 08:08:00 +0100",
    }
    given = {key.replace("_", "-"): value for key, value in headers.items()}
    lines = [f"{key}: {value}" for key, value in {**base, **given}.items() if value]
    return ("\r\n".join(lines) + "\r\n\r\n" + body.replace("\n", "\r\n")).encode()


def mail_hook(raw: bytes, sender: str = "ann@client.example", to: str = MAILBOX) -> Hook:
    """A mail as our listener hands it over."""
    return Hook(raw, {"x-envelope-from": sender, "x-envelope-to": to}, method="MAIL")


def portal_hook(**body: object) -> Hook:
    """A report as the portal hands it over."""
    given = {"reporter": "ann@client.example", "subject": "Screen", "text": "It is black.", **body}
    return Hook(json.dumps(given).encode(), {"idempotency-key": "k1"}, path="/api/v1/reports")


def agent_hook(said: str = "firing", host: str = "lt-1") -> Hook:
    """A device's own report, as the door hands it over after opening the signature."""
    report = {"key": "k1", "identity": "disk:/var", "said": said, "subject": "Disk nearly full", "at": 1795417740}
    report |= {"text": "/var has 2 % left", "fields": {"check": "disk_free", "mount": "/var"}}
    body = {"device_id": "dev-1", "at": 1795417741, "nonce": "00", "reports": [report]}
    return Hook(json.dumps(body).encode(), {"x-quell-device": host}, path="/agent/v1/reports")


def samples() -> list[Sample]:
    """Every channel's good deliveries."""
    hooks = [("alertmanager", captured(each.name)) for each in sorted(CAPTURES.glob("alertmanager_real_*.json"))]
    hooks += [("slack", slack_hook(slack_message())), ("email", mail_hook(mail()))]
    hooks += [(name, told.posted(name, body)) for name, body in MACHINES]
    hooks += [("portal", portal_hook()), ("device_agent", agent_hook())]
    return [Sample(name, hook, SETTINGS[name]) for name, hook in hooks]


def again(sample: Sample, body: bytes) -> Sample:
    """The same delivery with another body, signed again where its channel signs bodies."""
    hook = slack_hook(body) if sample.channel == "slack" else Hook(body, sample.hook.headers, path=sample.hook.path)
    return Sample(sample.channel, hook, sample.settings)


def strings_in(value: object) -> list[str]:
    """Every text anywhere in what a channel read."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for pair in value.items() for each in pair for text in strings_in(each)]
    if isinstance(value, tuple):
        return [text for each in value for text in strings_in(each)]
    if is_dataclass(value) and not isinstance(value, type):
        return [text for each in fields(value) for text in strings_in(getattr(value, each.name))]
    return []


def check_storable(heard: Incoming) -> None:
    """What was read can be kept: PostgreSQL takes no NUL, UTF-8 no half characters; files have plain names."""
    for text in strings_in(heard):
        assert "\x00" not in text
        text.encode("utf-8")
    assert heard.source_key
    assert len(heard.attachments) <= 20
    for each in heard.attachments:
        assert each.name and not set(each.name) & set("/\\\r\n") and each.name not in (".", "..")
