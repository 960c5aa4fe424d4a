"""Every page with a day's work in it, wide and narrow, light and dark: no sideways scroll, no complaint by axe-core."""

from pathlib import Path
from typing import Any

import pytest

from quell.core.permission import Role
from quell.core.portal_link import portal_path
from quell.journey.spoken import Seen
from tests.browser.conftest import Served, shoot, sign_in, watch

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SIZES = (("wide", 1440, 900), ("split", 1024, 768), ("narrow", 390, 844))
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 6
HOSTILE = f"<script>alert(1)</script> \u202egnp.exe {LONG} مرحبا"


def days_work(served: Served) -> dict[str, str]:
    """An outage of a dozen reports, some single tickets, one hostile, one solved; the addresses to look at."""
    mara = served.add(Role.OWNER, "Mara Lindqvist")
    served.model.joins = {"labels": 1}
    served.model.priorities = {"labels": "P2", "licence": "P4"}
    for n in range(1, 13):
        served.tell(n, f"The labels do not print at packing station {n}, error 502", f"No labels, station {n}")
    served.settled()
    seen = [Seen(number) for number in range(2, 10)]
    served.do(served.desk.join(mara, seen, 1))
    served.do(served.desk.accept(mara, [Seen(1)]))
    served.do(served.desk.reply(mara, 1, "We know that labels do not print. It is not your printer."))
    served.do(served.desk.note(mara, 1, "Looks like release 413."))
    served.do(served.desk.take_out(mara, 1, 9))
    for n, words in enumerate(("My screen stays black", "Please order a licence for the drawing tool", HOSTILE), 13):
        served.tell(n, words, words.splitlines()[0])
    served.settled()
    served.do(served.desk.close(mara, [Seen(13)], "The cable was loose"))
    served.settled()
    return {
        "queue": "/",
        "queue-search": "/?q=zebra",
        "ticket-incident": "/tickets/1",
        "ticket-hostile": "/tickets/15",
        "ticket-solved": "/tickets/13",
        "devices": "/devices",
        "device": "/devices/lds-print-02",
        "setup": "/setup",
        "portal": "/portal",
        "request": portal_path(b"s" * 32, 15),
        "nothing": "/tickets/9999",
    }


def test_every_page_fits_its_window_in_both_themes(browser: Any, served: Served) -> None:
    addresses = days_work(served)
    first = browser.new_context(base_url=served.url)
    page = first.new_page()
    sign_in(page, "Mara Lindqvist")
    state = first.storage_state()
    first.close()
    for size, width, height in SIZES:
        for theme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,
                base_url=served.url,
                storage_state=state,
                reduced_motion="reduce",
            )
            page = context.new_page()
            wrong = watch(page)
            for name, path in addresses.items():
                page.goto(path)
                over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                shoot(page, f"{name}-{size}-{theme}")
                assert over <= 0, f"{name} is {over} px too wide at {width}"
            context.close()
            assert wrong == []


def test_axe_finds_nothing_on_any_page(browser: Any, served: Served) -> None:
    if not AXE.is_file():
        pytest.skip("needs axe-core in node_modules (make test fetches it)")
    addresses = days_work(served)
    found = []
    for theme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme, base_url=served.url)
        page = context.new_page()
        page.goto("/login")
        found += _axe(page, f"login {theme}")
        sign_in(page, "Mara Lindqvist")
        for name, path in addresses.items():
            page.goto(path)
            found += _axe(page, f"{name} {theme}")
        context.close()
    assert found == []


def _axe(page: Any, name: str) -> list[str]:
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{name}: {each['id']}: {node['target']} {node['failureSummary']}"
        for each in result["violations"]
        for node in each["nodes"][:3]
    ]
