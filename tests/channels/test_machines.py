"""Machines beside Alertmanager: each problem has one name from its first word to its last."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from quell.channels.alertmanager import CHANNEL as ALERTMANAGER
from quell.channels.generic import CHANNEL as GENERIC
from quell.channels.grafana import CHANNEL as GRAFANA
from quell.channels.pagerduty import CHANNEL as PAGERDUTY
from quell.channels.sentry import CHANNEL as SENTRY
from quell.channels.uptime_kuma import CHANNEL as UPTIME_KUMA
from quell.channels.zabbix import CHANNEL as ZABBIX
from quell.core.errors import Refused
from quell.core.incoming import Hook, Incoming, Said
from quell.seams import Channel
from tests.channels import machine_samples as told
from tests.channels.machine_samples import KEY, posted
from tests.channels.samples import NOW, captured, check_storable

SECRET = {"hook_key": KEY}


def read(channel: Channel, body: object) -> tuple[Incoming, ...]:
    hook = posted(channel.name, body)
    channel.verify(hook, SECRET, NOW)
    heard = channel.read(hook, SECRET)
    for each in heard:
        check_storable(each)
    return heard


def one(channel: Channel, body: object) -> Incoming:
    (heard,) = read(channel, body)
    return heard


# --- Grafana


def test_grafana_tells_firing_and_resolved_in_one_group_each_under_its_organisation() -> None:
    fired, over = read(GRAFANA, told.GRAFANA)
    assert fired.said is Said.FIRING and over.said is Said.RESOLVED
    assert fired.identity == "2/6d02ab19e7f3c54d" and fired.device == "dhcp-01"
    assert fired.subject == "Pool exhausted on dhcp-01" and fired.text == "0 of 1004 leases free"
    assert "B = 0" in (fired.full_text or "") and over.notes == ("This is about the monitoring itself.",)


def test_grafanas_legacy_rule_fires_and_is_over_under_one_name() -> None:
    fired = one(GRAFANA, told.GRAFANA_LEGACY)
    over = one(GRAFANA, {**told.GRAFANA_LEGACY, "state": "ok", "evalMatches": []})
    assert fired.identity == over.identity == "1/rule-7" and over.said is Said.RESOLVED
    assert fired.device == "web-1" and fired.text == "Is the traffic real?"
    for silent in ("paused", "pending", "no such state"):
        assert read(GRAFANA, {**told.GRAFANA_LEGACY, "state": silent}) == ()


@pytest.mark.parametrize("stamped", [False, True])
def test_grafanas_signature_is_checked_on_the_raw_bytes(stamped: bool) -> None:
    settings = {"hmac_secret": "new", "hmac_secret_old": "shh"}
    settings |= {"hmac_timestamp_header": "X-Time"} if stamped else {}
    body = json.dumps(told.GRAFANA, ensure_ascii=False).encode()
    stamp = str(int(NOW.timestamp()))
    signed = stamp.encode() + b":" + body if stamped else body
    right = hmac.new(b"shh", signed, hashlib.sha256).hexdigest()
    headers = {"x-grafana-alerting-signature": right, "x-time": stamp}
    assert GRAFANA.verify(Hook(body, headers), settings, NOW).source_key
    for wrong in ({**headers, "x-grafana-alerting-signature": "0" * 64}, {"x-time": stamp}):
        with pytest.raises(Refused):
            GRAFANA.verify(Hook(body, wrong), settings, NOW)
    if stamped:
        with pytest.raises(Refused):
            GRAFANA.verify(Hook(body, {**headers, "x-time": "1"}), settings, NOW)


# --- Zabbix


def test_zabbix_tells_a_problem_and_its_recovery_under_the_events_id() -> None:
    fired = one(ZABBIX, told.ZABBIX)
    over = one(ZABBIX, {**told.ZABBIX, "event_value": "0", "event_recovery_id": "9922199"})
    assert fired.identity == over.identity == "zbx-9922190" and over.said is Said.RESOLVED
    assert fired.subject == "BGP peer down on mh-rtr01" and fired.device == "mh-rtr01"
    assert fired.labels["severity"] == "High" and fired.labels["service"] == "network"
    assert "{TRIGGER.URL}" not in (fired.full_text or "")


def test_zabbix_without_an_event_id_is_named_by_host_and_trigger() -> None:
    body = {
        "hostname": "www.example.com",
        "severity": "Average",
        "status": "PROBLEM",
        "trigger": "Agent is unreachable",
    }
    fired, over = one(ZABBIX, body), one(ZABBIX, {**body, "status": "OK"})
    assert fired.identity == over.identity and over.said is Said.RESOLVED
    unknown = one(ZABBIX, {**told.ZABBIX, "opdata": "*UNKNOWN*", "nseverity": "{EVENT.NSEVERITY}"})
    assert "UNKNOWN" not in unknown.text and "severity" not in unknown.labels


# --- Uptime Kuma


def test_uptime_kuma_tells_down_and_up_under_the_monitors_id() -> None:
    down = one(UPTIME_KUMA, told.UPTIME_KUMA)
    up = one(UPTIME_KUMA, {**told.UPTIME_KUMA, "heartbeat": {"status": 1, "msg": "200 - OK"}})
    assert down.identity == up.identity == "monitor-3" and up.said is Said.RESOLVED
    assert down.subject == "Depot WAN is down" and down.device == "mh-rtr01"
    assert down.labels["site"] == "leeds" and down.labels["target"] == "mh-rtr01"


@pytest.mark.parametrize("heartbeat", [None, {"status": 2}, {"status": 3}, {}])
def test_uptime_kumas_tests_and_maintenance_say_nothing(heartbeat: object) -> None:
    assert read(UPTIME_KUMA, {**told.UPTIME_KUMA, "heartbeat": heartbeat}) == ()
    assert read(UPTIME_KUMA, {"heartbeat": None, "monitor": None, "msg": "Quell Testing"}) == ()


# --- PagerDuty


def test_pagerduty_is_answered_as_pagerduty_answers() -> None:
    receipt = PAGERDUTY.verify(posted("pagerduty", told.PAGERDUTY), SECRET, NOW)
    assert receipt.status == 202 and json.loads(receipt.body)["dedup_key"] == "kvikk-gw-01/heartbeat"
    receipt = PAGERDUTY.verify(posted("pagerduty", told.PAGERDUTY_1), SECRET, NOW)
    assert receipt.status == 200 and json.loads(receipt.body)["incident_key"] == "backup"


def test_pagerduty_triggers_and_resolves_under_the_dedup_key() -> None:
    fired = one(PAGERDUTY, told.PAGERDUTY)
    over = one(PAGERDUTY, {**told.PAGERDUTY, "event_action": "resolve", "payload": None})
    assert fired.identity == over.identity == "kvikk-gw-01/heartbeat" and over.said is Said.RESOLVED
    assert fired.device == "kvikk-gw-01" and fired.labels["severity"] == "critical"
    assert fired.text == "kvikk-gw-01: market link heartbeat lost\nNo heartbeat for 180 s."
    assert read(PAGERDUTY, {**told.PAGERDUTY, "event_action": "acknowledge"}) == ()
    assert one(PAGERDUTY, told.PAGERDUTY_1).subject == "Backup is late"


def test_a_missing_dedup_key_is_made_and_stays_the_same() -> None:
    body = {key: value for key, value in told.PAGERDUTY.items() if key != "dedup_key"}
    receipt = PAGERDUTY.verify(posted("pagerduty", body), SECRET, NOW)
    assert one(PAGERDUTY, body).identity == json.loads(receipt.body)["dedup_key"]


def test_pagerdutys_routing_key_proves_the_sender() -> None:
    settings = {"routing_key": "other", "routing_key_old": str(told.PAGERDUTY["routing_key"])}
    assert PAGERDUTY.verify(Hook(json.dumps(told.PAGERDUTY).encode()), settings, NOW).source_key
    with pytest.raises(Refused) as refused:
        PAGERDUTY.verify(Hook(json.dumps(told.PAGERDUTY).encode()), {"routing_key": "other"}, NOW)
    assert refused.value.status == 401


def test_a_real_alertmanager_speaks_it() -> None:
    (fired,) = PAGERDUTY.read(captured("pagerduty_real_04_firing.json"), {})
    (over,) = PAGERDUTY.read(captured("pagerduty_real_24_resolved.json"), {})
    assert "mountpoint = /" in fired.text and fired.labels["severity"] == "error" and fired.device is None
    assert over.said is Said.RESOLVED and over.identity != fired.identity


@pytest.mark.parametrize("spoilt", [{"event_action": "explode"}, {"payload": {}}, {"event_action": None}])
def test_pagerduty_refuses_what_is_no_event(spoilt: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        PAGERDUTY.verify(posted("pagerduty", {**told.PAGERDUTY, **spoilt}), SECRET, NOW)
    assert refused.value.status == 400


# --- Sentry


def test_sentry_tells_an_issue_its_events_and_its_end_under_one_name() -> None:
    made, event = one(SENTRY, told.SENTRY_ISSUE), one(SENTRY, told.SENTRY_EVENT)
    over = one(SENTRY, {**told.SENTRY_ISSUE, "action": "resolved"})
    assert made.identity == event.identity == over.identity == "issue-1234" and over.said is Said.RESOLVED
    assert made.text == "KeyError: 'missing'\n'missing'\nin shop/cart.py:total\nshop.cart in total"
    assert made.labels["project"] == "customer-api" and made.labels["issue"] == "API-5Q9"
    assert event.text.split("\n")[1:] == [
        '  File "shop/cart.py", line 8, in total',
        '  File "shop/app.py", line 3, in main',
    ]
    assert event.device == "web-1" and event.labels["environment"] == "prod"


def test_sentrys_metric_alert_fires_and_is_over() -> None:
    fired, over = one(SENTRY, told.SENTRY_METRIC), one(SENTRY, {**told.SENTRY_METRIC, "action": "resolved"})
    assert fired.identity == over.identity == "metric-9" and over.said is Said.RESOLVED
    assert fired.labels["severity"] == "critical" and "p95 above 3 s" in fired.text


def test_what_sentry_says_beside_problems_is_not_heard() -> None:
    for body in ({"action": "created", "data": {"installation": {}}}, {**told.SENTRY_ISSUE, "action": "assigned"}):
        assert read(SENTRY, body) == ()


def test_sentrys_signature_is_checked_on_the_raw_bytes() -> None:
    body = json.dumps(told.SENTRY_ISSUE, indent=1).encode()
    right = hmac.new(b"shh", body, hashlib.sha256).hexdigest()
    settings = {"client_secret": "shh"}
    assert SENTRY.verify(Hook(body, {"sentry-hook-signature": right}), settings, NOW).source_key
    for headers in ({}, {"sentry-hook-signature": right[:-1]}, {"sentry-hook-signature": "0" * 64}):
        with pytest.raises(Refused):
            SENTRY.verify(Hook(body, headers), settings, NOW)


# --- anything else


def test_any_json_with_a_title_is_a_problem_and_its_state_ends_it() -> None:
    fired = one(GENERIC, told.GENERIC)
    over = one(GENERIC, {**told.GENERIC, "status": "OK"})
    assert fired.identity == over.identity == "store-4" and over.said is Said.RESOLVED
    assert fired.subject == "Cold store too warm" and fired.text == "Store 4 is at 9 °C."
    assert fired.device == "cold-04" and fired.labels["site"] == "leeds"
    with pytest.raises(Refused):
        read(GENERIC, {"a": 1})


@pytest.mark.parametrize(
    ("channel", "file", "identity", "said", "device"),
    [
        (GRAFANA, "grafana/alerta_grafana_alert_alerting", "1/rule-7", Said.FIRING, "zeta.domain"),
        (GRAFANA, "grafana/alerta_grafana_alert_ok", "1/rule-7", Said.RESOLVED, None),
        (GRAFANA, "grafana/alerta_grafana_example", "1/rule-1", Said.FIRING, None),
        (ZABBIX, "zabbix/zulip_zabbix_alert", None, Said.FIRING, "www.example.com"),
        (ALERTMANAGER, "prometheus/alerta_prometheus_v4_alert", None, Said.FIRING, None),
    ],
)
def test_what_other_projects_collected_is_read(
    shared_data: Path, channel: Channel, file: str, identity: str | None, said: Said, device: str | None
) -> None:
    heard = read(channel, json.loads((shared_data / "payloads" / f"{file}.json").read_text()))[0]
    assert heard.said is said and heard.device == device and heard.subject and heard.text
    assert identity is None or heard.identity == identity
