"""What every model at the seam must hold: same calls same answers, corrections count at once, chances are chances."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from quell.core.company import AllowedAction, Category, Company, Person, Service, Site, Team
from quell.core.reading import KINDS, Correction, Known, Message, OpenTicket, Reading
from quell.ml.engine import Engine, load_shipped
from quell.seams import Model

MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
SHIPPED = load_shipped()
COMPANY = Company(
    name="Small Works",
    timezone="Europe/Amsterdam",
    business_hours={"mon": (("08:00", "18:00"),)},
    sites=(Site("hq", "Harbour House", ("HQ",)), Site("depot", "Depot North", ())),
    services=(
        Service("wifi", "Wireless", "Wi-Fi in all buildings", ("wlan", "wifi"), 1, "net"),
        Service("erp", "Ledgerly (accounts)", "Invoices and bookings", (), 1, "apps"),
    ),
    teams=(
        Team("net", "Network", "Lines and wifi"),
        Team("apps", "Applications", "Ledgerly and other programs"),
        Team("desk", "Desk", "Questions, orders, laptops and printers"),
    ),
    categories=(
        Category("air", "Wireless", "Wi-Fi does not work, access points, no internet", "net"),
        Category("books", "Ledgerly", "Errors in the accounting program, invoices, bookings", "apps"),
        Category("print", "Printing", "Printers, toner, paper jam, print queue", "desk"),
        Category("ask", "Questions and orders", "How do I, please order, new laptop, advice", "desk"),
    ),
    people=(
        Person("ann@small.example", "Ann Ash", "Finance", "hq"),
        Person("bob@small.example", "Bob Birch", "", "hq"),
    ),
    priorities={
        "P1": "The whole business stands still.",
        "P2": "A site or a team cannot work.",
        "P3": "One person cannot work.",
        "P4": "Requests and questions that can wait.",
    },
)
TEXTS = (
    "wifi is down in the whole of HQ, nobody can work",
    "no wireless here either, HQ second floor",
    "could you please order a second screen for me?",
    "Ledgerly says error 500 when I book an invoice",
    "printer jammed again, paper stuck in tray two",
    "how do I share my calendar?",
    "thanks, great work!",
)


def _engine() -> Engine:
    return Engine(SHIPPED, None)


MODELS: list[Callable[[], Model]] = [_engine]
make_model = pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__.strip("_"))


def say(number: int, text: str, minutes: float = 0, sender: str | None = "ann@small.example") -> Message:
    """A message on Slack."""
    return Message(id=f"m{number}", at=MONDAY + timedelta(minutes=minutes), channel="slack", text=text, sender=sender)


def alert(number: int, minutes: float = 0, status: str = "firing", **more: str) -> Message:
    """A machine's word on the access point."""
    labels = {
        "alertname": "AccessPointDown",
        "severity": "critical",
        "instance": "ap-hq-1:9100",
        "service": "wifi",
        **more,
    }
    return Message(
        id=f"a{number}",
        at=MONDAY + timedelta(minutes=minutes),
        channel="alertmanager",
        text="access point ap-hq-1 is down",
        labels={**labels, "status": status},
        identity="f00d",
        resolved=status == "resolved",
    )


def ticket(number: int, *members: Message, **fields: str) -> OpenTicket:
    """An open ticket with fields that the model only believes."""
    return OpenTicket(number, members[0].at, members, **fields)  # type: ignore[arg-type]


def read_all(model: Model) -> list[Reading]:
    """Every text in turn, each corrected after its answer."""
    readings, open_now = [], list[OpenTicket]()
    for number, text in enumerate(TEXTS):
        message = say(number, text, number, ("ann@small.example", "bob@small.example")[number % 2])
        readings.append(model.propose(message, open_now, message.at))
        open_now.append(ticket(number + 1, message))
        model.learn(message, Correction(message.at, "incident", "print", "desk", "P3", number + 1))
    return readings


@make_model
def test_the_same_calls_give_the_same_answers(make: Callable[[], Model]) -> None:
    first, second = make(), make()
    first.fit(COMPANY)
    second.fit(COMPANY)
    assert read_all(first) == read_all(second)


