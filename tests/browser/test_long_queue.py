"""A long queue: pages by cursor, many at once with one undo, and a storm of changes under which nothing moves."""

import asyncio
import threading
from typing import Any

from quell.core.permission import Role
from tests.browser.conftest import Served, live, sign_in
from tests.store.test_queue import fill

STORM_EVENTS = 150
STORM_PAUSE_S = 0.02


def places(page: Any) -> dict[str, float]:
    script = (
        "Object.fromEntries([...document.querySelectorAll('tr.row')].map(r => [r.id, r.getBoundingClientRect().top]))"
    )
    return dict(page.evaluate(script))


def test_more_rows_come_below_and_there_is_one_cursor(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    served.do(fill(served.house.store.engine, 130))
    sign_in(page, "Mara Lindqvist")
    live(page)
    assert page.locator("tr.row").count() == 60
    for expected in (120, 130):
        page.get_by_role("button", name="Show more").or_(page.get_by_role("link", name="Show more")).click()
        page.wait_for_function("n => document.querySelectorAll('tr.row').length === n", arg=expected)
    numbers = page.eval_on_selector_all("tr.row", "rows => rows.map(row => row.dataset.number)")
    assert len(set(numbers)) == 130
    assert page.locator("tr.row[aria-current='true']").count() == 1
    assert page.get_by_text("Show more").count() == 0


def test_many_are_accepted_at_once_and_taken_back_by_one_key(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    for n in range(1, 5):
        served.tell(n, f"Label printer {n} is dead", f"Printer {n}")
    served.settled()
    sign_in(page, "Mara Lindqvist")
    live(page)
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    assert page.inner_text("[data-selected]") == "3"
    page.keyboard.press("a")
    page.wait_for_selector(".toast:has-text('3 tickets accepted')")
    page.wait_for_function("() => document.querySelectorAll('tr.row .conf').length === 1")
    page.keyboard.press("z")
    page.wait_for_function("() => document.querySelectorAll('tr.row .conf').length === 4")


def test_under_a_storm_of_changes_no_row_moves_and_no_key_is_lost(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    served.do(fill(served.house.store.engine, 60))
    sign_in(page, "Mara Lindqvist")
    live(page)
    before = places(page)
    order = list(before)
    at = order.index(f"t-{page.get_attribute('tr.row[aria-current=true]', 'data-number')}")

    async def storm() -> None:
        for n in range(STORM_EVENTS):
            async with served.house.store.change() as change:
                await change.record(f"ticket:{n % 60 + 1}", "note_added", "system", {})
            await asyncio.sleep(STORM_PAUSE_S)

    blowing = threading.Thread(target=lambda: served.do(storm()))
    blowing.start()
    steps = min(15, len(order) - at - 1)
    for _ in range(steps):
        page.keyboard.press("j")
        page.wait_for_timeout(60)
    scrolled = page.evaluate("document.scrollingElement.scrollTop")
    blowing.join()
    page.wait_for_timeout(600)
    after = places(page)
    assert list(after) == order
    moved = {name for name in order if abs(after[name] + scrolled - before[name]) > 1}
    assert not moved, f"{len(moved)} rows have moved"
    assert page.get_attribute("tr.row[aria-current=true]", "id") == order[at + steps]
