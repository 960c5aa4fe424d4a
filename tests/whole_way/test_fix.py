"""A ticket, a plan, a yes, a fix on a real device and its proof; and the twin that fails, is undone and handed over."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.whole_way.conftest import Town, until
from tests.whole_way.devices import full_disk, stopped_nginx


def fix_in(town: Town, number: int, *states: str) -> dict[str, Any]:
    """The ticket's fix, once it is in one of these states."""

    def there() -> dict[str, Any] | None:
        return next((each for each in town.get(f"/tickets/{number}/fixes")["items"] if each["state"] in states), None)

    found: dict[str, Any] = until(f"fix that is {' or '.join(states)}", there)
    return found


def consent(town: Town, number: int, fix: dict[str, Any]) -> None:
    """Say yes to exactly this plan."""
    with town.api() as client:
        answer = client.post(
            f"/api/v1/tickets/{number}/fixes/{fix['id']}/consent", json={"plan_hash": fix["plan_hash"]}
        )
        assert answer.status_code == 201, answer.text


def kinds(town: Town, number: int) -> list[str]:
    """The kinds of events in the ticket's timeline."""
    return [each["kind"] for each in town.get(f"/tickets/{number}/timeline")["items"]]


def test_a_nearly_full_disk_is_freed_proven_and_closed(busy_town: Town, tmp_path: Path) -> None:
    with full_disk(busy_town, tmp_path) as (box, mount):
        number = box.ticket()
        planned = fix_in(busy_town, number, "planned")
        assert planned["action"] == "free_disk_space" and planned["params"] == {"mount": str(mount)}
        files = planned["plan"]["plan"]["steps"][0]["files"]
        assert len(files) == 11 and all("/spool/old" in each["path"] for each in files)
        assert box.inside(mount / "spool/old1.log").exists(), "nothing runs without a yes"
        with busy_town.api() as client:
            path = f"/api/v1/tickets/{number}/fixes/{planned['id']}/consent"
            assert client.post(path, json={"plan_hash": "0" * 64}).status_code == 409
        consent(busy_town, number, planned)
        held = fix_in(busy_town, number, "held")
        assert held["before"]["passed"] is False and held["after"]["passed"] is True
        assert not box.inside(mount / "spool/old1.log").exists()
        assert box.inside(mount / "keep/precious").exists() and box.inside(mount / "spool/link.log").is_symlink()
        until("ended ticket", lambda: busy_town.get(f"/tickets/{number}")["status"] == "resolved")
        assert kinds(busy_town, number).count("ticket_resolved") == 1
        kept = [each["kind"] for each in busy_town.get(f"/tickets/{number}/evidence")["items"]]
        assert "telemetry" in kept


def test_a_stopped_nginx_is_restarted_and_answers(busy_town: Town, tmp_path: Path) -> None:
    with stopped_nginx(busy_town, tmp_path) as (box, address):
        number = box.ticket()
        planned = fix_in(busy_town, number, "planned")
        assert planned["action"] == "restart_service" and planned["params"]["service"] == "nginx"
        with pytest.raises(httpx.TransportError):
            httpx.get(address)
        consent(busy_town, number, planned)
        fix_in(busy_town, number, "held")
        assert httpx.get(address).text == "well"
        until("ended ticket", lambda: busy_town.get(f"/tickets/{number}")["status"] == "resolved")


def test_a_fix_that_does_not_help_is_undone_and_handed_to_a_person(busy_town: Town, tmp_path: Path) -> None:
    with stopped_nginx(busy_town, tmp_path, "return 503") as (box, address):
        number = box.ticket()
        first = fix_in(busy_town, number, "planned")
        with busy_town.api() as client:
            assert client.delete(f"/api/v1/tickets/{number}/fixes/{first['id']}/consent").status_code == 200
            asked = {
                "device": box.hostname,
                "action": "restart_service",
                "params": {"service": "nginx", "url": address},
            }
            assert client.post(f"/api/v1/tickets/{number}/fixes", json=asked).status_code == 202
        planned = fix_in(busy_town, number, "planned")
        consent(busy_town, number, planned)
        undone = fix_in(busy_town, number, "undone", "failed")
        assert undone["state"] == "undone" and undone["after"]["passed"] is False
        with pytest.raises(httpx.TransportError):
            httpx.get(address)
        found = busy_town.get(f"/tickets/{number}")
        assert found["status"] == "new" and found["needs_yes"]
        assert "handed_over" in kinds(busy_town, number)
