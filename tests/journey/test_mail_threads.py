"""Mail through the real rooms: threads, strangers, returned mail, absences, robots, and nobody told twice."""

from email.message import Message

import pytest

from quell.core.incoming import Hook
from quell.journey.close import room as close
from quell.journey.intake import room as intake
from quell.journey.spoken import Seen
from quell.store import listing
from tests.channels.samples import MAILBOX, mail, mail_hook
from tests.real.smtp_sink import smtp_sink

ANN = "p1@aldermoor.example"
BOB = "p2@aldermoor.example"


@pytest.fixture
async def sink():
    async with smtp_sink() as running:
        yield running


@pytest.fixture
async def key(scene, sink):
    settings = {"address": MAILBOX, "smtp_url": sink.url}
    return (await scene.desk.switch_on("email", settings, "test")).path.rsplit("/", 1)[1]


async def arrive(scene, key: str, hook: Hook) -> None:
    await intake.take(scene.house, key, hook)
    await scene.drain()
    scene.pass_time(minutes=2)


def written(
    body: str, number: int = 1, sender: str = ANN, to: str = MAILBOX, path: str | None = None, **headers: str
) -> Hook:
    raw = mail(body, From=sender, Message_ID=f"<m{number}@client.example>", **headers)
    return mail_hook(raw, sender if path is None else path, to)


def reply_to(sent: Message, body: str, number: int, sender: str = ANN, **headers: str) -> Hook:
    """What a mail program makes of "reply"."""
    given = {"In_Reply_To": sent["Message-ID"], "Subject": f"Re: {sent['Subject']}", **headers}
    return written(body, number, sender, sent["Reply-To"], **given)


async def all_tickets(scene) -> list[dict]:
    async with scene.house.store.read() as connection:
        page = await listing.tickets_page(connection, listing.Filter("all"), 0, 200)
    return sorted(page.items, key=lambda each: each["number"])


async def words_of(scene, ticket: int) -> list[tuple[str, str]]:
    async with scene.house.store.read() as connection:
        (report,) = await listing.reports_of(connection, ticket)
        whole = await listing.one_report(connection, report["number"])
    return [(each["direction"], each["text"]) for each in whole["conversation"]]


async def status(scene, ticket: int) -> str:
    async with scene.house.store.read() as connection:
        return (await listing.one_ticket(connection, ticket))["status"]


async def solved(scene, mara, ticket: int) -> None:
    await scene.desk.close(mara, [Seen(ticket)], "new cable")
    await scene.drain()


async def test_a_mail_its_answer_and_the_reply_are_one_conversation(scene, key, sink, mara):
    await arrive(scene, key, written("My screen is black."))
    ((ticket),) = await all_tickets(scene)
    await scene.desk.reply(mara, ticket["number"], "Which screen?")
    await scene.drain()
    (sent,) = sink.mails
    assert sent["To"] == ANN and sent["In-Reply-To"] == "<m1@client.example>" and sent["Auto-Submitted"] is None
    await arrive(
        scene, key, reply_to(sent, f"The left one.\n\nOn 23 Nov 2026 at 9:01, IT <{MAILBOX}> wrote:\n> Which?", 2)
    )
    assert len(await all_tickets(scene)) == 1
    assert await words_of(scene, ticket["number"]) == [
        ("in", "My screen is black."),
        ("out", "Which screen?"),
        ("in", "The left one."),
    ]


async def test_the_same_mail_by_listener_and_by_mailbox_is_one_report(scene, key):
    hook = written("My screen is black.")
    await arrive(scene, key, hook)
    await arrive(scene, key, Hook(b"Delivered-To: support@quell.example\r\n" + hook.body))
    assert len(await all_tickets(scene)) == 1


async def test_a_stranger_with_the_right_references_sees_nothing_and_is_a_report_of_his_own(scene, key, sink, mara):
    await arrive(scene, key, written("My screen is black."))
    await scene.desk.reply(mara, 1, "Which screen?")
    await scene.drain()
    await arrive(scene, key, reply_to(sink.mails[0], "Mine too.", 2, BOB))
    first, second = await all_tickets(scene)
    assert await words_of(scene, first["number"]) == [("in", "My screen is black."), ("out", "Which screen?")]
    assert await words_of(scene, second["number"]) == [("in", "Mine too.")]


async def test_a_subject_alone_joins_nothing(scene, key):
    await arrive(scene, key, written("My screen is black."))
    await arrive(scene, key, written("It is black.", 2, Subject="Re: Screen [#1-aaaaaaaa]"))
    assert len(await all_tickets(scene)) == 2


async def test_returned_mail_is_filed_with_its_report_and_moves_nothing(scene, key, sink, mara):
    await arrive(scene, key, written("My screen is black."))
    await solved(scene, mara, 1)
    (envelope,) = sink.envelopes
    bounce = written(
        "It could not be delivered.", 2, "mailer-daemon@client.example", str(envelope.mail_from), path="<>"
    )
    await arrive(scene, key, bounce)
    assert len(await all_tickets(scene)) == 1
    assert (await words_of(scene, 1))[-1] == ("in", "It could not be delivered.")
    assert await status(scene, 1) == "resolved" and len(sink.mails) == 1


async def test_an_absence_is_filed_and_does_not_reopen(scene, key, sink, mara):
    await arrive(scene, key, written("My screen is black."))
    await solved(scene, mara, 1)
    await arrive(scene, key, reply_to(sink.mails[0], "I am away until May 5.", 2, Auto_Submitted="auto-replied"))
    assert await status(scene, 1) == "resolved"
    assert (await words_of(scene, 1))[-1] == ("in", "I am away until May 5.") and len(sink.mails) == 1


async def test_a_no_reopens(scene, key, sink, mara):
    await arrive(scene, key, written("My screen is black."))
    await solved(scene, mara, 1)
    assert sink.mails[0]["Auto-Submitted"] == "auto-replied"
    await arrive(scene, key, reply_to(sink.mails[0], "It is black again.", 2))
    assert await status(scene, 1) in ("new", "open")


async def test_a_mail_of_a_machine_is_a_report_that_is_never_answered_by_itself(scene, key, sink, mara):
    await arrive(scene, key, written("Backup of db-1 failed.", sender="no-reply@backup.example"))
    await solved(scene, mara, 1)
    assert len(await all_tickets(scene)) == 1 and sink.mails == []


async def test_a_robot_that_answers_everything_falls_silent_with_us(scene, key, sink, mara):
    """It hides every sign of a machine. Each of its replies may reopen; none of them makes us write by ourselves."""
    await arrive(scene, key, written("My screen is black."))
    answered = 0
    for turn in range(40):
        await solved(scene, mara, 1)
        for sent in sink.mails[answered:]:
            answered += 1
            await arrive(scene, key, reply_to(sent, "Thank you for your message, we will look at it.", turn + 2))
        if await status(scene, 1) == "resolved":
            break
    print(f"the robot got {answered} mails in {turn + 1} turns of 2 minutes")
    assert answered <= 20


async def test_a_worker_that_dies_between_sending_and_noting_it_sends_the_same_mail_again(scene, key, sink, mara):
    """The second copy carries the same Message-ID, so that the reader's program shows one."""
    await arrive(scene, key, written("My screen is black."))
    await scene.desk.reply(mara, 1, "Which screen?")
    sink.data_reply = "451 later"
    with pytest.raises(Exception, match="put us off"):
        await scene.drain()
    sink.data_reply = "250 ok"
    await close.send(scene.house, 1)
    await close.send(scene.house, 1)
    assert len(sink.mails) == 1
