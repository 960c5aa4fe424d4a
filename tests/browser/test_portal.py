"""A reporter on the help page without scripts: he tells, follows, answers, and sees nothing that is not his."""

from collections.abc import Iterator
from typing import Any

import pytest

from quell.core.permission import Role
from quell.journey.spoken import Seen
from tests.browser.conftest import Served, shoot, watch


@pytest.fixture
def plain(browser: Any, served: Served) -> Iterator[Any]:
    """A narrow page in a browser that runs no script."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, base_url=served.url, java_script_enabled=False
    )
    made = context.new_page()
    wrong = watch(made)
    yield made
    context.close()
    assert wrong == []


def test_a_stranger_reports_follows_answers_and_says_that_it_is_solved(plain: Any, served: Served) -> None:
    mara = served.add(Role.TECHNICIAN, "Mara Lindqvist")
    plain.goto("/portal")
    plain.fill("textarea", "The label printer in bay 4 prints nothing.\nIt blinks red.")
    plain.fill("#email", "p3@aldermoor.example")
    plain.set_input_files(
        "input[type=file]", {"name": "../../bay 4.txt", "mimeType": "text/html", "buffer": b"<script>alert(1)</script>"}
    )
    shoot(plain, "portal-form-plain")
    plain.get_by_role("button", name="Send").click()
    plain.wait_for_url("**/portal/requests/**")
    assert "Thank you, it has arrived." in plain.content()
    assert "The label printer in bay 4 prints nothing." in plain.inner_text("h1")
    served.settled()
    link = plain.url.split("?")[0]

    served.do(served.desk.note(mara, 1, "Secret: he has broken it himself."))
    served.do(served.desk.reply(mara, 1, "Which colour does it blink?"))
    plain.goto(link)
    assert "Which colour does it blink?" in plain.content()
    assert "Secret" not in plain.content()
    plain.fill("textarea", "Red, three times.")
    plain.get_by_role("button", name="Send").click()
    plain.wait_for_url(link)
    assert "Red, three times." in plain.content()
    with plain.expect_download() as download:
        plain.click("a[download]")
    assert download.value.suggested_filename == "bay 4.txt"

    served.do(served.desk.close(mara, [Seen(1)], "Paper was out"))
    plain.goto(link)
    shoot(plain, "portal-request-plain")
    plain.get_by_role("button", name="Not yet").click()
    plain.wait_for_url(link)
    assert "In hand" in plain.content()


def test_a_wrong_address_is_said_and_the_words_are_still_there(plain: Any, served: Served) -> None:
    plain.goto("/portal")
    plain.fill("textarea", "Nothing works at all")
    plain.fill("#email", "p3@aldermoor.example")
    plain.fill("#website", "http://spam.test", force=True)
    plain.get_by_role("button", name="Send").click()
    assert "filled in by a program" in plain.content()
    assert plain.input_value("textarea") == "Nothing works at all"


def test_somebody_signed_in_sees_his_own_requests_only(browser: Any, served: Served) -> None:
    served.add(Role.REPORTER, "P4 Person")
    mine, other = served.tell(4, "My screen is black"), served.tell(5, "Not your business")
    served.settled()
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=served.url)
    page = context.new_page()
    page.goto("/login")
    page.fill("#email", "p4@aldermoor.example")
    page.fill("#password", "a calm short sentence")
    page.click("button.primary")
    page.wait_for_url("**/portal")
    assert "My screen is black" in page.content()
    assert "Not your business" not in page.content()
    shoot(page, "portal-mine")
    assert page.goto("/tickets/1").status == 403
    assert mine != other
    context.close()
