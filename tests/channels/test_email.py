"""Mails as they come: who speaks, what was said, which thread, which files, and why a machine must stay silent."""

import base64
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quell.channels._mail_token import bounce_address, reply_address, subject_token
from quell.channels.email import CHANNEL, MAIL_BYTES_MAX
from quell.core.errors import Refused
from quell.core.incoming import Hook, Incoming, Said, Strength
from tests.channels.samples import MAILBOX, NOW, TOKEN_KEY, check_storable, mail, mail_hook

SETTINGS = {"address": MAILBOX, "token_key": TOKEN_KEY, "authserv_id": "mx.quell.example"}


def read(raw: bytes, sender: str | None = "ann@client.example", to: str = MAILBOX) -> Incoming:
    hook = mail_hook(raw, sender or "", to) if sender is not None else Hook(raw)
    assert CHANNEL.verify(hook, SETTINGS, NOW).source_key
    (heard,) = CHANNEL.read(hook, SETTINGS)
    check_storable(heard)
    return heard


def parts(*inside: bytes, kind: str = "mixed", **headers: str) -> bytes:
    """A multipart mail of parts that already carry their headers."""
    head = mail("", Content_Type=f'multipart/{kind}; boundary="b0"', **headers)
    return head + b"".join(b"--b0\r\n" + each + b"\r\n" for each in inside) + b"--b0--\r\n"


def part(content: bytes, kind: str = "text/plain; charset=utf-8", **headers: str) -> bytes:
    rows = [f"Content-Type: {kind}", *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items())]
    return "\r\n".join(rows).encode("utf-8") + b"\r\n\r\n" + content


def test_a_plain_mail_is_words_of_its_sender() -> None:
    heard = read(mail())
    assert heard.said is Said.WORDS and heard.text == heard.full_text == "My screen is black."
    assert heard.subject == "Screen" and heard.loop == () and heard.thread == ()
    assert heard.sender is not None
    assert (heard.sender.address, heard.sender.name) == ("ann@client.example", "Ann Example")
    assert heard.sender.strength is Strength.BARE
    assert heard.at == datetime(2026, 11, 23, 7, 8, tzinfo=UTC)
    assert heard.own_keys == ("mail:<one@client.example>",)
    assert heard.route["to"] == "ann@client.example" and heard.route["message_id"] == "<one@client.example>"


# --- one thing said twice


def test_the_same_mail_by_another_way_is_the_same_thing_said() -> None:
    once = CHANNEL.verify(mail_hook(mail()), SETTINGS, NOW).source_key
    traced = b"Delivered-To: support@quell.example\r\nReceived: from x\r\n" + mail()
    assert CHANNEL.verify(Hook(traced), SETTINGS, NOW).source_key == once


@pytest.mark.parametrize("header", [{"Message_ID": "<two@client.example>"}, {"From": "eve@client.example"}])
def test_another_id_or_another_sender_is_another_thing_said(header: dict[str, str]) -> None:
    """Nobody can keep another's mail out by using its id first."""
    once = CHANNEL.verify(mail_hook(mail()), SETTINGS, NOW).source_key
    assert CHANNEL.verify(mail_hook(mail(**header)), SETTINGS, NOW).source_key != once


def test_a_mail_without_an_id_is_known_by_its_bytes() -> None:
    one, other = (CHANNEL.verify(mail_hook(mail(body, Message_ID="")), SETTINGS, NOW) for body in ("a", "b"))
    assert one.source_key != other.source_key
    assert CHANNEL.verify(mail_hook(mail("a", Message_ID="")), SETTINGS, NOW) == one


def test_what_is_empty_or_too_large_is_refused() -> None:
    for body, status in ((b"", 400), (b" \r\n", 400), (b"Subject: x\r\n\r\n" + b"y" * MAIL_BYTES_MAX, 413)):
        with pytest.raises(Refused) as refused:
            CHANNEL.verify(Hook(body), SETTINGS, NOW)
        assert refused.value.status == status


# --- threads


