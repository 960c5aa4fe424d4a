"""Answers by mail: into the thread, signed for the way back, silent for machines, and through a real mail server."""

import asyncio
import smtplib
from collections.abc import Iterator
from email.message import Message

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from quell.channels._mail_send import compose
from quell.channels._mail_token import bounce_address
from quell.channels.email import CHANNEL
from quell.core.errors import Refused, TryAgain
from quell.core.incoming import Answer, Attachment, Hook
from tests.channels.samples import MAILBOX, TOKEN_KEY, mail, mail_hook
from tests.real.dovecot import Dovecot, dovecot
from tests.real.postfix import postfix
from tests.real.smtp_sink import Sink, smtp_sink

SETTINGS = {"address": MAILBOX, "token_key": TOKEN_KEY, "from_name": "Northwind IT"}


def answer_to(raw: bytes, text: str = "Please try another cable.", **more: object) -> Answer:
    (heard,) = CHANNEL.read(mail_hook(raw), SETTINGS)
    given: dict[str, object] = {"thread": heard.own_keys, "idempotency": "told:1", **more}
    return Answer(text, heard.route, 42, 7, **given)  # type: ignore[arg-type]


def come_back(sent: Message, to: str, body: str, **headers: str) -> Hook:
    """The answer that the reporter's program writes to a mail of ours."""
    given = {"Subject": f"Re: {sent['Subject']}", "In_Reply_To": sent["Message-ID"], "Message_ID": "<three@c.example>"}
    return mail_hook(mail(body, **{**given, **headers}), to=to)


def test_an_answer_stands_in_the_reporters_thread() -> None:
    raw = mail(References="<zero@client.example>")
    sent = compose(answer_to(raw), SETTINGS)
    assert sent["To"] == "ann@client.example" and sent["From"] == f"Northwind IT <{MAILBOX}>"
    assert sent["In-Reply-To"] == "<one@client.example>"
    assert sent["References"] == "<zero@client.example> <one@client.example>"
    assert sent["Subject"].startswith("Re: Screen [#42-") and sent["Date"]
    assert sent["Auto-Submitted"] == "auto-replied" and sent["X-Auto-Response-Suppress"] == "All"
    body = sent.get_content()
    assert body.startswith("##- Please reply above this line -##") and "another cable" in body


def test_a_persons_answer_does_not_call_itself_automatic() -> None:
    sent = compose(answer_to(mail(), automatic=False), SETTINGS)
    assert sent["Auto-Submitted"] is None and sent["X-Loop"] == MAILBOX


