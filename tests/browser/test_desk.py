"""A technician at the desk: tickets arrive by themselves, are sorted by one key, joined, parted and taken back."""

from typing import Any

from quell.core.permission import Role
from tests.browser.conftest import Served, live, shoot, sign_in


def row(page: Any, number: int) -> Any:
    return page.locator(f"#t-{number}")


def ticket_of(served: Served, report: int) -> int:
    async def look() -> int:
        from quell.store import reports

        async with served.house.store.read() as connection:
            found = (await reports.load(connection, report)).ticket
        assert found is not None
        return found

    return served.do(look())


def test_a_new_ticket_appears_on_the_open_queue_without_a_reload(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    sign_in(page, "Mara Lindqvist")
    page.wait_for_selector("text=Waiting for the first report")
    live(page)
    page.evaluate("window.sameDocument = true")
    first = ticket_of(served, served.tell(1, "The label printer blinks red and prints nothing", "Label printer dead"))
    row(page, first).wait_for(timeout=5000)
    assert "Label printer dead" in row(page, first).inner_text()
    assert page.evaluate("window.sameDocument") is True
    shoot(page, "queue-live")


def test_rows_do_not_move_while_somebody_works_and_come_in_by_the_dot(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    first = ticket_of(served, served.tell(1, "The label printer blinks red", "Label printer dead"))
    served.settled()
    sign_in(page, "Mara Lindqvist")
    live(page)
    row(page, first).wait_for()
    place = row(page, first).bounding_box()
    second = ticket_of(served, served.tell(2, "My screen stays black", "Screen black"))
    chip = page.locator("#new-rows")
    chip.wait_for(state="visible", timeout=5000)
    assert "1 new, show" in chip.inner_text()
    assert row(page, second).count() == 0
    assert row(page, first).bounding_box() == place
    shoot(page, "queue-one-new")
    page.keyboard.press(".")
    row(page, second).wait_for()
    chip.wait_for(state="hidden")


def test_a_accepts_the_proposal_and_the_cursor_goes_on_and_z_takes_it_back(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    numbers = [ticket_of(served, served.tell(n, f"Label printer {n} is dead", f"Printer {n}")) for n in (1, 2, 3)]
    served.settled()
    sign_in(page, "Mara Lindqvist")
    live(page)
    at = page.locator("tr.row[aria-current='true']")
    first = int(at.get_attribute("data-number"))
    assert row(page, first).locator(".tilde").inner_text() == "Printing"
    shoot(page, "queue-before-accept")
    page.keyboard.press("a")
    page.wait_for_selector(".toast:has-text('accepted')")
    row(page, first).locator(".tilde").wait_for(state="detached")
    assert row(page, first).locator(".pri.guess").count() == 0
    assert int(at.get_attribute("data-number")) in numbers
    assert int(at.get_attribute("data-number")) != first
    shoot(page, "queue-after-accept")
    page.keyboard.press("z")
    page.wait_for_selector(".toast:has-text('Taken back')")
    row(page, first).locator(".tilde").wait_for()


def test_a_field_is_corrected_in_the_dialog_with_the_keyboard_only(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    number = ticket_of(served, served.tell(1, "Label printer is dead", "Printer dead"))
    served.settled()
    sign_in(page, "Mara Lindqvist")
    live(page)
    page.keyboard.press("e")
    page.wait_for_selector("#sheet[open] #e-category")
    shoot(page, "edit-dialog")
    page.select_option("#e-category", "laptops")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".toast:has-text('changed')")
    page.wait_for_selector(f"#t-{number} .t-c >> text=Laptops")
    assert row(page, number).locator(".t-c .tilde").count() == 0


def test_two_tickets_are_joined_and_parted_and_each_stands_as_before(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    one = ticket_of(served, served.tell(1, "Labels do not print in Leeds", "No labels"))
    report = served.tell(2, "Labels are dead in Bristol", "Labels dead")
    two = ticket_of(served, report)
    served.settled()
    sign_in(page, "Mara Lindqvist")
    page.goto(f"/tickets/{two}")
    live(page)
    page.keyboard.press("m")
    page.click(f"#merge-found button[value='{one}']")
    page.wait_for_url(f"**/tickets/{one}")
    joined = page.locator(f"#r-{report}")
    joined.wait_for()
    assert page.locator("#p-reports .count").inner_text() == "2"
    shoot(page, "ticket-joined")
    page.goto(f"/tickets/{two}")
    assert page.url.endswith(f"/tickets/{one}#r-{report}")
    joined.get_by_role("button").click()
    page.wait_for_selector(f"#r-{report}.out")
    assert page.locator("#p-reports .count").inner_text() == "1"
    shoot(page, "ticket-parted")
    joined.get_by_role("button", name="Put back").click()
    page.wait_for_selector(f"#r-{report}:not(.out)")
    page.keyboard.press("z")
    page.wait_for_selector(f"#r-{report}.out")
    page.goto("/")
    assert row(page, one).count() == 1 and row(page, two).count() == 1
    page.goto(f"/tickets/{two}")
    assert page.url.endswith(f"/tickets/{two}")


def test_a_private_note_and_a_reply_go_where_they_should(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    number = ticket_of(served, served.tell(1, "Labels do not print", "No labels"))
    served.settled()
    sign_in(page, "Mara Lindqvist")
    page.goto(f"/tickets/{number}")
    live(page)
    page.keyboard.press("r")
    page.locator("#composer label:has-text('Private note')").click()
    page.fill("#write", "It is the gateway again.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".note:has-text('It is the gateway again.')")
    assert page.input_value("#write") == ""
    page.locator("#composer label:has-text('Reply')").first.click()
    page.fill("#write", "We are on it.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".msgs li:not(:has(.note)):has-text('We are on it.')")
    shoot(page, "ticket-conversation")


def test_a_half_written_answer_survives_what_others_do_meanwhile(page: Any, served: Served) -> None:
    mara = served.add(Role.TECHNICIAN, "Mara Lindqvist")
    number = ticket_of(served, served.tell(1, "Labels do not print", "No labels"))
    served.settled()
    sign_in(page, "Mara Lindqvist")
    page.goto(f"/tickets/{number}")
    live(page)
    page.fill("#write", "Please do not restart the")
    served.do(served.desk.note(mara, number, "Somebody else was here."))
    page.wait_for_selector(".note:has-text('Somebody else was here.')")
    assert page.input_value("#write") == "Please do not restart the"


def test_the_second_of_two_technicians_is_told_that_somebody_was_faster(page: Any, served: Served) -> None:
    mara = served.add(Role.TECHNICIAN, "Mara Lindqvist")
    number = ticket_of(served, served.tell(1, "Labels do not print", "No labels"))
    served.settled()
    sign_in(page, "Mara Lindqvist")
    page.keyboard.press("e")
    page.wait_for_selector("#sheet[open] #e-priority")
    from quell.journey.spoken import Seen

    served.do(served.desk.correct(mara, [Seen(number)], {"priority": "P1"}))
    page.select_option("#e-priority", "P4")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".toast[data-fault]:has-text('changed')")
    page.wait_for_selector(f"#t-{number} .pri[data-p='1']")


def test_solving_asks_what_helped_and_the_ticket_says_so(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    number = ticket_of(served, served.tell(1, "Labels do not print", "No labels"))
    served.settled()
    sign_in(page, "Mara Lindqvist")
    page.goto(f"/tickets/{number}")
    live(page)
    page.keyboard.press("s")
    page.fill("#s-by", "Started the gateway on release 412")
    page.keyboard.press("Enter")
    page.wait_for_selector("#p-head .banner:has-text('Started the gateway on release 412')")
    page.wait_for_selector("#timeline >> text=marked it solved")
    shoot(page, "ticket-solved")


def test_the_palette_finds_a_ticket_and_opens_it(page: Any, served: Served) -> None:
    served.add(Role.TECHNICIAN, "Mara Lindqvist")
    number = ticket_of(served, served.tell(1, "Labels do not print", "No labels"))
    served.settled()
    sign_in(page, "Mara Lindqvist")
    page.keyboard.press("Control+k")
    page.keyboard.type("labels")
    page.wait_for_selector("#palette-found [role=option]")
    shoot(page, "palette")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tickets/{number}")