def test_a_signed_recipient_names_the_report_before_anything_else() -> None:
    to = reply_address(TOKEN_KEY, MAILBOX, 42)
    heard = read(mail(In_Reply_To="<other@x.example>"), to=to.upper())
    assert heard.thread == ("report:42", "mail:<other@x.example>")
    assert read(mail(To=to), sender=None).thread[0] == "report:42"
    delivered = f"Delivered-To: {to}\r\n".encode() + mail()
    assert read(delivered, sender=None).thread[0] == "report:42"


def test_a_recipient_that_we_did_not_sign_names_nothing() -> None:
    right = reply_address(TOKEN_KEY, MAILBOX, 42)
    for wrong in (
        right.replace("+t42.", "+t43."),
        reply_address("other key", MAILBOX, 42),
        "support+t42@quell.example",
    ):
        assert read(mail(), to=wrong).thread == ()
    bounce = bounce_address(TOKEN_KEY, MAILBOX, 42)
    assert read(mail(), to=bounce.replace("+b42.", "+t42.")).thread == ()


def test_the_key_before_the_last_rotation_is_still_believed() -> None:
    to = reply_address("old key", MAILBOX, 42)
    (heard,) = CHANNEL.read(mail_hook(mail(), to=to), {**SETTINGS, "token_key_old": "old key"})
    assert heard.thread == ("report:42",)


def test_references_are_read_from_the_right_after_in_reply_to() -> None:
    heard = read(mail(References="<a@x> <b@x>\r\n <broken  <c@x>", In_Reply_To="<c@x>"))
    assert heard.thread == ("mail:<c@x>", "mail:<b@x>", "mail:<a@x>")


def test_a_signed_subject_comes_last_and_a_bare_subject_never_counts() -> None:
    subject = f"Re: Screen {subject_token(TOKEN_KEY, 42)}"
    heard = read(mail(Subject=subject, References="<a@x>"))
    assert heard.thread == ("mail:<a@x>", "report:42") and heard.subject == "Re: Screen"
    for wrong in ("Re: Screen [#42-aaaaaaaa]", "Re: Screen [#42]", "Re: Screen", subject.replace("#42", "#41")):
        assert read(mail(Subject=wrong)).thread == ()


# --- who speaks


@pytest.mark.parametrize(
    ("results", "strength"),
    [
        ("mx.quell.example; dmarc=pass header.from=client.example", Strength.ALIGNED),
        (
            "mx.quell.example 1; dkim=pass (2048 bit; ok) header.d=client.example header.i=@client.example",
            Strength.ALIGNED,
        ),
        ("mx.quell.example; spf=pass smtp.mailfrom=bounce@mail.client.example", Strength.ALIGNED),
        ("mx.quell.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example", Strength.BARE),
        ("mx.quell.example; dmarc=fail header.from=client.example", Strength.BARE),
        ("mx.quell.example; dmarc=pass header.from=evil.example", Strength.BARE),
        ("mx.quell.example; spf=pass smtp.mailfrom=example", Strength.BARE),
        ("mx.evil.example; dmarc=pass header.from=client.example", Strength.BARE),
        ("mx.quell.example (; dmarc=pass header.from=client.example); none", Strength.BARE),
        ("", Strength.BARE),
    ],
)
def test_only_our_own_servers_word_makes_a_sender_sure(results: str, strength: Strength) -> None:
    sender = read(mail(Authentication_Results=results)).sender
    assert sender is not None and sender.strength is strength


def test_of_two_verdicts_in_our_servers_name_the_topmost_counts() -> None:
    forged = mail(Authentication_Results="mx.quell.example; dmarc=pass header.from=client.example")
    ours = b"Authentication-Results: mx.quell.example; dmarc=fail header.from=client.example\r\n"
    sender = read(ours + forged).sender
    assert sender is not None and sender.strength is Strength.BARE


def test_without_a_named_server_no_verdict_is_believed() -> None:
    hook = mail_hook(mail(Authentication_Results="mx.quell.example; dmarc=pass header.from=client.example"))
    (heard,) = CHANNEL.read(hook, {"address": MAILBOX})
    assert heard.sender is not None and heard.sender.strength is Strength.BARE


def test_two_senders_are_nobody_for_sure() -> None:
    for raw in (b"From: boss@client.example\r\n" + mail(), mail(From="ann@client.example, boss@client.example")):
        heard = read(raw)
        assert heard.sender is not None and heard.sender.strength is Strength.TEXT and heard.notes


