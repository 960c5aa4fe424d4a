"""Slack: signed by hand as Slack signs, read from its documented shapes, answered through a pretended Web API."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quell.channels.slack import CHANNEL, Slack, signature
from quell.core.errors import Refused, TryAgain
from quell.core.incoming import Answer, Hook, Said, Strength
from tests.channels.samples import NOW, check_storable, slack_hook, slack_message
from tests.real.http_listener import Reply, http_listener

SETTINGS = {"signing_secret": "shh", "bot_token": "xoxb-1"}
BEFORE = {"previous_message": {"text": "a"}}
ROUTE = {"team": "T1", "channel": "C1", "thread_ts": "1.0"}


def test_the_signature_is_the_one_of_slacks_own_example() -> None:
    """The worked example of Slack's documentation on verifying requests."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    wanted = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == wanted


def test_a_signed_message_is_words_of_a_proven_sender() -> None:
    hook = slack_hook(
        slack_message("<@UBOT> printer &amp; scanner &lt;dead&gt; in <#C9|lobby>, see <https://x.example|this>")
    )
    assert CHANNEL.verify(hook, SETTINGS, NOW).source_key == "Ev1795417740.000100"
    (heard,) = CHANNEL.read(hook, SETTINGS)
    assert heard.said is Said.WORDS
    assert heard.text == "printer & scanner <dead> in #lobby, see this (https://x.example)"
    assert heard.sender is not None and heard.sender.address == "U1" and heard.sender.strength is Strength.SIGNED
    assert heard.own_keys == ("slack:T1/C1/1795417740.000100",) and heard.thread == ()
    assert dict(heard.route) == {"team": "T1", "channel": "C1", "thread_ts": "1795417740.000100"}
    assert heard.at is not None and abs((heard.at - NOW).total_seconds()) < 60


def test_the_same_event_sent_again_has_the_same_key_with_or_without_the_retry_header() -> None:
    hook = slack_hook(slack_message())
    retried = Hook(hook.body, {**hook.headers, "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"})
    first, second = (CHANNEL.verify(each, SETTINGS, NOW) for each in (hook, retried))
    assert first == second and first.source_key is not None and first.status == 200


def test_a_mention_and_the_message_it_stands_in_are_one_thing_said() -> None:
    message = slack_message()
    mention = {**message, "event_id": "EvOther", "event": {**message["event"], "type": "app_mention"}}  # type: ignore[dict-item]
    (one,), (other,) = (CHANNEL.read(slack_hook(each), SETTINGS) for each in (message, mention))
    assert one.source_key == other.source_key


def test_a_reply_names_its_thread() -> None:
    (heard,) = CHANNEL.read(slack_hook(slack_message(ts="2.0", thread_ts="1.0")), SETTINGS)
    assert heard.thread == ("slack:T1/C1/1.0",) and heard.route["thread_ts"] == "1.0"


@pytest.mark.parametrize("secret", ["new", "old"])
def test_two_secrets_are_good_at_once(secret: str) -> None:
    both = {"signing_secret": "new", "signing_secret_old": "old"}
    assert CHANNEL.verify(slack_hook(slack_message(), secret=secret), both, NOW).source_key


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "-5", "٣٤٥", "99999999999999999999", "0"])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    body = json.dumps(slack_message()).encode()
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature("shh", stamp, body)}
    with pytest.raises(Refused) as refused:
        CHANNEL.verify(Hook(body, headers), SETTINGS, NOW)
    assert refused.value.status == 401


@pytest.mark.parametrize("off", [-301, 301])
def test_a_request_from_another_time_is_refused(off: int) -> None:
    with pytest.raises(Refused) as refused:
        CHANNEL.verify(slack_hook(slack_message(), NOW + timedelta(seconds=off)), SETTINGS, NOW)
    assert (refused.value.status, refused.value.code) == (401, "stale")


@given(at=st.integers(0, 500), value=st.integers(0, 255))
def test_one_changed_byte_breaks_the_signature(at: int, value: int) -> None:
    hook = slack_hook(slack_message())
    body = bytearray(hook.body)
    at %= len(body)
    if body[at] == value:
        return
    body[at] = value
    with pytest.raises(Refused) as refused:
        CHANNEL.verify(Hook(bytes(body), hook.headers), SETTINGS, NOW)
    assert refused.value.status == 401


