"""Slack by its Events API: signed messages in, answers into the same thread."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from quell.channels import _slack_send
from quell.channels._clean import one_line, storable
from quell.channels._json import Object, inner, listed, read_object, text_at
from quell.channels._secret import same
from quell.channels._slack_text import plain_text
from quell.core.errors import Refused
from quell.core.incoming import Answer, Hook, Incoming, Party, Receipt, Said, Sent, Strength
from quell.seams import Channel, Setting

CLOCK_SKEW_S_MAX = 300
FILES_MAX = 20
KEY_CHARS_MAX = 100
SPOKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})

_DIGITS = re.compile(r"^[0-9]{1,12}$")


@dataclass(frozen=True)
class Slack:
    """One Slack app that is installed in a workspace and invited into the channels where people ask for help."""

    name: str = "slack"
    settings: tuple[Setting, ...] = (
        Setting("signing_secret", "The app's signing secret (Basic Information).", required=True, secret=True),
        Setting("signing_secret_old", "The secret before the last rotation; accepted until removed.", secret=True),
        Setting("bot_token", "The bot token, `xoxb-…`, for answers.", required=True, secret=True),
        Setting("api_url", "Where Slack's Web API answers.", default=_slack_send.API_URL),
    )

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """Slack's signature on the raw bytes, then the kind of request; a retry carries the same `event_id`."""
        _check_signature(hook, settings, at)
        body = read_object(hook.body)
        kind = text_at(body, "type")
        if kind == "url_verification":
            return Receipt(None, body=_slack_send.as_json({"challenge": text_at(body, "challenge")}))
        if kind != "event_callback" or not _said(body):
            return Receipt(None, body=b"{}")
        return Receipt(_delivery_key(hook, body), body=b"{}")

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """A message of a person, its later edit or its deletion; bots and the channel's own notices say nothing."""
        return _said(read_object(hook.body))

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """Post into the thread; the answer's own `ts` becomes its key."""
        return await _slack_send.post(answer, settings)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's signature, version 0, for these raw bytes."""
    text = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def message_key(team: str, channel: str, ts: str) -> str:
    """The name of a message: the same in events, in threads and in answers to our own posts."""
    return one_line(f"slack:{team}/{channel}/{ts}", KEY_CHARS_MAX)


def _check_signature(hook: Hook, settings: Mapping[str, str], at: datetime) -> None:
    secrets = [settings.get(key, "") for key in ("signing_secret", "signing_secret_old")]
    if not any(secrets):
        raise Refused("No signing secret is set for this channel.", 401, "no_secret")
    stamp = hook.headers.get("x-slack-request-timestamp", "").strip()
    if not _DIGITS.match(stamp):
        raise Refused("The request has no usable timestamp.", 401, "no_timestamp")
    if abs(at.timestamp() - int(stamp)) > CLOCK_SKEW_S_MAX:
        raise Refused(f"The request is more than {CLOCK_SKEW_S_MAX} s away from our clock.", 401, "stale")
    wanted = [signature(secret, stamp, hook.body) for secret in secrets if secret]
    if not same(hook.headers.get("x-slack-signature", "").strip(), *wanted):
        raise Refused("The signature is missing or wrong.", 401, "wrong_signature")


def _delivery_key(hook: Hook, body: Object) -> str:
    named = one_line(text_at(body, "event_id"), KEY_CHARS_MAX)
    return named or hashlib.sha256(hook.body).hexdigest()


def _said(body: Object) -> tuple[Incoming, ...]:
    event = inner(body, "event")
    if text_at(event, "type") not in ("message", "app_mention"):
        return ()
    subtype = text_at(event, "subtype")
    if subtype == "message_changed":
        return _edited(body, event)
    if subtype == "message_deleted":
        return _deleted(body, event)
    if subtype not in SPOKEN or _by_a_bot(event) or not text_at(event, "ts"):
        return ()
    return (_spoken(body, event),)


def _by_a_bot(message: Object) -> bool:
    return bool(text_at(message, "bot_id") or inner(message, "bot_profile") or not text_at(message, "user"))


