"""Takes deliveries in: stores them before they are acknowledged, reads them, and gives each thing heard its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from quell.core.company import DEFAULT_ORGANISATION
from quell.core.errors import Refused, TryAgain
from quell.core.event import Json
from quell.core.incoming import Hook, Incoming, Receipt, Said
from quell.core.words import title_of
from quell.journey import tasks
from quell.journey.house import House
from quell.journey.intake.decide import Earlier, Goes, Place, is_urgent, place
from quell.store import companies, deliveries, devices, people, reports, tickets
from quell.store.change import Change
from quell.store.deliveries import Arrived, Line
from quell.store.jobs import Job
from quell.store.reports import NewReport, Report

ACTOR = "intake"
NO_SUCH_CHANNEL = "no_such_channel"
DELIVERY_HEADER = "x-quell-delivery"
LABELS_MAX = 100
LABEL_CHARACTERS_MAX = 500
DEVICE_LABELS = ("instance", "host", "hostname", "node")


@dataclass(frozen=True)
class Knock:
    """A request at a hook's address, before anything of it was believed; `named` is the channel in that address."""

    key: str
    hook: Hook
    named: str | None = None


async def take(house: House, key: str, hook: Hook, named: str | None = None) -> Receipt:
    """Verify a request, store it durably and leave it to the queue; what to answer.

    Refused: 404 for a channel that nobody switched on (or whose name is not the one that was `named`), else what the
    channel's `verify` says; it is counted.
    """
    (answer,) = await take_all(house, (Knock(key, hook, named),))
    if isinstance(answer, Refused):
        raise answer
    return answer


async def take_all(house: House, knocks: Sequence[Knock]) -> list[Receipt | Refused]:
    """The same for requests that came together: each has an answer of its own, and one commit makes all durable."""
    async with house.store.change() as change:
        lines = await deliveries.lines_of(change.connection, {each.key for each in knocks})
        answers = [_verified(house, lines.get(each.key), each, change) for each in knocks]
        refusals = [
            (each.key, said.code) for each, said in zip(knocks, answers, strict=True) if isinstance(said, Refused)
        ]
        for key, code in sorted(each for each in refusals if each[1] != NO_SUCH_CHANNEL):
            await deliveries.count_refusal(change, key, code)
        arrived = [
            Arrived(lines[each.key], said.source_key, each.hook)
            for each, said in zip(knocks, answers, strict=True)
            if isinstance(said, Receipt) and said.source_key is not None
        ]
        for number, line in await deliveries.keep(change, arrived):
            change.later(Job(tasks.READ_DELIVERY, {"delivery": number}, urgent=is_urgent(line.name)))
    return answers


def _verified(house: House, line: Line | None, knock: Knock, change: Change) -> Receipt | Refused:
    if line is None or not line.active or knock.named not in (None, line.name):
        return Refused("no channel has this address", 404, NO_SUCH_CHANNEL)
    try:
        return house.channels[line.name].verify(knock.hook, house.settings_of(line), change.at)
    except Refused as refused:
        return refused


async def report_of(house: House, delivery: int) -> int | None:
    """The report that a delivery of one message has led to, or added to; None when it went nowhere."""
    async with house.store.read() as connection:
        found = await deliveries.load(connection, delivery)
        line = await deliveries.line(connection, found.channel) if found is not None else None
        if found is None or line is None:
            return None
        number = await reports.said_already(connection, line.key, found.source_key)
        heard = house.channels[line.name].read(found.hook, house.settings_of(line))
        identity = heard[0].identity if heard else None
        if number is None and identity is not None:
            earlier = await reports.by_identity(connection, line.key, identity)
            number = earlier.number if earlier is not None else None
        return number


async def read(house: House, delivery: int) -> None:
    """Read a stored delivery: everything heard in it finds its report, in one transaction; safe to run twice."""
    async with house.store.change() as change:
        found = await deliveries.load(change.connection, delivery)
        if found is None or found.state == "read":
            return
        line = await deliveries.line(change.connection, found.channel)
        if line is None:
            raise TryAgain(f"delivery {delivery} came by a channel that is gone")
        hook = replace(found.hook, headers={**found.hook.headers, DELIVERY_HEADER: found.source_key})
        heard = house.channels[line.name].read(hook, house.settings_of(line))
        # Locks on identities are always taken in the same order, so that two groups never wait for each other.
        speakers = [await _hear(change, line, each) for each in sorted(heard, key=lambda one: one.identity or "")]
        await deliveries.mark(change, delivery, "read", f"{len(heard)} heard")
        await deliveries.spoken_by(change, delivery, next((each for each in speakers if each is not None), None))


async def set_aside(house: House, delivery: int, says: str) -> None:
    """Put a delivery that cannot be read aside, visible, and to be tried again by hand."""
    async with house.store.change() as change:
        await deliveries.mark(change, delivery, "failed", says)


