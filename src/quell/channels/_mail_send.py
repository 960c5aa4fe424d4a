"""Writes an answer as a mail into the reporter's thread and hands it to the company's mail server."""

import hashlib
import hmac
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formataddr, formatdate

import aiosmtplib

from quell.channels._clean import one_line
from quell.channels._mail_address import ids_in, is_sendable
from quell.channels._mail_reply import MARKER, is_reply_subject
from quell.channels._mail_server import Server, server_of, tls_context
from quell.channels._mail_token import bounce_address, mailbox_of, reply_address, subject_token, without_token
from quell.core.errors import Refused, TryAgain
from quell.core.incoming import Answer, Sent

TIMEOUT_S = 30.0
REFERENCES_MAX = 20
SUBJECT_CHARS_MAX = 200
RETRY_SETTINGS_S = 3_600


async def send(answer: Answer, settings: Mapping[str, str]) -> Sent:
    """Send one mail; TryAgain for 4xx and trouble on the way, Refused when the address is refused for good."""
    mail = compose(answer, settings)
    relay, server = _client(settings.get("smtp_url", ""))
    to = answer.route["to"]
    try:
        async with relay as client:
            if server.user:
                await client.login(server.user, server.password)
            await client.sendmail(_return_path(answer, settings), [to], mail.as_bytes())
    except aiosmtplib.SMTPRecipientsRefused as refused:
        raise _verdict(refused.recipients[0].code, f"{to}: {refused.recipients[0].message}") from refused
    except aiosmtplib.SMTPAuthenticationError as refused:
        raise TryAgain(f"The mail server refuses our password: {refused.message}", RETRY_SETTINGS_S) from refused
    except aiosmtplib.SMTPResponseException as refused:
        raise _verdict(refused.code, refused.message) from refused
    except (aiosmtplib.SMTPException, OSError, ValueError) as trouble:
        raise TryAgain(f"The mail server could not be reached: {type(trouble).__name__}: {trouble}") from trouble
    return Sent((f"mail:{mail['Message-ID']}", f"report:{answer.report}"))


def compose(answer: Answer, settings: Mapping[str, str]) -> EmailMessage:
    """The mail as it goes out; the same answer composed twice has the same Message-ID."""
    to, own = answer.route.get("to", ""), mailbox_of(settings.get("address", ""))
    if not is_sendable(to):
        raise Refused("The report has no mail address to answer to.", 400, "no_route")
    mail = EmailMessage(SMTP_POLICY)
    mail["From"] = formataddr((one_line(settings.get("from_name") or "IT support", 100), own))
    mail["To"] = to
    mail["Subject"] = _subject(answer, settings)
    mail["Date"] = formatdate()
    mail["Message-ID"] = _message_id(answer, own, settings.get("token_key", ""))
    _thread(mail, answer)
    key = settings.get("token_key", "")
    if key and settings.get("plus_address", "yes") != "no":
        mail["Reply-To"] = reply_address(key, own, answer.report)
    if answer.automatic:
        mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Loop"] = own
    mail.set_content(f"{MARKER}\n\n{answer.text.rstrip()}\n", cte="quoted-printable")
    for each in answer.attachments:
        main, _, sub = (each.media_type if "/" in each.media_type else "application/octet-stream").partition("/")
        mail.add_attachment(each.content, maintype=main, subtype=sub, filename=each.name)
    return mail


def _client(url: str) -> tuple[aiosmtplib.SMTP, Server]:
    if not url:
        raise TryAgain("No smtp_url is set for this mailbox, so nothing can be sent.", RETRY_SETTINGS_S)
    try:
        server = server_of(url, "smtp")
    except ValueError as wrong:
        raise TryAgain(f"The smtp_url cannot be used: {wrong}.", RETRY_SETTINGS_S) from None
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.tls == "always",
        start_tls=None if server.tls == "offered" else server.tls == "insist",
        tls_context=tls_context(server),
        timeout=TIMEOUT_S,
    )
    return client, server


def _verdict(code: int, says: str) -> Exception:
    words = one_line(says, 300)
    if 500 <= code < 600:
        return Refused(f"The mail server refused the mail for good: {code} {words}", 400, "mail_refused")
    return TryAgain(f"The mail server put us off: {code} {words}")


def _return_path(answer: Answer, settings: Mapping[str, str]) -> str:
    """Reports about this mail come back with the report's number in their address."""
    own = mailbox_of(settings.get("bounce_address") or settings.get("address", ""))
    key = settings.get("token_key", "")
    if not key or settings.get("plus_address", "yes") == "no":
        return own
    return bounce_address(key, own, answer.report)


def _subject(answer: Answer, settings: Mapping[str, str]) -> str:
    subject = without_token(one_line(answer.route.get("subject") or answer.subject or "Your report", SUBJECT_CHARS_MAX))
    subject = subject if is_reply_subject(subject) else f"Re: {subject}"
    key = settings.get("token_key", "")
    return f"{subject} {subject_token(key, answer.report)}" if key else subject


def _message_id(answer: Answer, own: str, key: str) -> str:
    """The same on every try, and nobody's guess: whoever names it has seen the mail."""
    once = answer.idempotency or f"{answer.report}\n{answer.route.get('message_id', '')}\n{answer.text}"
    name = hmac.new(key.encode(), once.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
    return f"<quell.{answer.report}.{name}@{own.rpartition('@')[2]}>"


def _thread(mail: EmailMessage, answer: Answer) -> None:
    """The first mail and the latest ones: a chain that stays short and still holds together."""
    known = ids_in(answer.route.get("references", ""))
    known += [each[5:] for each in answer.thread if each.startswith("mail:<")]
    last = answer.route.get("message_id") or (known[-1] if known else "")
    chain = list(dict.fromkeys(each for each in [*known, last] if each and each != mail["Message-ID"]))
    if last:
        mail["In-Reply-To"] = last
        chain = [each for each in chain if each != last] + [last]
    if chain:
        kept = chain if len(chain) <= REFERENCES_MAX else chain[:1] + chain[1 - REFERENCES_MAX :]
        mail["References"] = " ".join(kept)