def test_without_any_secret_nobody_is_believed() -> None:
    with pytest.raises(Refused) as refused:
        CHANNEL.verify(slack_hook(slack_message(), secret=""), {"bot_token": "x"}, NOW)
    assert refused.value.code == "no_secret"


def test_the_challenge_is_answered_and_nothing_is_stored() -> None:
    receipt = CHANNEL.verify(slack_hook({"type": "url_verification", "challenge": "c-1"}), SETTINGS, NOW)
    assert receipt.source_key is None and json.loads(receipt.body) == {"challenge": "c-1"}
    with pytest.raises(Refused):
        CHANNEL.verify(slack_hook({"type": "url_verification", "challenge": "c-1"}, secret="other"), SETTINGS, NOW)


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B1"},
        {"subtype": "bot_message", "bot_id": "B1", "user": None},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"type": "reaction_added"},
        {"user": None},
        {"subtype": "message_changed", "message": {"user": "U1", "text": "a", "ts": "1.0"}, **BEFORE},
        {"subtype": "message_changed", "message": {"bot_id": "B1", "text": "b", "ts": "1.0"}, **BEFORE},
    ],
)
def test_robots_notices_and_unfolded_links_say_nothing(more: Mapping[str, object]) -> None:
    hook = slack_hook(slack_message(**more))
    assert CHANNEL.verify(hook, SETTINGS, NOW).source_key is None
    assert CHANNEL.read(hook, SETTINGS) == ()


def test_an_edit_is_a_reply_to_what_it_edits() -> None:
    edit = {"message": {"user": "U1", "text": "it is the scanner", "ts": "1.0", "edited": {"ts": "5.0"}}}
    hook = slack_hook(slack_message(ts="5.1", subtype="message_changed", previous_message={"text": "printer"}, **edit))
    (heard,) = CHANNEL.read(hook, SETTINGS)
    assert heard.thread == ("slack:T1/C1/1.0",) and heard.text == "it is the scanner" and heard.notes


def test_a_deletion_is_filed_and_never_answered() -> None:
    gone = {"deleted_ts": "1.0", "previous_message": {"user": "U1", "text": "my password is x", "ts": "1.0"}}
    (heard,) = CHANNEL.read(slack_hook(slack_message(ts="5.1", subtype="message_deleted", **gone)), SETTINGS)
    assert heard.thread == ("slack:T1/C1/1.0",) and heard.loop and "password" not in heard.text


def test_files_are_named_even_when_nothing_else_was_said() -> None:
    files = [{"name": "screen.png", "mimetype": "image/png", "size": 42}]
    files += [{"id": "F2", "file_access": "check_file_info"}]
    (heard,) = CHANNEL.read(slack_hook(slack_message("", subtype="file_share", files=files)), SETTINGS)
    assert heard.notes[0] == "File in Slack: screen.png (image/png, 42 bytes)" and heard.text == "\n".join(heard.notes)
    assert "not shown to apps" in heard.notes[1]


def test_words_that_only_stand_in_blocks_are_found() -> None:
    words = {"type": "text", "text": "help me"}
    blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [words]}]}]
    (heard,) = CHANNEL.read(slack_hook(slack_message("", blocks=blocks)), SETTINGS)
    assert heard.text == "help me"


def test_every_shape_that_slack_documents_is_read(shared_data: Path) -> None:
    """Real shapes, some with blanked values: no fault, and people's messages are heard."""
    files = sorted((shared_data / "payloads").glob("slack*/*.json"))
    heard = {}
    for each in files:
        raw = each.read_bytes()
        hook = slack_hook(raw)
        CHANNEL.verify(hook, SETTINGS, NOW)
        heard[each.stem] = CHANNEL.read(hook, SETTINGS)
        for said in heard[each.stem]:
            check_storable(said)
    assert len(files) > 60
    for name in ("message__message_body", "message_file_share__event_payload", "message_changed__event_payload"):
        assert len(heard[f"bolt_{name}"]) == 1, name
    assert heard["bolt_message_bot__bot_message_event_payload"] == ()


