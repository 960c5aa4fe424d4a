"""Posts an answer into a Slack thread and says what Slack's refusal means."""

import json
from collections.abc import Mapping

import httpx

from quell.channels._json import Object, read_object, text_at
from quell.channels._slack_text import escaped
from quell.core.errors import Refused, TryAgain
from quell.core.incoming import Answer, Sent

API_URL = "https://slack.com/api/"
TIMEOUT_S = 10.0
TEXT_CHARS_MAX = 39_000
RETRY_AFTER_S = 60
RETRY_SETTINGS_S = 3_600

PASSING = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
OUR_SETTINGS = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope"}
)


async def post(answer: Answer, settings: Mapping[str, str]) -> Sent:
    """`chat.postMessage`; TryAgain with Slack's own delay on 429, Refused when the channel is gone for good."""
    channel, token = answer.route.get("channel", ""), settings.get("bot_token", "")
    if not channel:
        raise Refused("The report has no Slack channel to answer in.", 400, "no_route")
    if not token:
        raise TryAgain("Slack has no bot_token, so nothing can be posted.", RETRY_SETTINGS_S)
    body = {
        "channel": channel,
        "text": escaped(_bounded(answer.text)),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    if answer.route.get("thread_ts"):
        body["thread_ts"] = answer.route["thread_ts"]
    told = await _call(settings.get("api_url") or API_URL, "chat.postMessage", token, body)
    posted_in, ts = text_at(told, "channel") or channel, text_at(told, "ts")
    return Sent((f"slack:{answer.route.get('team', '')}/{posted_in}/{ts}",) if ts else ())


def as_json(value: Mapping[str, object]) -> bytes:
    """UTF-8 JSON."""
    return json.dumps(value).encode()


async def _call(api_url: str, method: str, token: str, body: Mapping[str, object]) -> Object:
    address = f"{api_url.rstrip('/')}/{method}"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json; charset=utf-8"}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = await client.post(address, content=as_json(body), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as trouble:
        raise TryAgain(f"Slack could not be reached: {type(trouble).__name__}") from trouble
    return _understood(answer)


def _understood(answer: httpx.Response) -> Object:
    if answer.status_code == 429:
        raise TryAgain("Slack asks us to slow down.", _delay_s(answer))
    if answer.status_code != 200:
        raise TryAgain(f"Slack answered {answer.status_code}.", _delay_s(answer))
    try:
        told = read_object(answer.content)
    except Refused:
        raise TryAgain("Slack answered with something that is not JSON.", RETRY_AFTER_S) from None
    if told.get("ok") is True:
        return told
    error = text_at(told, "error") or "unknown"
    if error in PASSING:
        raise TryAgain(f"Slack is in trouble: {error}", _delay_s(answer))
    if error in OUR_SETTINGS:
        raise TryAgain(f"Slack does not accept our bot_token: {error}", RETRY_SETTINGS_S)
    raise Refused(f"Slack refused the answer: {error}", 400, "slack_refused")


def _delay_s(answer: httpx.Response) -> int:
    words = answer.headers.get("retry-after", "")
    return min(int(words), RETRY_SETTINGS_S) if words.isascii() and words.isdigit() else RETRY_AFTER_S


def _bounded(text: str) -> str:
    return text if len(text) <= TEXT_CHARS_MAX else text[:TEXT_CHARS_MAX] + "…"