async def _hear(change: Change, line: Line, heard: Incoming) -> int | None:
    """Give one thing heard its report; the person who said it, None for a machine or what was heard before."""
    connection = change.connection
    if heard.said is Said.WORDS and await reports.said_already(connection, line.key, heard.source_key) is not None:
        return None
    person = None
    if heard.said is Said.WORDS and heard.sender is not None:
        organisation = heard.organisation or line.organisation
        person = (await people.find_or_add(change, line.name, heard.sender, organisation)).id
    by_thread = await reports.by_thread(connection, line.key, heard.thread) if heard.thread else None
    by_identity = await reports.by_identity(connection, line.key, heard.identity) if heard.identity else None
    where = place(heard, line.name, person, _earlier(by_thread), _earlier(by_identity))
    if where.goes is Goes.NEW:
        await _new(change, line, heard, person, where)
    elif where.goes is Goes.REPLY and by_thread is not None:
        await _reply(change, line, heard, person, by_thread)
    elif where.goes is Goes.REPEAT and by_identity is not None:
        await _repeat(change, line, heard, by_identity)
    elif where.goes is Goes.OVER and by_identity is not None:
        await _over(change, line, heard, by_identity)
    return person


async def _new(change: Change, line: Line, heard: Incoming, person: int | None, where: Place) -> None:
    new = await _described(change, line, heard, person)
    number = await reports.add(change, replace(new, follows=where.follows), f"channel:{line.name}")
    said = await _add_words(change, number, heard, person, line)
    # A signed token names a report by its number; the channel has checked the signature before it says so.
    names = (*heard.own_keys, f"report:{number}", f"{line.name}:{number}")
    await reports.add_keys(change.connection, line.key, number, names)
    title = title_of(heard.subject, heard.text)
    made = await tickets.open_ticket(change, number, new.organisation, title, ACTOR)
    await reports.update(change.connection, number, ticket=made.number)
    await change.record(reports.stream(number), "ticket_given", ACTOR, {"ticket": made.number, "why": where.why})
    args: dict[str, Json] = {"report": number, "message": said}
    change.later(Job(tasks.SORT_REPORT, args, urgent=is_urgent(line.name)))


async def _described(change: Change, line: Line, heard: Incoming, person: int | None) -> NewReport:
    connection = change.connection
    labels = _clean_labels(heard.labels)
    hostnames = [heard.device, *(labels.get(each) for each in DEVICE_LABELS)]
    known = None
    for hostname in hostnames:
        known = known or (await devices.find(connection, hostname) if hostname else None)
    reporter = await people.load(connection, person) if person is not None else None
    organisation = heard.organisation or (reporter.organisation if reporter else None)
    organisation = organisation or (known.organisation if known else None) or line.organisation
    site = await companies.site_key(connection, labels.get("site"))
    return NewReport(
        organisation=organisation or DEFAULT_ORGANISATION,
        channel=line.name,
        channel_key=line.key,
        at=change.at,
        person=person,
        device=known.id if known else None,
        identity=heard.identity,
        labels=labels,
        service=await companies.service_key(connection, labels.get("service")),
        site=site or (known.site if known else None) or (reporter.site if reporter else None),
        route=heard.route,
        muted=heard.loop,
        trusted=heard.sender is None or heard.sender.strength in ("signed", "aligned"),
    )


async def _add_words(change: Change, number: int, heard: Incoming, person: int | None, line: Line) -> int:
    notes = "".join(f"\n[{each}]" for each in heard.notes)
    return await reports.add_message(
        change,
        number,
        "in",
        f"person:{person}" if person is not None else f"channel:{line.name}",
        heard.text + notes,
        person=person,
        subject=heard.subject,
        full_text=heard.full_text,
        source_key=heard.source_key,
        attachments=heard.attachments,
    )


async def _reply(change: Change, line: Line, heard: Incoming, person: int | None, report: Report) -> None:
    said = await _add_words(change, report.number, heard, person, line)
    await reports.add_keys(change.connection, line.key, report.number, heard.own_keys)
    if person == report.person and heard.route and not heard.loop:
        await reports.update(change.connection, report.number, route=dict(heard.route))
    args: dict[str, Json] = {"report": report.number, "message": said, "automatic": bool(heard.loop)}
    change.later(Job(tasks.HEAR_REPLY, args, urgent=True))


async def _repeat(change: Change, line: Line, heard: Incoming, report: Report) -> None:
    labels = _clean_labels(heard.labels)
    values: dict[str, object] = {"repeats": report.repeats + 1, "labels": labels}
    await reports.update(change.connection, report.number, **values)
    body: dict[str, Json] = {"repeats": report.repeats + 1}
    await change.record(reports.stream(report.number), "alert_repeated", f"channel:{line.name}", body)
    if labels.get("severity") != report.labels.get("severity"):
        said = await _add_words(change, report.number, heard, None, line)
        change.later(Job(tasks.SORT_REPORT, {"report": report.number, "message": said}))


async def _over(change: Change, line: Line, heard: Incoming, report: Report) -> None:
    await reports.update(change.connection, report.number, over_at=change.at)
    said = await _add_words(change, report.number, heard, None, line)
    await reports.mark_kind(change.connection, said, "resolved")
    await change.record(reports.stream(report.number), "alert_over", f"channel:{line.name}", {})
    change.later(Job(tasks.ALERT_OVER, {"report": report.number}))


def _earlier(report: Report | None) -> Earlier | None:
    if report is None:
        return None
    return Earlier(report.number, report.organisation, report.person, report.over_at is not None)


def _clean_labels(labels: Mapping[str, str]) -> dict[str, str]:
    kept = list(labels.items())[:LABELS_MAX]
    return {str(key).replace("\0", ""): str(value).replace("\0", "")[:LABEL_CHARACTERS_MAX] for key, value in kept}
