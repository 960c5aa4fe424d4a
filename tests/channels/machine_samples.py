"""What machines post: written by hand after the senders' documentation, and captured where a real sender ran."""

import json

from quell.core.incoming import Hook

KEY = "k123"


def posted(channel: str, body: object, **headers: str) -> Hook:
    """A request to the channel's secret address."""
    return Hook(json.dumps(body).encode(), headers, path=f"/hooks/{channel}/{KEY}")


GRAFANA = {
    "receiver": "quell",
    "status": "firing",
    "orgId": 2,
    "version": "1",
    "title": "[FIRING:1] Pool exhausted",
    "state": "alerting",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Pool exhausted", "grafana_folder": "Network", "instance": "dhcp-01"},
            "annotations": {"summary": "0 of 1004 leases free"},
            "startsAt": "2026-11-23T07:08:20Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "6d02ab19e7f3c54d",
            "silenceURL": "http://grafana.example/alerting/silence/new",
            "values": {"B": 0, "C": 1},
        },
        {
            "status": "resolved",
            "labels": {"alertname": "DatasourceError", "rulename": "Pool exhausted"},
            "annotations": {},
            "startsAt": "2026-11-23T07:00:00Z",
            "endsAt": "2026-11-23T07:05:00Z",
            "fingerprint": "77f3c54d6d02ab19",
            "valueString": "[ var='B' value=0 ]",
        },
    ],
}
GRAFANA_LEGACY = {
    "ruleId": 7,
    "ruleName": "Load peaking",
    "state": "alerting",
    "title": "[Alerting] Load peaking",
    "message": "Is the traffic real?",
    "evalMatches": [{"metric": "requests", "value": 122, "tags": {"instance": "web-1:9100"}}],
}
ZABBIX = {
    "event_id": "9922190",
    "event_value": "1",
    "event_update_status": "0",
    "nseverity": "4",
    "host": "mh-rtr01",
    "name": "BGP peer down",
    "opdata": "state: active (3)",
    "tags": json.dumps([{"tag": "service", "value": "network"}, {"tag": "scope", "value": "{EVENT.TAGS}"}]),
    "url": "{TRIGGER.URL}",
}
UPTIME_KUMA = {
    "heartbeat": {"monitorID": 3, "status": 0, "time": "2026-11-23 07:08:20.119", "msg": "timeout of 48000ms exceeded"},
    "monitor": {
        "id": 3,
        "name": "Depot WAN",
        "type": "ping",
        "hostname": "mh-rtr01",
        "url": "https://",
        "tags": [{"name": "site", "value": "leeds"}],
    },
    "msg": "[Depot WAN] [🔴 Down] timeout of 48000ms exceeded",
}
PAGERDUTY = {
    "routing_key": "R0000000000000000000000000000AAA",
    "event_action": "trigger",
    "dedup_key": "kvikk-gw-01/heartbeat",
    "payload": {
        "summary": "kvikk-gw-01: market link heartbeat lost",
        "source": "kvikk-gw-01",
        "severity": "critical",
        "custom_details": {"description": "No heartbeat for 180 s."},
    },
}
PAGERDUTY_1 = {
    "service_key": "R0000000000000000000000000000AAA",
    "incident_key": "backup",
    "event_type": "trigger",
    "description": "Backup is late",
    "client": "Healthchecks",
}
SENTRY_ISSUE = {
    "action": "created",
    "installation": {"uuid": "u-1"},
    "data": {
        "issue": {
            "id": "1234",
            "shortId": "API-5Q9",
            "title": "KeyError: 'missing'",
            "culprit": "shop.cart in total",
            "level": "error",
            "project": {"slug": "customer-api"},
            "metadata": {"type": "KeyError", "value": "'missing'", "filename": "shop/cart.py", "function": "total"},
            "firstSeen": "2026-11-23T07:08:20.000000Z",
        }
    },
}
SENTRY_EVENT = {
    "action": "triggered",
    "data": {
        "event": {
            "event_id": "a6503aef97494053999d6967ad28e78c",
            "issue_id": "1234",
            "title": "KeyError: 'missing'",
            "project_name": "customer-api",
            "level": "error",
            "tags": [["environment", "prod"], ["server_name", "web-1"], ["odd"]],
            "exception": {
                "values": [
                    {
                        "type": "KeyError",
                        "value": "'missing'",
                        "stacktrace": {
                            "frames": [
                                {"filename": "shop/app.py", "lineno": 3, "function": "main"},
                                {"filename": "shop/cart.py", "lineno": 8, "function": "total"},
                            ]
                        },
                    }
                ]
            },
        },
        "triggered_rule": "Errors in the shop",
    },
}
SENTRY_METRIC = {
    "action": "critical",
    "data": {
        "metric_alert": {"id": "9", "alert_rule": {"id": "4", "name": "Slow"}, "date_started": "2026-11-23T07:08:20Z"},
        "description_title": "Critical: Slow",
        "description_text": "p95 above 3 s",
    },
}
GENERIC = {
    "title": "Cold store too warm",
    "message": "Store 4 is at 9 °C.",
    "status": "alarm",
    "id": "store-4",
    "labels": {"site": "leeds", "host": "cold-04"},
}