async def test_an_answer_is_posted_into_the_thread_and_its_own_name_is_known() -> None:
    async with http_listener(Reply(body=b'{"ok": true, "channel": "C1", "ts": "9.1"}')) as slack:
        settings = {**SETTINGS, "api_url": f"{slack.url}/api/"}
        sent = await CHANNEL.send(Answer("Is <!channel> & all fine?", ROUTE, 7, 3), settings)
    assert sent.own_keys == ("slack:T1/C1/9.1",)
    (request,) = slack.requests
    assert request.path == "/api/chat.postMessage" and request.headers["authorization"] == "Bearer xoxb-1"
    body = json.loads(request.body)
    assert body["channel"] == "C1" and body["thread_ts"] == "1.0"
    assert body["text"] == "Is &lt;!channel&gt; &amp; all fine?"


@pytest.mark.parametrize(
    ("reply", "kind", "delay_s"),
    [
        (Reply(429, {"Retry-After": "17"}), TryAgain, 17),
        (Reply(503), TryAgain, 60),
        (Reply(body=b"<html>login</html>"), TryAgain, 60),
        (Reply(body=b'{"ok": false, "error": "ratelimited"}', headers={"Retry-After": "3"}), TryAgain, 3),
        (Reply(body=b'{"ok": false, "error": "invalid_auth"}'), TryAgain, 3600),
        (Reply(body=b'{"ok": false, "error": "channel_not_found"}'), Refused, None),
        (Reply(302, {"Location": "http://127.0.0.1:9/"}), TryAgain, 60),
    ],
)
async def test_slacks_refusals_are_understood(reply: Reply, kind: type[Exception], delay_s: int | None) -> None:
    async with http_listener(reply) as slack:
        with pytest.raises(kind) as trouble:
            await CHANNEL.send(Answer("hi", ROUTE, 7, 3), {**SETTINGS, "api_url": slack.url})
    if isinstance(trouble.value, TryAgain):
        assert trouble.value.after_s == delay_s


async def test_a_silent_slack_is_tried_again_later() -> None:
    with pytest.raises(TryAgain):
        await CHANNEL.send(Answer("hi", ROUTE, 7, 3), {**SETTINGS, "api_url": "http://127.0.0.1:9/"})


async def test_without_a_channel_there_is_nobody_to_answer() -> None:
    with pytest.raises(Refused):
        await CHANNEL.send(Answer("hi", {}, 7, 3), SETTINGS)


async def test_slacks_own_library_understands_what_we_post() -> None:
    """slack_sdk against the same listener makes the same call, so our imitation of the server is fair."""
    sdk = pytest.importorskip("slack_sdk", reason="needs slack_sdk")
    async with http_listener(Reply(body=b'{"ok": true, "channel": "C1", "ts": "9.1"}')) as slack:
        client = sdk.WebClient(token="xoxb-1", base_url=f"{slack.url}/api/")
        await asyncio.to_thread(client.chat_postMessage, channel="C1", thread_ts="1.0", text="hi")
        await CHANNEL.send(Answer("hi", ROUTE, 7, 3), {**SETTINGS, "api_url": f"{slack.url}/api"})
    theirs, ours = slack.requests
    assert theirs.path == ours.path and theirs.method == ours.method
    assert isinstance(CHANNEL, Slack)


async def test_slack_bolts_verifier_accepts_our_signature() -> None:
    """The signature that the tests make by hand is the one that Slack's own library demands."""
    module = pytest.importorskip("slack_sdk.signature", reason="needs slack_sdk")

    class Clock(module.Clock):  # type: ignore[misc,name-defined]
        def now(self) -> float:
            return NOW.timestamp()

    hook = slack_hook(slack_message("Grüße"))
    verifier = module.SignatureVerifier("shh", Clock())
    assert verifier.is_valid(hook.body, hook.headers["x-slack-request-timestamp"], hook.headers["x-slack-signature"])
