"""From an empty home to a triaged ticket out of a real Prometheus and Alertmanager, and its resolve."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.real.alertmanager import alertmanager
from tests.whole_way.conftest import Town, until

CHROMIUM = "/usr/bin/chromium"


def test_a_real_alert_becomes_a_sorted_ticket_and_its_resolve_closes_the_report(town: Town) -> None:
    hook = town.add_channel("alertmanager")
    with queue_page(town) as page, alertmanager(hook) as watched:
        page.get_by_text("TargetDown").first.wait_for(timeout=90_000)
        found = town.sorted_ticket("ticket of the alert")
        assert found["status"] == "new" and found["machines"] == 1
        assert found["category"]["confidence"] > 0 and found["category"]["reasons"]
        assert found["priority"]["value"] in ("P1", "P2", "P3", "P4") and found["due"]
        with answering(watched.probe_port):
            report = until("resolved report", lambda: _over(town, found["number"]))
        assert report["channel"] == "alertmanager" and report["labels"]["alertname"] == "TargetDown"
        until("ended ticket", lambda: town.get(f"/tickets/{found['number']}")["status"] == "resolved")
    assert len(town.tickets()) == 1


@contextmanager
def queue_page(town: Town) -> Iterator[Page]:
    """A technician's browser with the queue open, before anything has happened; it is never reloaded."""
    if not Path(CHROMIUM).exists():
        pytest.skip("needs chromium")
    link = re.search(r"http\S+/first-run\S+", "".join(town.lines))
    assert link is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(link[0])
        page.fill("input[name=email]", "mara@aldermoor.example")
        page.fill("input[name=name]", "Mara Lindqvist")
        for field in page.locator("input[type=password]").all():
            field.fill("correct horse battery staple")
        page.locator("form button[type=submit]").first.click()
        page.wait_for_load_state()
        page.goto(town.url + "/")
        assert page.get_by_text("TargetDown").count() == 0
        yield page
        browser.close()


@contextmanager
def answering(port: int) -> Iterator[None]:
    """Something answers where nobody did, as a target of Prometheus would."""

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(b"well 1\n")

        def log_message(self, *given: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", port), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _over(town: Town, number: int) -> Any:
    rows = town.get(f"/tickets/{number}/reports")["items"]
    return next((each for each in rows if each["state"] == "over"), None)
