"""Ends tickets: records what solved them, tells every reporter once on his own channel, and reopens on a no."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.core.event import Json
from quell.core.incoming import Answer, Sent
from quell.core.portal_link import portal_path
from quell.core.ticket import Status, check_move
from quell.journey import tasks
from quell.journey.close.decide import DAY, HOUR, Member, ending_words, ends_by_signal, may_answer, must_hear
from quell.journey.house import House
from quell.store import content, deliveries, fixes, incidents, reports, tickets, told
from quell.store.change import Change
from quell.store.jobs import Job
from quell.store.reports import Report
from quell.store.tables import message, ticket
from quell.store.told import Told

RULE = "rule:close"
JUST_HELD_FOR = timedelta(minutes=1)


async def resolve(
    house: House, change: Change, number: int, actor: str, proof: str, solved_by: str = "", fix: int | None = None
) -> int:
    """End a ticket with all that is joined to it, and promise every reporter to be told; its root's number.

    `proof` is `verified` (a check passed), `signal` (the machine says so), `confirmed` or `assumed`.
    """
    state = await tickets.take_root(change, number)
    root = state.number
    check_move(state, Status.RESOLVED)
    body: dict[str, Json] = {"proof": proof, "fix": fix}
    if solved_by:
        body["solved_by"] = (await content.keep(change.connection, solved_by, None)).mention()
    after = await tickets.record(change, root, "ticket_resolved", actor, body)
    await tickets.update(change.connection, root, needs_yes=False)
    await incidents.regather(change, root)
    for each in must_hear(await members(change.connection, root)):
        words = ending_words(root, proof, solved_by, _link(house, each.number))
        await tell(change, each.number, root, f"resolved:{root}:{after.version}", words, RULE)
    return root


async def reopen(change: Change, number: int, actor: str, why: str = "") -> int:
    """Take the end of a ticket back; its root's number. Refused (409) when it has not ended."""
    state = await tickets.take_root(change, number)
    root = state.number
    check_move(state, Status.OPEN)
    kept = (await content.keep(change.connection, why, None)).mention() if why else None
    await tickets.record(change, root, "ticket_reopened", actor, {"why": kept})
    await incidents.regather(change, root)
    return root


async def tell(change: Change, report: int, root: int, what: str, words: str, actor: str) -> int | None:
    """Promise to tell one reporter something once; the promise's id, None when he was promised this before."""
    if await told.known(change.connection, report, what):
        return None
    known = await reports.load(change.connection, report)
    said = await reports.add_message(change, report, "out", actor, words, person=known.person)
    promise = await told.promise(change, report, what, root, said)
    if promise is not None:
        change.later(Job(tasks.TELL, {"promise": promise}, urgent=True))
    return promise


async def send(house: House, promise: int) -> None:
    """Keep one promise: deliver it on the reporter's channel; safe to run again after a crash.

    The ledger is marked before and after; a second try carries the same idempotency key.
    """
    async with house.store.change() as change:
        found = await told.load(change.connection, promise, lock=True)
        if found is None or found.state not in ("waiting", "sending"):
            return
        report = await reports.load(change.connection, found.report)
        refusal = await _why_silent(change.connection, report, found, change)
        if refusal:
            await told.mark(change, promise, "kept_silent", refusal)
            return
        await told.mark(change, promise, "sending")
        answer = await _answer(change.connection, report, found)
        line = await deliveries.line(change.connection, report.channel_key)
    if line is None:
        await _mark(house, found, "failed", "the channel is gone", Sent())
        return
    try:
        sent = await house.channels[line.name].send(answer, house.settings_of(line))
    except Refused as refused:
        await _mark(house, found, "failed", refused.says, Sent())
        return
    await _mark(house, found, "sent", "", sent)


async def give_up(house: House, promise: int, says: str) -> None:
    """Say that a promise could not be kept after many tries; the ticket goes to a person."""
    async with house.store.read() as connection:
        found = await told.load(connection, promise)
    if found is None or found.state not in ("waiting", "sending"):
        return
    await _mark(house, found, "failed", says, Sent())
    async with house.store.change() as change:
        body: dict[str, Json] = {"report": found.report, "why": "the reporter could not be told"}
        await tickets.record(change, found.ticket, "handed_over", RULE, body)
        await tickets.update(change.connection, found.ticket, needs_yes=True)
        await incidents.regather(change, found.ticket)