@pytest.mark.parametrize(
    ("given", "address", "name"),
    [
        ('"boss@client.example" <eve@evil.example>', "eve@evil.example", "boss@client.example"),
        ("boss@client.example <eve@evil.example>", "eve@evil.example", "boss@client.example"),
        ("=?utf-8?q?J=C3=BCrgen?= <J@Client.Example>", "j@client.example", "Jürgen"),
        ("=?utf-8?b?SsO8?= =?utf-8?b?cmdlbg==?= <j@client.example>", "j@client.example", "Jürgen"),
        ("j@client.example (Jürgen)", "j@client.example", "Jürgen"),
        ("Ann\u202eelpmaxe <ann@client.example>", "ann@client.example", "Annelpmaxe"),
    ],
)
def test_the_address_is_taken_and_not_what_the_name_pretends(given: str, address: str, name: str) -> None:
    sender = read(mail(From=given)).sender
    assert sender is not None and (sender.address, sender.name) == (address, name)


def test_an_answer_goes_to_another_domain_only_when_the_sender_is_sure() -> None:
    wanted = {"Reply_To": "ann@private.example"}
    assert read(mail(**wanted)).route["to"] == "ann@client.example"
    proof = "mx.quell.example; dmarc=pass header.from=client.example"
    assert read(mail(**wanted, Authentication_Results=proof)).route["to"] == "ann@private.example"
    assert read(mail(Reply_To="team@client.example")).route["to"] == "team@client.example"
    assert read(mail(From=MAILBOX)).route == {}


# --- loops


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated (by me)"}, {"Auto_Submitted": "X; y=z"},
        {"Precedence": "bulk"}, {"Precedence": "LIST"}, {"Precedence": "junk"}, {"List_Id": "<l.x.example>"},
        {"List_Unsubscribe": "<mailto:u@x.example>"}, {"X_Auto_Response_Suppress": "All"},
        {"X_Auto_Response_Suppress": "DR, OOF"}, {"X_Auto_Response_Suppress": "AutoReply"},
        {"From": "MAILER-DAEMON@client.example"}, {"From": "Postmaster <postmaster@client.example>"},
        {"From": "no-reply@client.example"}, {"From": "noreply-x@client.example"}, {"From": "do_not_reply@x.example"},
        {"From": MAILBOX}, {"From": "Support+t1@quell.example"}, {"From": ""}, {"X_Loop": MAILBOX},
        {"Content_Type": "multipart/report; boundary=x"}, {"X_Autoreply": "yes"}, {"Return_Path": "<>"},
        {"Subject": "Automatic reply: Screen"}, {"Subject": "=?utf-8?q?R=C3=A9ponse_automatique_=3A?= x"},
        {"Subject": "Out of Office: x"}, {"X_Failed_Recipients": "a@b.example"},
    ],
)  # fmt: skip
def test_every_sign_of_a_machine_silences_us(headers: dict[str, str]) -> None:
    sender = None if "Return_Path" in headers else "ann@client.example"
    assert read(mail(**headers), sender).loop


@pytest.mark.parametrize("path", ["", "<>", " <> "])
def test_the_empty_return_path_silences_us(path: str) -> None:
    assert read(mail(), path).loop == ("null return path",)


def test_many_hops_silence_us() -> None:
    assert read(b"Received: from a by b\r\n" * 60 + mail()).loop


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "no"}, {"Precedence": "first-class"}, {"X_Auto_Response_Suppress": "DR, RN, NRN"},
        {"From": "nora@client.example"}, {"From": "postman@client.example"}, {"X_Loop": "else@x.example"},
        {"Subject": "Automatic doors are broken"}, {"Return_Path": "<ann@client.example>"},
    ],
)  # fmt: skip
def test_a_person_is_not_taken_for_a_machine(headers: dict[str, str]) -> None:
    assert read(mail(**headers)).loop == ()


