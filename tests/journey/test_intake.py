"""What arrives by hook finds its report: firing, repeat, growing group, resolve, threads, strangers, doubles."""

import json
from dataclasses import replace

import pytest

from quell.core.errors import Refused
from quell.core.incoming import Hook
from quell.journey.intake import room as intake
from quell.store import listing


def alert(name, status="firing", instance="lds-print-02:9100", starts="2026-03-09T09:00:00Z", **labels):
    ends = "0001-01-01T00:00:00Z" if status == "firing" else "2026-03-09T09:30:00Z"
    return {
        "status": status,
        "labels": {"alertname": name, "instance": instance, "severity": "warning", "service": "print", **labels},
        "annotations": {"summary": f"{name} on {instance}"},
        "startsAt": starts,
        "endsAt": ends,
        "generatorURL": "http://prometheus",
        "fingerprint": f"{name}-{instance}",
    }


def group(*alerts, truncated=0):
    body = {
        "version": "4",
        "groupKey": "{}",
        "truncatedAlerts": truncated,
        "status": "firing" if any(each["status"] == "firing" for each in alerts) else "resolved",
        "receiver": "quell",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
    }
    return Hook(json.dumps(body).encode(), {"content-type": "application/json"})


@pytest.fixture
async def key(scene):
    return (await scene.desk.switch_on("alertmanager", {}, "test")).path.rsplit("/", 1)[1]


async def post(scene, key, hook):
    hook = replace(hook, path=f"/hooks/alertmanager/{key}")
    receipt = await intake.take(scene.house, key, hook)
    await scene.drain()
    scene.pass_time(seconds=60)
    return receipt


async def shown(scene, state="all"):
    async with scene.house.store.read() as connection:
        page = await listing.tickets_page(connection, listing.Filter(state), 0, 200)
        return list(reversed(page.items))


async def report_of(scene, ticket):
    async with scene.house.store.read() as connection:
        return (await listing.reports_of(connection, ticket))[0]


async def test_a_firing_opens_one_ticket_and_its_repeat_only_counts(scene, key):
    assert (await post(scene, key, group(alert("LabelErrors")))).status == 200
    await post(scene, key, group(alert("LabelErrors")))
    scene.pass_time(hours=4)
    await post(scene, key, group(alert("LabelErrors", severity="warning")))
    found = await shown(scene)
    assert [each["status"] for each in found] == ["new"]
    report = await report_of(scene, found[0]["number"])
    assert report["device"] == "lds-print-02" and report["service"] == "print" and report["site"] == "leeds"


async def test_a_growing_group_opens_a_ticket_for_the_new_alert_only(scene, key):
    await post(scene, key, group(alert("LabelErrors")))
    await post(scene, key, group(alert("LabelErrors"), alert("LabelErrors", instance="brs-print-01:9100")))
    assert len(await shown(scene)) == 2


async def test_the_resolve_closes_the_alerts_report_and_a_ticket_of_machines_only(scene, key):
    await post(scene, key, group(alert("LabelErrors")))
    await post(scene, key, group(alert("LabelErrors", "resolved")))
    (found,) = await shown(scene)
    assert found["status"] == "resolved" and (await report_of(scene, found["number"]))["state"] == "over"


async def test_the_resolve_leaves_a_ticket_open_in_which_a_person_waits(scene, key, mara):
    await post(scene, key, group(alert("LabelErrors")))
    (first,) = await shown(scene)
    from quell.journey.spoken import Seen

    await scene.desk.join(mara, [Seen(await scene.tell(3, "labels dead"))], first["number"])
    await post(scene, key, group(alert("LabelErrors", "resolved")))
    found = (await shown(scene))[0]
    assert found["status"] == "new" and (await report_of(scene, found["number"]))["state"] == "over"


async def test_a_resolve_of_something_unknown_is_accepted_and_opens_nothing(scene, key):
    assert (await post(scene, key, group(alert("LabelErrors", "resolved")))).status == 200
    assert await shown(scene) == []


async def test_a_firing_after_the_resolve_is_a_new_report_in_the_same_problem(scene, key):
    await post(scene, key, group(alert("LabelErrors")))
    await post(scene, key, group(alert("LabelErrors", "resolved")))
    scene.pass_time(hours=1)
    await post(scene, key, group(alert("LabelErrors", starts="2026-03-09T11:00:00Z")))
    (found,) = await shown(scene)
    assert found["reports"] == 2 and found["status"] == "open"


async def test_a_firing_long_after_the_resolve_is_another_problem(scene, key):
    await post(scene, key, group(alert("LabelErrors")))
    await post(scene, key, group(alert("LabelErrors", "resolved")))
    scene.pass_time(days=14)
    await post(scene, key, group(alert("LabelErrors", starts="2026-03-23T11:00:00Z")))
    assert [each["status"] for each in await shown(scene)] == ["resolved", "new"]


async def test_nonsense_is_refused_counted_and_not_stored(scene, key):
    for body in (b"", b"{", b"[]", b'{"version": "4", "alerts": ' + b"[" * 5000):
        with pytest.raises(Refused) as refused:
            await intake.take(scene.house, key, Hook(body, path=f"/hooks/alertmanager/{key}"))
        assert refused.value.status in (400, 413)
    from sqlalchemy import func, select

    from quell.store.tables import delivery, refusal

    async with scene.house.store.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(delivery))).scalar_one() == 0
        assert (await connection.execute(select(func.sum(refusal.c.count)))).scalar_one() == 4


async def test_reading_a_delivery_twice_changes_nothing(scene, key):
    await post(scene, key, group(alert("LabelErrors")))
    before = await shown(scene)
    await intake.read(scene.house, 1)
    await scene.drain()
    assert await shown(scene) == before


async def test_the_same_words_told_twice_on_the_portal_are_two_reports(scene):
    first = await scene.tell(1, "my screen is dark")
    second = await scene.tell(1, "my screen is dark")
    assert first != second