def test_the_same_answer_has_the_same_id_and_another_one_another() -> None:
    ids = [compose(answer_to(mail(), idempotency=key), SETTINGS)["Message-ID"] for key in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("<quell.42.") and ids[0].endswith("@quell.example>")


@pytest.mark.parametrize("lost", [(), ("In_Reply_To",), ("In_Reply_To", "Subject")])
def test_the_reply_finds_its_report_by_whatever_of_it_survived(lost: tuple[str, ...]) -> None:
    sent = compose(answer_to(mail()), SETTINGS)
    hook = come_back(sent, sent["Reply-To"], "Done.", **{key: "" for key in lost})
    (heard,) = CHANNEL.read(hook, SETTINGS)
    assert heard.thread[0] == "report:42" and heard.loop == ()


@pytest.mark.parametrize(("lost", "key"), [((), "mail:<quell.42."), (("In_Reply_To",), "report:42")])
def test_it_finds_it_without_the_signed_address_too(lost: tuple[str, ...], key: str) -> None:
    sent = compose(answer_to(mail()), SETTINGS)
    (heard,) = CHANNEL.read(come_back(sent, MAILBOX, "Done.", **{each: "" for each in lost}), SETTINGS)
    assert heard.thread[0].startswith(key)


def test_where_addresses_take_no_plus_none_is_used() -> None:
    sent = compose(answer_to(mail()), {**SETTINGS, "plus_address": "no"})
    assert sent["Reply-To"] is None and "[#42-" in sent["Subject"]


def test_hostile_headers_stay_in_their_place() -> None:
    raw = mail(Subject="=?utf-8?q?x=0D=0ABcc:_all@x.example?=", From="=?utf-8?q?A=0D=0AB?= <ann@client.example>")
    sent = compose(answer_to(raw), SETTINGS)
    assert sent["Bcc"] is None and "Bcc: all@x.example" in sent["Subject"]


def test_a_long_thread_keeps_its_first_and_its_latest_mails() -> None:
    raw = mail(References=" ".join(f"<{n}@x>" for n in range(90)))
    sent = compose(answer_to(raw), SETTINGS)
    chain = sent["References"].split()
    assert len(chain) == 20 and chain[0] == "<0@x>" and chain[-1] == "<one@client.example>"


def test_files_go_along() -> None:
    files = (Attachment("a.txt", "text/plain", b"x"), Attachment("b", "odd", b"y"))
    sent = compose(answer_to(mail(), attachments=files), SETTINGS)
    assert [each.get_filename() for each in sent.iter_attachments()] == ["a.txt", "b"]


async def test_without_an_address_nothing_can_be_sent() -> None:
    with pytest.raises(Refused):
        await CHANNEL.send(Answer("x", {}, 42, 7), {**SETTINGS, "smtp_url": "smtp://127.0.0.1:9"})


@pytest.mark.parametrize("url", ["", "http://x", "smtp://", "smtp://127.0.0.1:9", "smtp://a:hunter2@127.0.0.1:999999"])
async def test_a_server_that_is_away_or_misnamed_is_tried_later(url: str) -> None:
    with pytest.raises(TryAgain) as later:
        await CHANNEL.send(answer_to(mail()), {**SETTINGS, "smtp_url": url})
    assert "hunter2" not in str(later.value)


# --- a pretended relay


async def test_the_envelope_brings_undeliverable_mail_back_to_its_report() -> None:
    async with smtp_sink() as relay:
        sent = await CHANNEL.send(answer_to(mail()), {**SETTINGS, "smtp_url": relay.url})
    (envelope,) = relay.envelopes
    assert envelope.rcpt_tos == ["ann@client.example"] and str(envelope.mail_from).startswith("support+b42.")
    (message,) = relay.mails
    assert sent.own_keys == (f"mail:{message['Message-ID']}", "report:42")
    bounced = mail_hook(mail("Sorry.", From="mailer-daemon@client.example"), "<>", str(envelope.mail_from))
    (heard,) = CHANNEL.read(bounced, SETTINGS)
    assert heard.thread == ("report:42",) and "it came to our bounce address" in heard.loop


@pytest.mark.parametrize(
    ("relay", "kind"),
    [
        (Sink(rcpt_reply="550 5.1.1 no such user"), Refused),
        (Sink(rcpt_reply="450 4.2.0 greylisted"), TryAgain),
        (Sink(data_reply="554 5.7.1 spam"), Refused),
        (Sink(data_reply="451 4.3.0 try later"), TryAgain),
    ],
)
async def test_the_relays_refusals_are_understood(relay: Sink, kind: type[Exception]) -> None:
    async with smtp_sink(relay):
        with pytest.raises(kind):
            await CHANNEL.send(answer_to(mail()), {**SETTINGS, "smtp_url": relay.url})


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_password_is_said_to_a_relay_that_asks_for_one() -> None:
    said: list[object] = []

    def authenticator(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        said.append(data)
        return AuthResult(success=getattr(data, "password", b"") == b"p:w/1", handled=False)

    async with smtp_sink(authenticator=authenticator, auth_require_tls=False, auth_required=True) as relay:
        port = relay.port
        await CHANNEL.send(answer_to(mail()), {**SETTINGS, "smtp_url": f"smtp://it%40q:p%3Aw%2F1@127.0.0.1:{port}"})
        with pytest.raises(TryAgain):
            await CHANNEL.send(answer_to(mail()), {**SETTINGS, "smtp_url": f"smtp://it:wrong@127.0.0.1:{port}"})
    assert len(relay.envelopes) == 1 and len(said) >= 2


# --- real servers


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Dovecot]:
    """One Dovecot for all tests of this file."""
    with dovecot() as running:
        yield running


async def test_through_postfix_into_the_reporters_mailbox_and_back(mailboxes: Dovecot) -> None:
    """The answer arrives in a real mailbox in the thread; the reply to it carries everything to find its report."""
    domains = {"client.example": mailboxes.lmtp_port, "quell.example": mailboxes.lmtp_port}
    with postfix(domains) as mta:
        settings = {**SETTINGS, "smtp_url": mta.smtp_url}
        sent = await CHANNEL.send(answer_to(mail(), "Bitte ein anderes Kabel für Größe „M“ nehmen."), settings)
        (arrived,) = await asyncio.to_thread(mailboxes.mails, "ann@client.example", 1)
        assert arrived["Message-ID"] == sent.own_keys[0].removeprefix("mail:")
        assert arrived["In-Reply-To"] == "<one@client.example>" and arrived["Return-Path"].startswith("<support+b42.")
        assert "Größe „M“" in arrived.get_payload(decode=True).decode()
        unknown = await asyncio.to_thread(_bounced, settings, mta.smtp_port, mailboxes)
    (heard,) = CHANNEL.read(Hook(unknown), SETTINGS)
    assert heard.thread[0] == "report:42" and heard.loop and "failed" in heard.notes[0]


def _bounced(settings: dict[str, str], port: int, mailboxes: Dovecot) -> bytes:
    """Send to a domain that nobody takes mail for; the real bounce, as it arrives in our mailbox."""
    answer = Answer("x", {"to": "ann@client.example"}, 42, 7, idempotency="told:2")
    raw = compose(answer, settings).as_bytes()
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail(bounce_address(TOKEN_KEY, MAILBOX, 42), ["ann@refused.example"], raw)
    return mailboxes.mails(MAILBOX, 1)[0].as_bytes()