def test_a_returned_mail_finds_its_report_by_its_address_and_by_our_id() -> None:
    ours = "<quell.42.0123456789abcdef0123456789abcdef@quell.example>"
    status = part(
        b"Reporting-MTA: dns; mx.x.example\r\n\r\nFinal-Recipient: rfc822; ann@client.example\r\nAction: failed\r\n"
        b"Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n",
        "message/delivery-status",
    )
    returned = part(f"Message-ID: {ours}\r\nSubject: x\r\n\r\nwords\r\n".encode(), "message/rfc822")
    raw = parts(part(b"It could not be delivered."), status, returned, kind="report; report-type=delivery-status")
    heard = read(raw, "", bounce_address(TOKEN_KEY, MAILBOX, 42))
    assert heard.thread == ("report:42", f"mail:{ours}") and len(heard.loop) >= 3
    assert heard.notes == ("Delivery to ann@client.example: failed (5.1.1), 550 5.1.1 no such user",)
    qmail = read(
        mail(f"Sorry.\n--- Below this line is a copy.\nMessage-ID: {ours}\n", From="mailer-daemon@x.example"), ""
    )
    assert qmail.thread == (f"mail:{ours}",)


def test_a_mail_that_a_person_passes_on_as_a_file_does_not_join_its_thread() -> None:
    inside = b"Message-ID: <quell.42.0123456789abcdef0123456789abcdef@quell.example>\r\n\r\nwords"
    assert read(parts(part(b"see"), part(inside, "message/rfc822"))).thread == ()


# --- words


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        ("Grüße".encode(), "utf-8", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("„Grüße“ 5 €".encode("cp1252"), "iso-8859-1", "„Grüße“ 5 €"),
        ("Grüße".encode(), "x-unknown", "Grüße"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode(), "unicode-escape", "Grüße"),
        ("Привет, принтер не работает".encode("koi8-r"), "koi8-r", "Привет, принтер не работает"),
        ("プリンタが動きません".encode("iso-2022-jp"), "iso-2022-jp", "プリンタが動きません"),
        ("打印机坏了".encode("gb18030"), "gb2312", "打印机坏了"),
    ],
)
def test_words_are_read_by_what_they_declare_or_what_they_are(raw: bytes, charset: str, text: str) -> None:
    head = mail("", Content_Type=f"text/plain; charset={charset}", Content_Transfer_Encoding="8bit")
    assert read(head + raw).text == text


def test_plain_words_are_preferred_to_their_html_unless_they_say_nothing() -> None:
    html = part(b"<p>Hello <b>there</b>, the printer on the second floor is jammed again since nine</p>", "text/html")
    assert read(parts(part(b"plain words"), html, kind="alternative")).text == "plain words"
    empty = part(b"Your mail program does not support HTML.")
    assert read(parts(empty, html, kind="alternative")).text.startswith("Hello there, the printer")
    assert read(parts(part(b" "), html, kind="alternative")).text.startswith("Hello there, the printer")


def test_html_is_read_without_what_nobody_sees() -> None:
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body><div style='display: none'>hidden</div>"
        "<script>alert(1)</script><p>First &amp; line</p><ul><li>one</li><li>two</li></ul>"
        "<a href='https://evil.example/x'>our portal</a> <a href='javascript:x'>b</a><br>"
        "<img src=x alt='a photo'><table><tr><td>a</td><td>b</td></tr></table>"
        "<div>On Mon, 23 Nov 2026 at 9:01 IT &lt;s@q.example&gt; wrote:</div><blockquote>Old words</blockquote></body>"
    )
    heard = read(mail(html, Content_Type="text/html; charset=utf-8", In_Reply_To="<a@x>"))
    assert heard.text == ("First & line\n\n- one\n- two\n\nour portal <https://evil.example/x> b\n[a photo]\n\na  b")
    assert "> Old words" in (heard.full_text or "") and "hidden" not in (heard.full_text or "")


def test_softly_broken_lines_are_made_whole() -> None:
    raw = mail("My screen is \nblack.\n> old \n> words\n-- \nAnn", Content_Type="text/plain; format=flowed")
    assert read(raw).full_text == "My screen is black.\n> old words\n-- \nAnn"


def test_the_quote_of_a_reply_is_cut_and_kept_beside() -> None:
    heard = read(mail("Works.\n\nOn 23 Nov 2026 at 9:01, IT <s@q.example> wrote:\n> Try it.", In_Reply_To="<a@x>"))
    assert heard.text == "Works." and "> Try it." in (heard.full_text or "")


