"""The fix panel: a plan with each of its effects, approved or refused by a person, and its way seen live."""

from typing import Any

from quell.core.permission import Role
from quell.store import fixes, reports, tickets
from quell.store.tables import device
from tests.browser.conftest import Served, live, shoot, sign_in
from tests.web.test_reading import PLAN, check


def planned(served: Served) -> None:
    """Ticket 1 with a fix that waits for approval."""
    served.tell(1, "The disk of the print server is full", "Disk full")
    served.settled()

    async def plan() -> None:
        async with served.house.store.change() as change:
            found = (await change.connection.execute(device.select())).one()
            await change.connection.execute(device.update().values(public_key=b"k" * 32, seen_at=change.at))
            known = await tickets.load(change.connection, 1)
            await reports.update(change.connection, known.report, device=found.id)
            reason = [["/var has 3 % free", 100, "rule"]]
            made = await fixes.add(change, 1, found.id, "free_disk_space", {"mount": "/var"}, reason, "rule:fix")
            await fixes.update(change, made, state="planned", plan=PLAN, plan_hash="ab" * 32, before=check(3, False))
            await tickets.record(change, 1, "fix_planned", "rule:fix", {"fix": made, "plan": "ab" * 32})

    served.do(plan())


def test_a_plan_is_approved_and_what_follows_is_seen_without_a_reload(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    planned(served)
    sign_in(page, "Mara Lindqvist")
    page.goto("/tickets/1")
    live(page)
    assert "Delete 2 old files below /var/cache" in page.inner_text("#p-fix")
    assert "There is no way back" in page.inner_text("#p-fix")
    shoot(page, "fix-plan")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("#timeline >> text=approved the fix")
    page.wait_for_selector("#p-fix >> text=Mara Lindqvist approved exactly this plan")
    page.wait_for_selector("#p-fix .chip.bad >> text=failed")
    assert "the order was not signed" in page.inner_text("#p-fix")
    shoot(page, "fix-failed")


def test_a_plan_is_refused_and_nothing_runs(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    planned(served)
    sign_in(page, "Mara Lindqvist")
    page.goto("/tickets/1")
    live(page)
    page.get_by_role("button", name="Refuse").click()
    page.wait_for_selector("#p-fix .chip >> text=refused")
    assert page.get_by_role("button", name="Approve").count() == 0