async def _mark(house: House, found: Told, state: str, says: str, sent: Sent) -> None:
    async with house.store.change() as change:
        await told.mark(change, found.id, state, says)
        report = await reports.load(change.connection, found.report)
        await reports.add_keys(change.connection, report.channel_key, found.report, sent.own_keys)
        body: dict[str, Json] = {"report": found.report, "what": found.what, "state": state}
        if state == "sent" and report.ticket is not None:
            await tickets.record(change, found.ticket, "answer_sent", RULE, body)


async def _why_silent(connection: AsyncConnection, report: Report, found: Told, change: Change) -> str:
    automatic = await _is_automatic(connection, found)
    if not automatic or report.person is None:
        return ""
    in_hour = await reports.recent_automatic(connection, report.person, change.at - HOUR)
    in_day = await reports.recent_automatic(connection, report.person, change.at - DAY)
    # The message that is about to be sent stands in the conversation already and is not counted.
    return may_answer(report.muted, in_hour - 1, in_day - 1).why


async def _is_automatic(connection: AsyncConnection, found: Told) -> bool:
    query = select(message.c.actor).where(message.c.id == found.message)
    actor = (await connection.execute(query)).scalar_one_or_none()
    return actor is None or not str(actor).startswith(("account:", "token:"))


async def _answer(connection: AsyncConnection, report: Report, found: Told) -> Answer:
    query = select(message.c.text).where(message.c.id == found.message)
    words = await content.text_of(connection, (await connection.execute(query)).scalar_one_or_none())
    first = select(message.c.subject).where(message.c.report == report.number, message.c.direction == "in")
    subject = await content.text_of(
        connection, (await connection.execute(first.order_by(message.c.id).limit(1))).scalar_one_or_none()
    )
    return Answer(
        text=words,
        route=report.route,
        report=report.number,
        ticket=found.ticket,
        subject=subject or None,
        thread=await reports.keys_of(connection, report.number),
        automatic=await _is_automatic(connection, found),
        idempotency=f"told-{found.id}",
    )


async def alert_over(house: House, report: int) -> None:
    """A machine says that its problem is over: the ticket ends if that settles it, else it is only noted."""
    async with house.store.change() as change:
        known = await reports.load(change.connection, report)
        if known.ticket is None:
            return
        state = await tickets.take_root(change, known.ticket)
        root = state.number
        everyone = await members(change.connection, root)
        verdict = ends_by_signal(state, everyone, await _fix_runs(change, root))
        if verdict.yes:
            await resolve(house, change, root, "rule:signal", "signal", "")
        else:
            body: dict[str, Json] = {"report": report, "why": verdict.why}
            await tickets.record(change, root, "identity_over", f"channel:{known.channel}", body)
            await incidents.regather(change, root)


async def _fix_runs(change: Change, root: int) -> bool:
    """Whether a fix is at work, or has just held and is about to end the ticket with its own proof."""
    numbers = await incidents.members_of(change.connection, root)
    found = await fixes.of_tickets(change.connection, numbers)
    just = change.at - JUST_HELD_FOR
    return any(each.state in fixes.RUNNING or (each.state == "held" and each.changed_at > just) for each in found)


async def fix_held(house: House, number: int, fix: int, says: str) -> None:
    """The check of a fix has passed: the ticket ends, verified, and everyone hears what was done."""
    async with house.store.change() as change:
        state = await tickets.take_root(change, number)
        root = state.number
        if not state.is_open:
            return
        await resolve(house, change, root, f"fix:{fix}", "verified", says, fix)


async def members(connection: AsyncConnection, root: int) -> list[Member]:
    """The reports of a ticket and of all that is joined to it."""
    query = select(ticket.c.number, ticket.c.noise).where(ticket.c.root == root)
    noise = {row.number: row.noise for row in await connection.execute(query)}
    return [
        Member(
            each.number,
            each.person,
            each.over_at is not None,
            bool(each.route) or each.channel == "portal",
            each.muted,
            noise.get(each.ticket or 0, False),
        )
        for each in await reports.of_tickets(connection, noise)
    ]


def _link(house: House, report: int) -> str:
    if not house.public_url:
        return ""
    return house.public_url.rstrip("/") + portal_path(bytes.fromhex(house.secrets["token_key"]), report)
