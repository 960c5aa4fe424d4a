"""The API and the hooks over HTTP, on a real database: contracts, roles, limits, problems, doing things once."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from fastapi import FastAPI

from quell.core.permission import Role
from quell.store import tokens
from quell.web import faults
from quell.web.doors import Doors
from quell.web.programs import add_programs
from tests.journey.conftest import COMPANY, Scene, scene  # noqa: F401


@pytest_asyncio.fixture
async def api(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    app = FastAPI()
    faults.install(app)
    add_programs(app, Doors(scene.house, scene.desk))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://quell") as client:
        yield client


async def bearer(scene: Scene, role: Role) -> dict[str, str]:  # noqa: F811
    async with scene.house.store.change() as change:
        return {"authorization": f"Bearer {await tokens.create(change, str(role), role, 'test')}"}


REPORT = {"reporter": "p1@aldermoor.example", "subject": "Labels", "text": "labels do not print"}


async def test_a_report_is_taken_and_its_ticket_is_sorted_by_the_queue(scene, api):  # noqa: F811
    technician = await bearer(scene, Role.TECHNICIAN)
    told = await api.post("/api/v1/reports", json=REPORT, headers=technician)
    assert told.status_code == 202 and told.json()["ticket"] is not None
    await scene.drain()
    number = told.json()["ticket"]
    found = (await api.get(f"/api/v1/tickets/{number}", headers=technician)).json()
    assert found["number"] == number and found["title"] == "Labels" and found["status"] == "new"
    for name in ("category", "owner", "priority"):
        assert set(found[name]) >= {"value", "set_by", "confidence", "reasons"}
    listed = (await api.get("/api/v1/tickets", headers=technician)).json()
    assert [each["number"] for each in listed["items"]] == [number] and listed["next"] is None
    for noun in ("timeline", "reports", "proposals", "evidence", "fixes"):
        assert "items" in (await api.get(f"/api/v1/tickets/{number}/{noun}", headers=technician)).json()
    report = (await api.get(f"/api/v1/reports/{told.json()['number']}", headers=technician)).json()
    assert report["conversation"][0]["text"] == "labels do not print" and report["counts_to"] == number


async def test_nouns_change_fields_close_and_take_back(scene, api):  # noqa: F811
    technician = await bearer(scene, Role.TECHNICIAN)
    number = await scene.tell(1, "labels do not print")
    changed = await api.put(f"/api/v1/tickets/{number}/category", json={"value": "laptops"}, headers=technician)
    assert changed.status_code == 200 and changed.json()["category"]["set_by"] == "person"
    stale = await api.put(f"/api/v1/tickets/{number}/owner", json={"value": "desk", "version": 1}, headers=technician)
    assert stale.status_code == 409 and stale.headers["content-type"] == "application/problem+json"
    second = await scene.tell(2, "labels dead")
    joined = await api.post(f"/api/v1/tickets/{number}/joins", json={"ticket": second}, headers=technician)
    assert joined.status_code == 201 and joined.json()["reports"] == 2
    rows = (await api.get(f"/api/v1/tickets/{number}/reports", headers=technician)).json()["items"]
    left = await api.delete(f"/api/v1/tickets/{number}/joins/{rows[1]['number']}", headers=technician)
    assert left.status_code == 200 and left.json()["number"] == second and left.json()["joined_to"] is None
    closed = await api.post(f"/api/v1/tickets/{number}/closure", json={"solved_by": "restarted"}, headers=technician)
    assert closed.status_code == 201 and closed.json()["status"] == "resolved"
    opened = await api.delete(f"/api/v1/tickets/{number}/closure", headers=technician)
    assert opened.json()["status"] == "open"


async def test_a_post_with_an_idempotency_key_is_done_once(scene, api):  # noqa: F811
    headers = {**await bearer(scene, Role.INTEGRATION), "idempotency-key": "k1"}
    first = await api.post("/api/v1/reports", json=REPORT, headers=headers)
    again = await api.post("/api/v1/reports", json=REPORT, headers=headers)
    other = await api.post("/api/v1/reports", json={**REPORT, "text": "else"}, headers=headers)
    assert first.json() == again.json() and first.status_code == again.status_code == 202
    assert other.status_code == 422
    free = await bearer(scene, Role.INTEGRATION)
    assert (await api.post("/api/v1/reports", json=REPORT, headers=free)).json()["number"] != first.json()["number"]


async def test_roles_are_kept(scene, api):  # noqa: F811
    number = await scene.tell(1, "labels do not print")
    reporter, auditor = await bearer(scene, Role.REPORTER), await bearer(scene, Role.AUDITOR)
    assert (await api.get(f"/api/v1/tickets/{number}")).status_code == 401
    assert (await api.get(f"/api/v1/tickets/{number}", headers={"authorization": "Bearer no"})).status_code == 401
    assert (await api.get(f"/api/v1/tickets/{number}", headers=reporter)).status_code == 403
    assert (await api.get(f"/api/v1/tickets/{number}", headers=auditor)).status_code == 200
    put = await api.put(f"/api/v1/tickets/{number}/category", json={"value": "laptops"}, headers=auditor)
    assert put.status_code == 403
    assert (await api.put("/api/v1/company", json=COMPANY, headers=auditor)).status_code == 403


async def test_bad_input_gets_a_problem_document_and_stores_nothing(scene, api):  # noqa: F811
    technician = await bearer(scene, Role.TECHNICIAN)
    deep = b'{"text": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    for body, status in ((b"{", 400), (b"[]", 400), (b"{}", 400), (deep, 400), (b'"x"', 400)):
        answer = await api.post("/api/v1/reports", content=body, headers=technician)
        assert answer.status_code == status, body[:20]
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail"} <= set(answer.json())
    huge = await api.post("/hooks/alertmanager/nokey", content=b" " * (1024 * 1024 + 1))
    assert huge.status_code == 413
    assert (await api.get("/api/v1/tickets", headers=technician)).json()["items"] == []
    assert (await api.get("/api/v1/tickets/99", headers=technician)).status_code == 404
    assert (await api.put("/api/v1/tickets/99/colour", json={}, headers=technician)).status_code == 404


async def test_a_bad_company_lists_every_fault_and_loads_nothing(scene, api):  # noqa: F811
    owner = await bearer(scene, Role.OWNER)
    bad = {**COMPANY, "name": "", "timezone": "Mars/Olympus", "teams": [{"key": "a"}]}
    answer = await api.put("/api/v1/company", json=bad, headers=owner)
    places = {each["place"] for each in answer.json()["faults"]}
    assert answer.status_code == 422 and {"$.name", "$.timezone", "teams[0].name"} <= places
    assert (await api.get("/api/v1/company", headers=owner)).json()["name"] == "Aldermoor"


async def test_hooks_answer_503_when_we_fail_and_404_for_no_channel(scene, api):  # noqa: F811
    owner = await bearer(scene, Role.OWNER)
    made = await api.post("/api/v1/channels", json={"name": "alertmanager"}, headers=owner)
    address = made.json()["address"]
    body = json.dumps({"version": "4", "status": "firing", "alerts": [], "groupKey": "x", "receiver": "q"})
    assert (await api.post("/hooks/alertmanager/other", content=body)).status_code == 404
    assert (await api.post(address.replace("alertmanager", "slack"), content=body)).status_code == 404
    async with scene.house.store.change() as change:
        from sqlalchemy import text

        await change.connection.execute(text("ALTER TABLE delivery RENAME TO delivery_gone"))
    alert = {"labels": {"alertname": "X"}, "status": "firing", "fingerprint": "f", "startsAt": "2026-03-09T09:00:00Z"}
    body = json.dumps({"version": "4", "status": "firing", "alerts": [alert], "groupKey": "x", "receiver": "q"})
    failed = await api.post(address, content=body)
    assert failed.status_code == 503 and failed.headers["retry-after"]


async def test_too_many_calls_are_told_to_wait(scene, api):  # noqa: F811
    from quell.web.rate import Rate

    technician = await bearer(scene, Role.TECHNICIAN)
    doors = api._transport.app.state.doors
    object.__setattr__(doors, "api_rate", Rate(2, 0.5))
    codes = [(await api.get("/api/v1/tickets", headers=technician)).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]


async def test_health_and_metrics(scene, api):  # noqa: F811
    assert (await api.get("/healthz")).text == "ok\n" and (await api.get("/readyz")).text == "ready\n"
    await scene.tell(1, "labels do not print")
    assert "quell_tickets_open 1\n" in (await api.get("/metrics")).text


async def test_a_collision_or_a_database_that_is_away_is_said_as_such(scene, api):  # noqa: F811
    from quell.core.errors import TryAgain

    app = api._transport.app

    @app.get("/collides")
    async def collides() -> None:
        raise TryAgain("somebody else changed the same at the same moment")

    answer = await api.get("/collides")
    assert answer.status_code == 503 and answer.headers["retry-after"] and "same moment" in answer.json()["detail"]
