"""The first five minutes: the link, the owner, the company file, a channel, a colleague, a device."""

import json
from typing import Any

from quell.store.accounts import renew_first_run
from quell.web.session import hash_token
from tests.browser.conftest import PASSWORD, Served, live, shoot
from tests.journey.conftest import COMPANY


def test_from_the_first_link_to_a_connected_channel(page: Any, served: Served) -> None:
    async def link() -> None:
        async with served.house.store.change() as change:
            assert await renew_first_run(change, hash_token("first"))

    served.do(link())
    page.goto("/first-run?token=first")
    shoot(page, "first-run")
    page.fill("#name", "Mara Lindqvist")
    page.fill("#email", "mara@aldermoor.example")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/setup")

    bad = {**COMPANY, "teams": [{"name": "no key"}], "timezone": "Nowhere/Here"}
    page.set_input_files(
        "#company-file", {"name": "c.json", "mimeType": "application/json", "buffer": json.dumps(bad).encode()}
    )
    page.get_by_role("button", name="Read this file").click()
    assert page.locator(".faults li").count() >= 2
    shoot(page, "setup-bad-file")
    good = json.dumps(COMPANY).encode()
    page.set_input_files("#company-file", {"name": "c.json", "mimeType": "application/json", "buffer": good})
    page.get_by_role("button", name="Read this file").click()
    page.wait_for_selector(".banner.good:has-text('20 people')")

    alerts = page.locator("#channel-alertmanager")
    alerts.locator("summary").click()
    alerts.get_by_role("button", name="Connect Alertmanager").click()
    page.wait_for_selector(".banner.good:has-text('/hooks/alertmanager/')")
    assert "Waiting for the first message" in page.inner_text("#channel-alertmanager")

    page.fill("#i-email", "jun@aldermoor.example")
    page.get_by_role("button", name="Make a link").click()
    page.wait_for_selector("#invited")
    shoot(page, "setup-done")

    page.goto("/devices")
    page.get_by_role("button", name="Add", exact=False).first.click()
    page.wait_for_selector("#enrol-line")
    assert "quell agent enrol --server http://127.0.0.1:" in page.inner_text("#enrol-line")
    page.goto("/")
    live(page)
