"""Every page renders: for each role, with nothing in it, and with text that tries to break out."""

import re

from quell.core.permission import Role
from quell.core.portal_link import portal_path
from tests.web.conftest import House
from tests.web.samples import HOSTILE

DESK_PAGES = (
    "/",
    "/?view=yes&q=label",
    "/queue",
    "/queue/rows?shown=4131,4130&other=9",
    "/tickets/4127",
    "/tickets/4127/parts",
    "/tickets/4127/talk?report=8",
    "/tickets/4131/peek",
    "/tickets/4131/why",
    "/find?q=label",
    "/devices",
    "/devices/LDS-PRINT-02",
)
WORK_PAGES = ("/corrections/form?ticket=4131", "/joins/targets?ticket=4131", "/closures/form?ticket=4131,4130")
OPEN_PAGES = ("/portal",)
ALL = (*DESK_PAGES, *WORK_PAGES, *OPEN_PAGES, "/setup")


async def test_the_owner_sees_every_page(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    for path in ALL:
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        assert "text/html" in answer.headers["content-type"]


async def test_each_role_sees_its_own_pages_and_no_other(house: House) -> None:
    for role in (Role.TECHNICIAN, Role.AUDITOR, Role.REPORTER):
        browser = await house.signed_in(role)
        seen = {path: (await browser.get(path)).status_code for path in ALL}
        expected = {path: 200 for path in OPEN_PAGES}
        expected |= {path: 200 if role != Role.REPORTER else 403 for path in DESK_PAGES}
        expected |= {path: 200 if role == Role.TECHNICIAN else 403 for path in WORK_PAGES}
        expected |= {"/setup": 403}
        if role == Role.REPORTER:
            expected |= {"/": 303, "/?view=yes&q=label": 303}
        assert seen == expected


async def test_an_auditor_sees_no_button_that_changes_a_ticket(house: House) -> None:
    browser = await house.signed_in(Role.AUDITOR)
    for path in ("/", "/tickets/4127"):
        html = (await browser.get(path)).text
        inside = html.split('id="main"')[1].split("</main>")[0]
        assert 'method="post"' not in inside
        assert "data-key=" not in inside


async def test_a_nameless_visitor_is_led_to_the_sign_in_page_and_back(house: House) -> None:
    answer = await house.browser().get("/tickets/4127?view=yes")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Ftickets%2F4127%3Fview%3Dyes"


async def test_a_part_asked_for_without_a_session_leads_the_whole_page_away(house: House) -> None:
    answer = await house.browser().get("/tickets/4131/peek", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


async def test_pages_with_nothing_in_them_say_what_comes_next(house: House) -> None:
    house.reads.empty = True
    browser = await house.signed_in(Role.OWNER)
    assert "Waiting for the first report" in (await browser.get("/")).text
    assert "Nothing fits “zebra”" in (await browser.get("/?q=zebra")).text
    assert "No device yet" in (await browser.get("/devices")).text
    assert "No company file was read yet" in (await browser.get("/setup")).text
    assert "Nothing yet" in (await browser.get("/portal")).text
    gone = await browser.get("/tickets/9999")
    assert gone.status_code == 404 and "There is no T-9999" in gone.text


async def test_hostile_text_stays_text(house: House) -> None:
    house.reads.hostile = True
    browser = await house.signed_in(Role.OWNER)
    for path in (*ALL, portal_path(b"s" * 32, 3)):
        html = (await browser.get(path)).text
        assert "<script>alert" not in html, path
        assert "<img src=x" not in html, path
        assert "62710561" not in html, path
        for attribute in re.findall(r'="([^"]*)"', html):
            assert "<script" not in attribute, path


async def test_names_and_titles_cannot_turn_the_reading_direction_of_our_words(house: House) -> None:
    house.reads.hostile = True
    browser = await house.signed_in(Role.OWNER)
    html = (await browser.get("/")).text
    rows = html.split('id="queue-list"')[1].split('id="peek"')[0]
    assert "\u202e" in HOSTILE
    assert "\u202e" not in rows


async def test_no_page_carries_inline_script_or_style(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    for path in ALL:
        html = (await browser.get(path)).text
        assert not re.search(r"<script(?![^>]* src=)", html), path
        assert "<style" not in html and not re.search(r"<[^>]+\sstyle=", html), path
        assert not re.search(r"<[^>]+\son[a-z]+=", html), path


async def test_an_unknown_address_is_a_page_for_people_and_a_problem_document_for_programs(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    page = await browser.get("/nowhere")
    program = await browser.get("/nowhere", headers={"accept": "application/json"})
    assert page.status_code == 404 and "There is nothing here" in page.text
    assert program.headers["content-type"] == "application/problem+json"
    assert program.json()["status"] == 404