@make_model
def test_fitting_anew_forgets(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    before = read_all(model)
    model.fit(COMPANY)
    assert read_all(model) == before


@make_model
def test_history_given_to_fit_counts_like_corrections_one_by_one(make: Callable[[], Model]) -> None:
    told = [Known(say(n, t, n), Correction(MONDAY, "incident", "books", "apps", "P2")) for n, t in enumerate(TEXTS)]
    whole, single = make(), make()
    whole.fit(COMPANY, told)
    single.fit(COMPANY)
    for known in told:
        single.learn(known.message, known.correction)
    asked = say(90, "the grey box hums", 60)
    assert whole.propose(asked, [], asked.at) == single.propose(asked, [], asked.at)


@make_model
def test_values_come_from_the_company_and_chances_are_chances(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    for reading in read_all(model):
        assert reading.kind.value in KINDS
        assert reading.category.value in {c.key for c in COMPANY.categories}
        assert reading.owner.value in {t.key for t in COMPANY.teams}
        assert reading.priority.value in {"P1", "P2", "P3", "P4"}
        for proposal in (reading.kind, reading.category, reading.owner, reading.priority):
            assert 0 <= proposal.confidence <= 1
            assert proposal.confidence == max(chance for _, chance in proposal.ranked)
            assert all(reason.says for reason in proposal.reasons)
        assert 0 <= reading.sure <= 1 and 0 <= reading.place_confidence <= 1
        assert all(0 <= option.chance <= 1 for option in reading.joins)
        assert model.version in reading.version


@make_model
def test_a_correction_is_in_force_for_the_next_answer(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    for number in range(6):
        message = say(number, f"the gronk on level {number} hums", number)
        model.learn(message, Correction(message.at, "incident", "books", "apps", "P2"))
    asked = say(50, "gronk hums on level nine", 30)
    reading = model.propose(asked, [], asked.at)
    assert (reading.category.value, reading.owner.value) == ("books", "apps")
    assert any("'gronk'" in reason.says or "gronk" in reason.says for reason in reading.category.reasons)


@make_model
def test_a_reply_goes_to_its_thread_whatever_it_says(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    first, other = say(1, TEXTS[0]), say(2, TEXTS[4], 1)
    reply = replace(say(3, "printer printer printer", 2), reply_to="m1")
    reading = model.propose(reply, [ticket(1, first), ticket(2, other)], reply.at)
    assert reading.place == 1
    assert reading.kind.value == "followup"


@make_model
def test_an_alerts_identity_names_its_ticket_until_it_is_long_over(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    firing, end = alert(1), alert(2, 30, "resolved")
    open_now = ticket(7, firing)
    assert model.propose(end, [open_now], end.at).place == 7
    assert model.propose(end, [open_now], end.at).kind.value == "resolved"
    over = replace(ticket(7, firing, end), over=True)
    soon, late = alert(3, 60), alert(4, 60 * 20)
    assert model.propose(soon, [over], soon.at).place == 7
    assert (
        model.propose(late, [over], late.at).place is None
        or not model.propose(late, [over], late.at).joins[0].reasons[0].source == "key"
    )


@make_model
def test_another_organisation_is_never_joined(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    first = replace(say(1, TEXTS[0]), organisation="one")
    second = replace(say(2, TEXTS[0], 1, "bob@small.example"), organisation="two")
    reading = model.propose(second, [ticket(1, first)], second.at)
    assert reading.place is None
    assert all(option.veto for option in reading.joins)


@make_model
def test_staging_is_never_joined_to_production(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    first, second = alert(1), replace(alert(2, 1, env="staging"), identity="beef")
    assert model.propose(second, [ticket(1, first)], second.at).place is None


@make_model
def test_it_answers_with_odd_input(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    for number, text in enumerate(("", "🙂", "\x00\x01", "a" * 30_000, "نظام البريد لا يعمل", "邮件无法发送")):
        message = say(number, text, number, None)
        assert model.propose(message, [], message.at).place is None


@make_model
def test_a_company_of_the_bare_minimum_can_be_read_for(make: Callable[[], Model]) -> None:
    model = make()
    bare = Company("Bare", "UTC", {}, teams=(Team("all", "Everybody"),), categories=(Category("any", "Anything"),))
    model.fit(bare)
    reading = model.propose(say(1, "help"), [], MONDAY)
    assert (reading.category.value, reading.owner.value) == ("any", "all")


@make_model
def test_likeness_is_one_for_the_same_words_and_small_for_others(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    asked = say(1, TEXTS[4])
    same, other = model.similar(asked, [say(2, TEXTS[4]), say(3, TEXTS[5])])
    assert same > 0.99 and other < 0.4
    assert list(model.similar(asked, [])) == []


@make_model
def test_a_fix_is_one_that_the_company_allows_or_none(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    full = say(1, "the disk C: of my laptop is full, 0 bytes free, only my machine")
    assert model.propose(full, [], full.at).action is None
    allowed = replace(COMPANY, actions=(AllowedAction("free_disk_space", "Remove temporary files on one device."),))
    model.fit(allowed)
    action = model.propose(full, [], full.at).action
    assert action is None or action.value == "free_disk_space"


@make_model
def test_a_second_look_names_open_tickets_and_the_older_survives(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(COMPANY)
    tickets = [
        ticket(n + 1, say(n, f"wifi is down in HQ, nobody can work, floor {n}", n, f"p{n}@x.example")) for n in range(4)
    ]
    asked = say(9, "wifi is down in HQ, nobody can work", 6, "bob@small.example")
    for young, into, chance in model.propose(asked, tickets, asked.at).second_look:
        assert {young, into} <= {1, 2, 3, 4} and into < young and 0 <= chance <= 1
