"""A Slack message signed as Slack signs, posted to a running Quell: twice is once, and the answer is in its thread."""

import asyncio
import json
from datetime import UTC, datetime

import httpx

from tests.channels.samples import slack_hook, slack_message
from tests.real.http_listener import Reply, http_listener
from tests.whole_way.conftest import Town, until


def post(address: str, body: dict[str, object], at: datetime | None = None, **headers: str) -> httpx.Response:
    """Post a request as Slack does."""
    hook = slack_hook(body, at or datetime.now(UTC))
    given = {**hook.headers, "content-type": "application/json", **headers}
    return httpx.post(address, content=hook.body, headers=given, timeout=10)


async def test_a_signed_message_sent_twice_is_one_report_answered_in_its_thread(town: Town) -> None:
    async with http_listener(Reply(body=b'{"ok": true, "channel": "C1", "ts": "50.1"}')) as slack:
        given = {"signing_secret": "shh", "bot_token": "xoxb-1", "api_url": f"{slack.url}/api/"}
        address = town.add_channel("slack", **given)
        await asyncio.to_thread(_twice_is_once, town, address)
        with town.api("technician") as client:
            (ticket,) = town.tickets()
            said = client.post(f"/api/v1/tickets/{ticket['number']}/replies", json={"text": "Which bay?"})
            assert said.status_code == 201, said.text
        (request,) = await slack.wait(1, 30)
    posted = json.loads(request.body)
    assert posted["thread_ts"] == "10.1" and posted["text"] == "Which bay?"
    answered = slack_message("bay 7", ts="60.1", thread_ts="10.1")
    assert post(address, answered).status_code == 200
    (report,) = town.get(f"/tickets/{ticket['number']}/reports")["items"]
    until("reply", lambda: len(town.get(f"/reports/{report['number']}")["conversation"]) == 3)
    assert len(town.tickets()) == 1


def _twice_is_once(town: Town, address: str) -> None:
    challenge = post(address, {"type": "url_verification", "challenge": "c-1"})
    assert challenge.status_code == 200 and challenge.json() == {"challenge": "c-1"}
    message = slack_message("labels do not print", ts="10.1")
    first = post(address, message)
    again = post(address, message, **{"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"})
    assert first.status_code == again.status_code == 200
    town.sorted_ticket("ticket of the message")
    assert len(town.tickets()) == 1
    refused = post(address, message, datetime(2020, 1, 1, tzinfo=UTC))
    assert refused.status_code == 401 and refused.headers["content-type"].startswith("application/problem+json")
    assert httpx.post(address, content=b"{}", timeout=10).status_code == 401
