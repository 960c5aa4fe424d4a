"""Real mail servers around a running Quell: a mail becomes a ticket, the answer threads, the reply comes back to it."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage, Message
from email.utils import make_msgid
from pathlib import Path
from typing import Any

from tests.journey.conftest import COMPANY
from tests.real.dovecot import Dovecot, dovecot
from tests.real.postfix import Postfix, postfix
from tests.whole_way.conftest import Town, free_port, start_town, until

ANN = "p1@aldermoor.example"
BOX = "support@quell.example"


def write(mta: Postfix, body: str, to: str = BOX, answers: Message | None = None, sender: str = ANN) -> None:
    """Write a mail as a person's program does; a reply quotes what it answers."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = f"Person <{sender}>", to, make_msgid(domain="aldermoor.example")
    mail["Subject"] = f"Re: {answers['Subject']}" if answers is not None else "Label printer"
    if answers is not None:
        mail["In-Reply-To"] = answers["Message-ID"]
        mail["References"] = " ".join([*answers["References"].split(), answers["Message-ID"]])
        quoted = "\n".join(f"> {line}" for line in _words(answers).splitlines())
        body = f"{body}\n\nOn Mon, 23 Nov 2026 at 9:01, IT support <{BOX}> wrote:\n{quoted}\n"
    mail.set_content(body)
    with smtplib.SMTP("127.0.0.1", mta.smtp_port, timeout=20) as client:
        client.send_message(mail, sender, [to])


def _words(mail: Message) -> str:
    return mail.get_payload(decode=True).decode()


def conversation(town: Town, report: int) -> list[tuple[str, str]]:
    """What was said in a report."""
    return [(each["direction"], each["text"]) for each in town.get(f"/reports/{report}")["conversation"]]


def answer(town: Town, ticket: int, text: str) -> None:
    """Answer the reporters of a ticket as a technician."""
    with town.api("technician") as client:
        said = client.post(f"/api/v1/tickets/{ticket}/replies", json={"text": text})
        assert said.status_code == 201, said.text


@contextmanager
def running(home: Path, **settings: str) -> Iterator[Town]:
    """A town, stopped and its log verified at the end."""
    town = start_town(home, COMPANY, **settings)
    try:
        yield town
    finally:
        town.stop()
    assert "verified" in town.quell("audit", "verify")


def back_and_forth(town: Town, mta: Postfix, mailboxes: Dovecot) -> dict[str, Any]:
    """A mail, its answer in the sender's mailbox, his reply, the end: one report throughout."""
    write(mta, "The label printer at bay 7 is jammed.")
    ticket = town.sorted_ticket("ticket of the mail")
    (report,) = town.get(f"/tickets/{ticket['number']}/reports")["items"]
    assert report["channel"] == "email" and report["reporter"]["email"] == ANN
    answer(town, ticket["number"], "Does the lid close?")
    (asked,) = mailboxes.mails(ANN, 1)
    assert asked["In-Reply-To"] and asked["Subject"].startswith("Re: Label printer") and "lid close" in _words(asked)
    write(mta, "No, it does not.", asked["Reply-To"], asked)
    until("reply in the report", lambda: len(conversation(town, report["number"])) == 3)
    assert conversation(town, report["number"]) == [
        ("in", "The label printer at bay 7 is jammed."),
        ("out", "Does the lid close?"),
        ("in", "No, it does not."),
    ]
    with town.api("technician") as client:
        assert client.post(f"/api/v1/tickets/{ticket['number']}/closure", json={"solved_by": "new lid"}).is_success
    _, ended = mailboxes.mails(ANN, 2)
    assert "new lid" in _words(ended) and ended["Auto-Submitted"] == "auto-replied"
    assert asked["Message-ID"] in ended["References"]
    assert len(town.tickets()) == 1
    return ticket


def test_mail_delivered_by_postfix_and_answered_through_it(home: Path) -> None:
    lmtp_port = free_port()
    with dovecot() as mailboxes, postfix({"aldermoor.example": mailboxes.lmtp_port, "quell.example": lmtp_port}) as mta:
        with running(home, QUELL_LMTP_PORT=str(lmtp_port)) as town:
            town.add_channel("email", address=BOX, smtp_url=mta.smtp_url)
            ticket = back_and_forth(town, mta, mailboxes)
            _, ended = mailboxes.mails(ANN, 2)
            write(mta, "It is jammed again.", ended["Reply-To"], ended)
            until("reopened ticket", lambda: town.get(f"/tickets/{ticket['number']}")["status"] in ("new", "open"))
            write(mta, "Let me in.", ended["Reply-To"], ended, "p2@aldermoor.example")
            until("ticket of the stranger", lambda: len(town.tickets()) == 2)


def test_mail_fetched_from_a_mailbox_by_imap(home: Path) -> None:
    with dovecot() as mailboxes:
        domains = {"aldermoor.example": mailboxes.lmtp_port, "quell.example": mailboxes.lmtp_port}
        with postfix(domains) as mta, running(home) as town:
            town.add_channel("email", address=BOX, smtp_url=mta.smtp_url, imap_url=mailboxes.imap_url(BOX))
            back_and_forth(town, mta, mailboxes)


def test_mail_that_cannot_be_delivered_comes_back_to_its_report(home: Path) -> None:
    """Postfix knows nobody for the reporter's domain any more: its real bounce is filed, and the ticket stays ended."""
    lmtp_port = free_port()
    with postfix({"quell.example": lmtp_port}) as mta:
        with running(home, QUELL_LMTP_PORT=str(lmtp_port)) as town:
            town.add_channel("email", address=BOX, smtp_url=mta.smtp_url)
            write(mta, "The label printer is jammed.", sender="gone@nowhere.invalid")
            ticket = town.sorted_ticket("ticket of the mail")
            (report,) = town.get(f"/tickets/{ticket['number']}/reports")["items"]
            with town.api("technician") as client:
                client.post(f"/api/v1/tickets/{ticket['number']}/closure", json={"solved_by": "new lid"})
            until("returned mail", lambda: len(conversation(town, report["number"])) == 3)
            assert "Delivery to gone@nowhere.invalid: failed" in conversation(town, report["number"])[2][1]
            assert town.get(f"/tickets/{ticket['number']}")["status"] == "resolved" and len(town.tickets()) == 1
