"""Alertmanager's webhook, on requests that a real Alertmanager sent."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from quell.channels._machine import host_of
from quell.channels.alertmanager import CHANNEL
from quell.core.errors import Refused
from quell.core.incoming import Hook, Said
from tests.channels.samples import NOW, captured

SECRET = {"token": "s3cret"}


def changed(name: str, **values: object) -> Hook:
    hook = captured(name)
    return Hook(json.dumps({**json.loads(hook.body), **values}).encode(), hook.headers, path=hook.path)


def test_a_firing_alert_is_one_problem_named_by_its_fingerprint() -> None:
    (heard,) = CHANNEL.read(captured("alertmanager_real_03_firing.json"), SECRET)
    assert heard.said is Said.FIRING
    assert heard.identity == "784b4262da44bb70"
    assert heard.text == "Disk / on 127.0.0.1:18902 at 74%"
    assert heard.subject == "DiskAlmostFull on 127.0.0.1:18902"
    assert heard.labels["severity"] == "critical" and heard.labels["mountpoint"] == "/"
    assert heard.labels["status"] == "firing" and heard.labels["fingerprint"] == heard.identity
    assert heard.at == datetime(2026, 11, 23, 7, 8, 20, 119000, tzinfo=UTC)
    assert heard.sender is None and heard.device is None
    assert "runbook_url: http://example.test/rb/disk" in (heard.full_text or "")


def test_its_resolve_is_the_same_problem_over() -> None:
    (fired,) = CHANNEL.read(captured("alertmanager_real_03_firing.json"), SECRET)
    (over,) = CHANNEL.read(captured("alertmanager_real_13_resolved.json"), SECRET)
    assert over.said is Said.RESOLVED and over.identity == fired.identity
    assert over.source_key != fired.source_key
    assert over.at == datetime(2026, 11, 23, 7, 8, 22, 119000, tzinfo=UTC)


def test_a_group_that_grew_tells_the_old_alert_under_its_old_key_and_the_new_one_under_a_new_key() -> None:
    (before,) = CHANNEL.read(captured("alertmanager_real_07_firing.json"), SECRET)
    after = CHANNEL.read(captured("alertmanager_real_17_firing.json"), SECRET)
    assert len(after) == 2
    assert [each.source_key == before.source_key for each in after] == [False, True]


def test_each_alert_keeps_its_own_status_whatever_the_group_says() -> None:
    hook = captured("alertmanager_real_17_firing.json")
    body = json.loads(hook.body)
    body["alerts"][0] |= {"status": "resolved", "endsAt": "2026-11-23T07:09:00Z"}
    heard = CHANNEL.read(Hook(json.dumps(body).encode(), hook.headers), SECRET)
    assert [each.said for each in heard] == [Said.RESOLVED, Said.FIRING]


def test_a_second_try_is_the_same_delivery_and_a_later_repeat_is_heard() -> None:
    hook = captured("alertmanager_real_07_firing.json")
    at = NOW.replace(second=5)
    first = CHANNEL.verify(hook, SECRET, at)
    assert CHANNEL.verify(hook, SECRET, at + timedelta(seconds=20)) == first
    assert CHANNEL.verify(hook, SECRET, at + timedelta(hours=4)).source_key != first.source_key
    assert CHANNEL.verify(captured("alertmanager_real_17_firing.json"), SECRET, at).source_key != first.source_key


def test_left_out_alerts_are_said_and_nothing_is_concluded() -> None:
    heard = CHANNEL.read(changed("alertmanager_real_07_firing.json", truncatedAlerts=3), SECRET)
    assert len(heard) == 1 and "3 more alerts" in heard[0].notes[0]


def test_a_group_without_alerts_stores_nothing() -> None:
    assert CHANNEL.verify(changed("alertmanager_real_07_firing.json", alerts=[]), SECRET, NOW).source_key is None


def test_an_alert_without_fingerprint_is_named_by_its_labels_in_any_order() -> None:
    def hook(labels: dict[str, str]) -> Hook:
        return Hook(json.dumps({"alerts": [{"status": "firing", "labels": labels}]}).encode())

    (one,) = CHANNEL.read(hook({"alertname": "A", "instance": "db-1:9100"}), SECRET)
    (other,) = CHANNEL.read(hook({"instance": "db-1:9100", "alertname": "A"}), SECRET)
    assert one.identity and one.identity == other.identity
    assert one.device == "db-1"


@pytest.mark.parametrize(
    ("labels", "host"),
    [
        ({"instance": "ci-runner-03"}, "ci-runner-03"),
        ({"instance": "p4-main-01:9666"}, "p4-main-01"),
        ({"instance": "https://shop.example/login"}, "shop.example"),
        ({"instance": "10.0.0.1:9100", "nodename": "db-2"}, "db-2"),
        ({"instance": "127.0.0.1:18999"}, None),
        ({"instance": "[::1]:9100"}, None),
        ({"device": "/dev/vda"}, None),
    ],
)
def test_the_host_comes_from_the_labels_and_is_never_a_bare_address(labels: dict[str, str], host: str | None) -> None:
    assert host_of(labels) == host


@pytest.mark.parametrize(
    ("settings", "headers", "path"),
    [
        ({"token": "s3cret"}, {"authorization": "Bearer s3cret"}, "/"),
        ({"token": "new", "token_old": "s3cret"}, {"authorization": "bearer s3cret"}, "/"),
        ({"username": "am", "password": "p:w"}, {"authorization": "Basic YW06cDp3"}, "/"),
        ({"hook_key": "k123"}, {}, "/hooks/alertmanager/k123"),
        ({"hook_key": "k123", "token": "t"}, {"authorization": "Bearer t"}, "/hooks/alertmanager/k123"),
    ],
)
def test_bearer_basic_or_a_secret_address_prove_the_sender(
    settings: dict[str, str], headers: dict[str, str], path: str
) -> None:
    body = captured("alertmanager_real_07_firing.json").body
    assert CHANNEL.verify(Hook(body, headers, path=path), settings, NOW).source_key


@pytest.mark.parametrize(
    ("settings", "headers", "path"),
    [
        ({}, {}, "/hooks/alertmanager/"),
        ({"token": "s3cret"}, {}, "/"),
        ({"token": "s3cret"}, {"authorization": "Bearer wrong"}, "/"),
        ({"token": "s3cret"}, {"authorization": "Bearer "}, "/"),
        ({"token": "s3cret", "token_old": ""}, {"authorization": "Bearer"}, "/"),
        ({"username": "am", "password": "pw"}, {"authorization": "Basic !!!"}, "/"),
        ({"username": "am", "password": "pw"}, {"authorization": "Basic YW06d3Jvbmc="}, "/"),
        ({"hook_key": "k123"}, {}, "/hooks/alertmanager/other"),
        ({"hook_key": "k123", "token": "t"}, {}, "/hooks/alertmanager/k123"),
        ({"hook_key": "k123", "token": "t"}, {"authorization": "Bearer t"}, "/hooks/alertmanager/other"),
    ],
)
def test_without_the_right_secret_nothing_is_believed(
    settings: dict[str, str], headers: dict[str, str], path: str
) -> None:
    body = captured("alertmanager_real_07_firing.json").body
    with pytest.raises(Refused) as refused:
        CHANNEL.verify(Hook(body, headers, path=path), settings, NOW)
    assert refused.value.status == 401


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"alerts": 3}', b"nonsense", b"[" * 9999])
def test_what_is_no_group_of_alerts_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        CHANNEL.verify(Hook(body, {"authorization": "Bearer s3cret"}), SECRET, NOW)
    assert refused.value.status == 400
