"""Slack through the real rooms: one message sent twice, threads, edits, and answers that come back as events."""

import json

import pytest

from quell.journey.intake import room as intake
from quell.store import listing
from tests.channels.samples import slack_hook, slack_message
from tests.real.http_listener import Reply, http_listener


@pytest.fixture
async def slack():
    async with http_listener(Reply(body=b'{"ok": true, "channel": "C1", "ts": "50.1"}')) as running:
        yield running


@pytest.fixture
async def key(scene, slack):
    settings = {"signing_secret": "shh", "bot_token": "xoxb-1", "api_url": f"{slack.url}/api/"}
    return (await scene.desk.switch_on("slack", settings, "test")).path.rsplit("/", 1)[1]


async def arrive(scene, key: str, body: dict[str, object], **headers: str) -> None:
    hook = slack_hook(body, scene.time[0])
    hook.headers.update(headers)
    await intake.take(scene.house, key, hook)
    await scene.drain()
    scene.pass_time(seconds=30)


async def conversations(scene) -> list[list[tuple[str, str]]]:
    """What was said in each report, oldest report first."""
    async with scene.house.store.read() as connection:
        page = await listing.tickets_page(connection, listing.Filter("all"), 0, 200)
        told = []
        for each in sorted(page.items, key=lambda one: one["number"]):
            (report,) = await listing.reports_of(connection, each["number"])
            whole = await listing.one_report(connection, report["number"])
            told.append([(said["direction"], said["text"]) for said in whole["conversation"]])
    return told


async def test_a_signed_message_sent_twice_is_one_report(scene, key):
    await arrive(scene, key, slack_message("labels do not print", ts="10.1"))
    retry = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    await arrive(scene, key, slack_message("labels do not print", ts="10.1"), **retry)
    assert await conversations(scene) == [[("in", "labels do not print")]]


async def test_an_answer_and_what_anybody_writes_in_the_thread_belong_together(scene, key, slack, mara):
    await arrive(scene, key, slack_message("labels do not print", ts="10.1"))
    await scene.desk.reply(mara, 1, "Which bay?")
    await scene.drain()
    posted = json.loads(slack.requests[0].body)
    assert posted["thread_ts"] == "10.1" and posted["text"] == "Which bay?"
    own = slack_message("Which bay?", ts="50.1", thread_ts="10.1", bot_id="B1", user="UBOT")
    await arrive(scene, key, own)
    await arrive(scene, key, slack_message("bay 7", ts="60.1", thread_ts="10.1"))
    await arrive(scene, key, slack_message("bay 9 too", ts="61.1", thread_ts="10.1", user="U2"))
    edit = {"message": {"user": "U1", "text": "bay 8", "ts": "60.1", "edited": {"ts": "62.0"}}}
    await arrive(
        scene, key, slack_message(ts="62.1", subtype="message_changed", previous_message={"text": "bay 7"}, **edit)
    )
    (told,) = await conversations(scene)
    assert told[:4] == [("in", "labels do not print"), ("out", "Which bay?"), ("in", "bay 7"), ("in", "bay 9 too")]
    assert told[4][1].startswith("bay 8")


async def test_two_messages_outside_of_a_thread_are_two_reports(scene, key):
    await arrive(scene, key, slack_message("labels do not print", ts="10.1"))
    await arrive(scene, key, slack_message("my laptop is slow", ts="11.1"))
    assert len(await conversations(scene)) == 2