def test_a_mail_that_holds_only_another_mail_speaks_with_that_ones_words() -> None:
    heard = read(parts(part(b"Subject: Down\r\n\r\nThe till is down.", "message/rfc822")))
    assert heard.text.strip() == "The till is down." and heard.attachments[0].name == "Down.eml" and heard.notes


# --- files


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=report.pdf", "report.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\a.exe"', "a.exe"),
        ("attachment; filename*=utf-8''%E2%82%AC%20rates.txt", "€ rates.txt"),
        ("attachment; filename*0*=utf-8''long%20; filename*1=name.txt", "long name.txt"),
        ('attachment; filename="=?utf-8?b?R3LDvMOfZS50eHQ=?="', "Grüße.txt"),
        ('attachment; filename="Grüße.txt"', "Grüße.txt"),
        ('attachment; filename="gpj.\u202eexe.txt"', "gpj.exe.txt"),
        ('attachment; filename=".."', "file-1.pdf"),
        ("attachment", "file-1.pdf"),
        (f"attachment; filename={'x' * 300}.pdf", "x" * 139 + ".pdf"),
    ],
)
def test_a_files_name_is_plain_whatever_it_was(disposition: str, name: str) -> None:
    (file,) = read(parts(part(b"see"), part(b"%PDF", "application/pdf", Content_Disposition=disposition))).attachments
    assert file.name == name and file.content == b"%PDF" and file.media_type == "application/pdf"


def test_a_picture_inside_the_text_is_known_by_its_content_id() -> None:
    picture = part(b"png", "image/png", Content_ID="<p1>")
    (file,) = read(parts(part(b'<img src="cid:p1">', "text/html"), picture, kind="related")).attachments
    assert file.inline and file.name == "file-1.png"


def test_no_more_than_twenty_files_are_taken_and_the_rest_is_said() -> None:
    files = [part(b"x", "image/png", Content_Disposition=f"attachment; filename=p{n}.png") for n in range(25)]
    heard = read(parts(part(b"see"), *files))
    assert len(heard.attachments) == 20 and "5 more files" in heard.notes[0]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("application/pkcs7-mime; name=smime.p7m", "S/MIME"),
        ("text/calendar; method=REQUEST", "REQUEST"),
        ("application/ms-tnef; name=winmail.dat", "winmail.dat"),
    ],
)
def test_what_cannot_be_opened_is_said_and_kept(kind: str, word: str) -> None:
    heard = read(parts(part(b"see"), part(b"junk", kind)))
    assert word in " ".join(heard.notes) and heard.attachments[0].content == b"junk"


def test_encrypted_mail_is_said_to_be() -> None:
    raw = parts(
        part(b"Version: 1", "application/pgp-encrypted"), part(b"x", "application/octet-stream"), kind="encrypted"
    )
    assert "encrypted (PGP)" in " ".join(read(raw).notes)


def test_outlooks_packed_files_are_opened(shared_data: Path) -> None:
    """Eight real winmail.dat: files, plain words, HTML and compressed rich text."""
    folder = shared_data / "payloads" / "email" / "tnef"

    def opened(name: str) -> Incoming:
        packed = base64.encodebytes((folder / f"{name}.dat").read_bytes())
        inside = part(packed, "application/ms-tnef; name=winmail.dat", Content_Transfer_Encoding="base64")
        return read(parts(inside))

    assert [each.name for each in opened("two-files").attachments] == ["AUTHORS", "README"]
    assert [len(each.content) for each in opened("one-file").attachments] == [244]
    assert [each.name for each in opened("long-filename").attachments] == ["allproductsmar2000.dat"]
    assert opened("long-filename").text.startswith("I've attached a temp. license for QARun 4.7.")
    assert opened("triples").text == "Sample description"
    assert opened("rtf").text.startswith("aafgag'alga'kgk") and "\\par" not in opened("rtf").text
    assert opened("body").text and not opened("body").text.startswith("<")
    assert opened("unicode-mapi-attr").attachments[0].name == "example.dat"
    garbage = opened("garbage-at-end")
    assert garbage.notes and garbage.attachments[0].name == "winmail.dat"


