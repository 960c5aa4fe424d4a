"""A small company and messages for the models' tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from quell.core.company import Category, Company, Device, Person, Service, Site, Team
from quell.core.reading import Message

MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def company() -> Company:
    """Two sites, three teams, four categories."""
    return Company(
        name="Small Works",
        timezone="Europe/Amsterdam",
        business_hours={"mon": (("08:00", "18:00"),)},
        sites=(Site("hq", "Harbour House", ("HQ",)), Site("depot", "Depot North", ())),
        services=(
            Service("mail", "Mail", "E-mail and calendar", ("Outlook",), 2, "net"),
            Service("wifi", "Wireless", "Wi-Fi in all buildings", ("wlan", "wifi"), 1, "net"),
            Service("erp", "Ledgerly (accounts)", "Invoices and bookings", (), 1, "apps"),
        ),
        teams=(
            Team("net", "Network", "Lines, wifi, mail"),
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
            Person("bob@small.example", "Bob Birch", "Depot", "depot"),
            Person("cyd@small.example", "Cyd Cole", "Board", "hq", vip=True),
        ),
        devices=(
            Device("lt-001", "ann@small.example", "laptop", "Windows 11", "hq"),
            Device("ap-hq-1", None, "network", "", "hq"),
        ),
        priorities={
            "P1": "The whole business stands still.",
            "P2": "A site or a team cannot work.",
            "P3": "One person cannot work.",
            "P4": "Requests and questions that can wait.",
        },
    )


@pytest.fixture(scope="session")
def message() -> Callable[..., Message]:
    """Makes a message by Ann on Slack unless told otherwise."""
    return _message


def _message(number: int, text: str, minutes: float = 0, **more: object) -> Message:
    fields: dict[str, object] = {"channel": "slack", "sender": "ann@small.example", **more}
    return Message(id=f"m{number}", at=MONDAY + timedelta(minutes=minutes), text=text, **fields)  # type: ignore[arg-type]