def _spoken(body: Object, event: Object) -> Incoming:
    team, channel, ts = _team(body, event), text_at(event, "channel"), text_at(event, "ts")
    root = text_at(event, "thread_ts") or ts
    key = message_key(team, channel, ts)
    files = _files(event)
    text = plain_text(event, _own_users(body)) or "\n".join(files)
    return Incoming(
        source_key=key,
        said=Said.WORDS,
        text=text,
        sender=_sender(event),
        thread=(message_key(team, channel, root),) if root != ts else (),
        own_keys=(key,),
        at=_moment(ts),
        route=_route(team, channel, root),
        notes=files,
    )


def _edited(body: Object, event: Object) -> tuple[Incoming, ...]:
    """An edit is a reply to the message it changes; Slack also sends one when it merely unfolds a link."""
    now, before = inner(event, "message"), inner(event, "previous_message")
    ts = text_at(now, "ts") or text_at(before, "ts")
    if not ts or _by_a_bot(now) or text_at(now, "text") == text_at(before, "text"):
        return ()
    team, channel = _team(body, now), text_at(event, "channel")
    changed_at = text_at(inner(now, "edited"), "ts") or text_at(event, "ts")
    key = message_key(team, channel, ts)
    return (
        Incoming(
            source_key=one_line(f"{key}/edited/{changed_at}", KEY_CHARS_MAX * 2),
            said=Said.WORDS,
            text=plain_text(now, _own_users(body)),
            sender=_sender(now),
            thread=(key,),
            at=_moment(changed_at),
            route=_route(team, channel, text_at(now, "thread_ts") or ts),
            notes=("The sender edited an earlier message; this is its new text.",),
        ),
    )


def _deleted(body: Object, event: Object) -> tuple[Incoming, ...]:
    """A deletion is filed beside what was said, and never answered: the log keeps what it has heard."""
    before = inner(event, "previous_message")
    ts = text_at(event, "deleted_ts") or text_at(before, "ts")
    if not ts or _by_a_bot(before):
        return ()
    team, channel = _team(body, before), text_at(event, "channel")
    key = message_key(team, channel, ts)
    return (
        Incoming(
            source_key=f"{key}/deleted",
            said=Said.WORDS,
            text="(The sender deleted an earlier message in Slack.)",
            sender=_sender(before),
            thread=(key,),
            at=_moment(text_at(event, "ts")),
            loop=("deletion: nothing was said that could be answered",),
            route=_route(team, channel, text_at(before, "thread_ts") or ts),
        ),
    )


def _team(body: Object, message: Object) -> str:
    return text_at(body, "team_id") or text_at(message, "team")


def _sender(message: Object) -> Party:
    profile = inner(message, "user_profile")
    name = one_line(text_at(profile, "real_name", "display_name", "name"), 200)
    email = one_line(text_at(profile, "email"), 320).lower()
    return Party(one_line(text_at(message, "user"), 50), name or None, Strength.SIGNED, email or None)


def _route(team: str, channel: str, root: str) -> dict[str, str]:
    return {"team": storable(team), "channel": storable(channel), "thread_ts": storable(root)}


def _own_users(body: Object) -> frozenset[str]:
    """Our bot's user ids, so that a mention of us is not taken for part of the problem."""
    return frozenset(text_at(each, "user_id") for each in listed(body, "authorizations") if inner({"_": each}, "_"))


def _moment(ts: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _files(event: Object) -> tuple[str, ...]:
    files = listed(event, "files")
    rows = [_file(each) for each in files[:FILES_MAX]]
    if len(files) > FILES_MAX:
        rows.append(f"{len(files) - FILES_MAX} more files")
    return tuple(rows)


def _file(each: object) -> str:
    name = one_line(text_at(each, "name", "title", "id"), 150) or "a file"
    kind, size = one_line(text_at(each, "mimetype"), 100), one_line(text_at(each, "size"), 20)
    hidden = text_at(each, "file_access") == "check_file_info"
    facts = (kind, f"{size} bytes" if size else "", "not shown to apps" if hidden else "")
    more = ", ".join(fact for fact in facts if fact)
    return f"File in Slack: {name}" + (f" ({more})" if more else "")


CHANNEL: Channel = Slack()