# --- bombs and madness


def nested(levels: int) -> bytes:
    head = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(levels))
    return b"From: a@b.example\r\n" + head + b"Content-Type: text/plain\r\n\r\ndeep"


@pytest.mark.parametrize(
    "raw",
    [
        nested(100),
        nested(5_000),
        b"Content-Type: message/rfc822\r\n\r\n" * 3_000 + b"deep",
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\n" * 200_000,
        b"X: y\r\n" * 200_000 + b"\r\nbody",
        b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\r\n\r\nbody",
        b"To: " + b"a@b.example, " * 100_000 + b"\r\n\r\nbody",
        b"References: " + b"<a@b> " * 200_000 + b"\r\n\r\nbody",
        b"From: " + b"(" * 100_000 + b"a@b.example\r\n\r\nbody",
        b"From: " + b'"' * 100_001 + b"a@b.example\r\n\r\nbody",
        b"Authentication-Results: mx.quell.example; " + b"(" * 100_000 + b"\r\nFrom: a@b.example\r\n\r\nbody",
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 300_000,
        b"Content-Type: text/html\r\n\r\n" + b"<blockquote><a href=x>" * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"<" * 500_000,
        b"Content-Type: text/html\r\n\r\n" + b"<a " + b"x=1 " * 200_000,
        b"Content-Type: text/html\r\n\r\n" + b"&#x" * 300_000,
        b"Content-Type: text/html\r\n\r\n<!--" + b"<!-- " * 200_000,
        b"Content-Type: text/plain; " + b"x=y; " * 50_000 + b"\r\n\r\nbody",
        b"Content-Type: application/ms-tnef\r\n\r\n\x78\x9f\x3e\x22" + b"\x01" * 200_000,
    ],
    ids=range(19),
)
def test_a_bomb_is_read_in_bounded_time(raw: bytes) -> None:
    began = time.process_time()
    read(raw)
    assert time.process_time() - began < 5


HEADERS = st.sampled_from(
    ["From", "To", "Subject", "Date", "Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "References"]
    + ["In-Reply-To", "Message-ID", "Reply-To", "Auto-Submitted", "Authentication-Results", "Precedence", "Received"]
)
VALUES = st.sampled_from(
    [b'multipart/mixed; boundary="b"', b"multipart/alternative; boundary=b", b"text/html; charset=undefined", b"=?"]
    + [b"=?utf-8?b?////?=", b"=?x?q?=80?=", b"base64", b"uuencode", b"message/rfc822", b"attachment; filename*=x''%ff"]
    + [b"a@b <c@d>", b"\xff\xfe", b"<a@b>", b"\x00", b"Thu, 99 Foo 99999 99:99:99 +9999", b"application/ms-tnef"]
)
BODIES = st.lists(
    st.sampled_from([b"--b\r\n", b"--b--\r\n", b"\r\n", b"begin 644 x\r\n", b"> q\r\n"]) | st.binary(max_size=30)
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(HEADERS, VALUES | st.binary(max_size=30)), max_size=8), BODIES)
def test_a_year_of_nasty_headers_never_breaks_it(rows: list[tuple[str, bytes]], body: list[bytes]) -> None:
    raw = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in rows) + b"\r\n" + b"".join(body)
    if raw.strip():
        read(raw)


def test_every_real_mail_is_read_and_no_text_is_lost(shared_data: Path) -> None:
    """Mails from seven collections: no fault, the signs of machines found where a machine wrote."""
    files = sorted((shared_data / "payloads" / "email").glob("*/*.eml"))
    assert len(files) > 200
    for each in files:
        heard = read(each.read_bytes(), None)
        assert heard.text.strip() in (heard.full_text or ""), each.name
        assert bool(heard.text.strip()) == bool((heard.full_text or "").strip()), each.name
        if each.parent.name == "sisimai" and not each.name.startswith("arf"):
            assert heard.loop, f"{each.name}: a machine wrote this"
        if each.parent.name == "talon_replies":
            assert heard.loop == (), each.name
            assert len(heard.text) < len(heard.full_text or ""), f"{each.name}: the quote was not cut"
