"""The verbs of people: every one is one transaction over the rooms, with one way back."""

import base64
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import wraps
from secrets import token_urlsafe
from typing import ParamSpec, TypeVar

from quell.core.company import DEFAULT_ORGANISATION
from quell.core.company_file import read_company
from quell.core.errors import Fault, Refused, TryAgain
from quell.core.event import Json
from quell.core.incoming import Attachment, Hook
from quell.core.permission import Actor, May, Role
from quell.core.reading import Reason
from quell.core.ticket import Status, check_move
from quell.journey import agents
from quell.journey.close import room as close
from quell.journey.close.decide import must_hear
from quell.journey.fix import room as fixing
from quell.journey.house import House
from quell.journey.intake import room as intake
from quell.journey.spoken import Address, Done, Enrolment, Loaded, Reported, Reporter, Seen, Who
from quell.journey.triage import hand, joins
from quell.store import companies, deliveries, devices, fixes, incidents, people, reports, tickets, undos
from quell.store.change import Change

PORTAL = "portal"
COLLISIONS_MAX = 3
CHANNEL_KEY_BYTES = 18
TICKETS_AT_ONCE_MAX = 500

Given = ParamSpec("Given")
Said = TypeVar("Said")


def actor_of(who: Who) -> Actor:
    """The actor behind an account or a token, with its role."""
    return Actor(who.actor or f"account:{who.account}", Role(who.role), who.name)


def again(verb: Callable[Given, Awaitable[Said]]) -> Callable[Given, Coroutine[None, None, Said]]:
    """Do a verb again when it collided with another change: it is one transaction, so nothing of it was done."""

    @wraps(verb)
    async def patient(*given: Given.args, **named: Given.kwargs) -> Said:
        for _ in range(COLLISIONS_MAX):
            try:
                return await verb(*given, **named)
            except TryAgain:
                continue
        return await verb(*given, **named)

    return patient


class TheDesk:
    """The desk over one house."""

    def __init__(self, house: House) -> None:
        """Work in this house."""
        self.house = house

    @again
    async def accept(self, who: Who, tickets: Sequence[Seen]) -> Done:
        """Say yes to all open proposals of these tickets; one undo takes all of it back."""
        actor = _may(who, May.WORK)

        async def each(change: Change, seen: Seen) -> list[hand.Step]:
            return await hand.accept(change, seen.number, actor, seen.version)

        return await self._bulk(actor, tickets, each, "accepted")

    @again
    async def correct(self, who: Who, tickets: Sequence[Seen], values: Mapping[str, str | None], why: str = "") -> Done:
        """Set fields by a person's word; one undo."""
        actor = _may(who, May.WORK)

        async def each(change: Change, seen: Seen) -> list[hand.Step]:
            return await hand.correct(change, seen.number, values, actor, seen.version)

        return await self._bulk(actor, tickets, each, "changed")

    @again
    async def join(self, who: Who, tickets: Sequence[Seen], into: int) -> Done:
        """Let every report of these tickets count to the ticket `into`; one undo."""
        actor = _may(who, May.WORK)

        async def each(change: Change, seen: Seen) -> list[hand.Step]:
            if seen.version is not None:
                await hand.check_version(change, seen.number, seen.version)
            return [await hand.join(change, seen.number, into, actor)]

        return await self._bulk(actor, tickets, each, f"joined to ticket {into}", shown=into)

    async def _bulk(
        self,
        actor: str,
        seen: Sequence[Seen],
        verb: Callable[[Change, Seen], Awaitable[list[hand.Step]]],
        says: str,
        shown: int | None = None,
    ) -> Done:
        if not 0 < len(seen) <= TICKETS_AT_ONCE_MAX:
            raise Refused(f"between 1 and {TICKETS_AT_ONCE_MAX} tickets at once", 422, "too_many")
        steps: list[hand.Step] = []
        async with self.house.store.change() as change:
            numbers = [each.number for each in seen] + ([shown] if shown is not None else [])
            await incidents.hold(change, *numbers)
            for one in sorted(seen, key=lambda each: each.number):
                steps += await verb(change, one)
            token = await undos.keep(change, actor, steps)
        count = f"Ticket {seen[0].number}" if len(seen) == 1 else f"{len(seen)} tickets"
        return Done(f"{count} {says}.", shown or seen[0].number, token)

    @again
    async def take_out(self, who: Who, ticket: int, report: int) -> Done:
        """Not this one: the report leaves and stands alone again."""
        actor = _may(who, May.WORK)
        async with self.house.store.change() as change:
            number = await hand.of_report(change, report)
            if (await tickets.load(change.connection, number)).joined_to is None:
                await hand.keep_apart(change, number, actor)
                return Done("It stays a ticket of its own.", number)
            step = await hand.leave(change, number, actor)
            token = await undos.keep(change, actor, [step])
        return Done(f"Taken out. It is ticket {number} again.", number, token)

    @again
    async def put_back(self, who: Who, ticket: int, report: int) -> Done:
        """The report that was taken out of this ticket points to it again."""
        actor = _may(who, May.WORK)
        async with self.house.store.change() as change:
            number = await hand.of_report(change, report)
            step = await hand.join(change, number, ticket, actor)
            token = await undos.keep(change, actor, [step])
        return Done("Put back.", ticket, token)

    @again
    async def keep(self, who: Who, ticket: int, report: int) -> Done:
        """Same: a join that waited for a person's word is right."""
        actor = _may(who, May.WORK)
        async with self.house.store.change() as change:
            number = await hand.of_report(change, report)
            if await incidents.root_of(change.connection, number) == number:
                step = await hand.join(change, number, ticket, actor)
                token = await undos.keep(change, actor, [step])
            else:
                await hand.keep(change, number, actor)
                token = None
        return Done("Kept together.", ticket, token)

    @again
    async def reply(self, who: Who, ticket: int, text: str, reports: Sequence[int] = ()) -> Done:
        """Answer these reports (none named: all of the ticket's people), each once, on the channel he wrote on."""
        actor = _may(who, May.WORK)
        _need_words(text)
        async with self.house.store.change() as change:
            state = await tickets.take_root(change, ticket)
            root = state.number
            everyone = must_hear(await close.members(change.connection, root))
            chosen = [each.number for each in everyone if not reports or each.number in reports]
            if not chosen:
                raise Refused("nobody here can be answered", 409, "nobody_to_answer")
            for number in chosen:
                await close.tell(change, number, root, f"reply:{root}:{state.version}:{number}", text, actor)
            if state.status is Status.NEW:
                await tickets.record(change, root, "ticket_moved", actor, {"status": "open"})
            body: dict[str, Json] = {"reports": [*chosen]}
            await tickets.record(change, root, "reporters_told", actor, body)
            await incidents.regather(change, root)
        people_said = "1 reporter" if len(chosen) == 1 else f"{len(chosen)} reporters"
        return Done(f"Answered {people_said}.", root)

    @again
    async def note(self, who: Who, ticket: int, text: str) -> Done:
        """Write a private note that only technicians see."""
        actor = _may(who, May.WORK)
        _need_words(text)
        async with self.house.store.change() as change:
            state = await tickets.take(change, ticket)
            said = await reports.add_message(change, state.report, "note", actor, text)
            await tickets.record(change, ticket, "note_added", actor, {"message": said})
            await incidents.regather(change, await incidents.root_of(change.connection, ticket))
        return Done("Noted, for technicians only.", ticket)

    @again
    async def close(self, who: Who, tickets: Sequence[Seen], solved_by: str = "") -> Done:
        """Record what solved it and tell every reporter once."""
        actor = _may(who, May.WORK)

        async def each(change: Change, seen: Seen) -> list[hand.Step]:
            if seen.version is not None:
                await hand.check_version(change, seen.number, seen.version)
            await close.resolve(self.house, change, seen.number, actor, "assumed", solved_by)
            return []

        return await self._bulk(actor, tickets, each, "solved; its reporters are being told")

    @again
    async def reopen(self, who: Who, ticket: int, why: str = "") -> Done:
        """Take the closure back."""
        actor = _may(who, May.WORK)
        async with self.house.store.change() as change:
            root = await close.reopen(change, ticket, actor, why)
        return Done(f"Ticket {root} is open again.", root)

    @again
    async def undo(self, who: Who, token: str) -> Done:
        """Take back what a verb did; refused (409) when later work stands on it."""
        actor = _may(who, May.WORK)
        async with self.house.store.change() as change:
            way = await undos.spend(change, token, actor)
            for step in reversed(way.steps):
                await hand.take_back(change, step, actor)
            first = way.steps[0].get("ticket")
        return Done("Taken back.", first if isinstance(first, int) else None)

    async def plan_fix(self, who: Who, ticket: int, device: str, action: str, params: Mapping[str, str]) -> Done:
        """Ask the device what this action would do there; the plan appears on the ticket."""
        actor = _may(who, May.WORK)
        async with self.house.store.read() as connection:
            found = await devices.find(connection, device)
            allowed = {each.key for each in (await companies.required(connection)).actions}
        if found is None:
            raise Refused(f"there is no device {device}", 404, "no_such_device")
        if action not in allowed:
            raise Refused(f"this company does not allow {action}", 403, "action_not_allowed")
        reason = (Reason(f"{who.name} asks for it", 100.0, "person"),)
        await fixing.propose(self.house, ticket, found.id, action, params, reason, actor)
        return Done(f"{found.hostname} is asked what {action} would do there.", ticket)

    async def consent(self, who: Who, fix: int, plan_hash: str) -> Done:
        """Approve exactly the plan with this hash."""
        actor = _may(who, May.CONSENT)
        await fixing.consent(self.house, fix, plan_hash, actor)
        return Done("Approved; it runs now, and is checked afterwards.", await self._ticket_of(fix))

    async def refuse(self, who: Who, fix: int, why: str = "") -> Done:
        """Refuse the plan; nothing runs."""
        actor = _may(who, May.CONSENT)
        await fixing.refuse(self.house, fix, actor)
        return Done("Refused; nothing runs.", await self._ticket_of(fix))

    async def _ticket_of(self, fix_id: int) -> int:
        async with self.house.store.read() as connection:
            return (await fixes.load(connection, fix_id)).ticket

    async def report(
        self, reporter: Reporter, text: str, subject: str = "", device: str = "", files: Sequence[Attachment] = ()
    ) -> Reported:
        """Take a report from the portal; stored before this returns, triaged by the queue."""
        body: dict[str, object] = {"reporter": reporter.email, "name": reporter.name, "text": text}
        body |= {"subject": subject} if subject else {}
        body |= {"device": device} if device else {}
        body |= {"files": [_file(each) for each in files]} if files else {}
        headers = {"x-quell-proven": "yes"} if reporter.proven else {}
        return await self.take_report(json.dumps(body).encode(), headers)

    async def take_report(self, body: bytes, headers: Mapping[str, str]) -> Reported:
        """Take a report as JSON, as the portal and the API hand it over; the report's number, known at once."""
        key = await self._portal()
        hook = Hook(body, dict(headers))
        receipt = await intake.take(self.house, key, hook)
        assert receipt.source_key is not None
        delivery = await self._delivery(key, receipt.source_key)
        await intake.read(self.house, delivery)
        number = await intake.report_of(self.house, delivery)
        if number is None:
            raise Refused("this is said to be over, and nothing was known of it", 409, "nothing_known")
        async with self.house.store.read() as connection:
            return Reported(number, (await reports.load(connection, number)).ticket)

    async def _portal(self) -> str:
        async with self.house.store.change() as change:
            found = await deliveries.lines(change.connection, PORTAL)
            if found:
                return found[0].key
            await deliveries.add_line(change, PORTAL, PORTAL, {}, DEFAULT_ORGANISATION)
        return PORTAL

    async def _delivery(self, key: str, source_key: str) -> int:
        async with self.house.store.read() as connection:
            found = await deliveries.find(connection, key, source_key)
        assert found is not None
        return found

    @again
    async def answer(self, report: int, text: str, solved: bool | None = None) -> Done:
        """The reporter writes again on his own report; `solved` answers "is it solved?"."""
        async with self.house.store.change() as change:
            known = await reports.load(change.connection, report)
            actor = f"person:{known.person}" if known.person is not None else "portal"
            words = text.strip() or {True: "Yes, it is solved.", False: "No, it is not solved."}.get(
                solved or False, ""
            )
            if known.ticket is not None:
                await incidents.hold(change, known.ticket)
            await reports.add_message(change, report, "in", actor, words, person=known.person)
            if known.ticket is None:
                return Done("Thank you.", None)
            if solved is True:
                return await self._confirm(change, known.ticket, actor)
            body: dict[str, Json] = {"report": report}
            await tickets.record(change, known.ticket, "reporter_replied", actor, body)
            await joins.stir(change, known.ticket, actor)
        return Done("Thank you, we have it.", known.ticket)

    async def _confirm(self, change: Change, ticket: int, actor: str) -> Done:
        state = await tickets.take_root(change, ticket)
        root = state.number
        if state.status is Status.RESOLVED and len(await incidents.members_of(change.connection, root)) == 1:
            check_move(state, Status.CLOSED)
            await tickets.record(change, root, "ticket_closed", actor, {"proof": "confirmed"})
            await incidents.regather(change, root)
        return Done("Thank you.", ticket)

    async def load_company(self, who: Who, raw: bytes) -> Loaded:
        """Read `company.json`; Refused carries every fault with its place, and nothing was loaded."""
        actor = _may(who, May.CONFIGURE)
        read_company(raw)
        async with self.house.store.change() as change:
            company, warnings = await companies.save(change, raw, actor)
        nouns = ("sites", "services", "teams", "categories", "people", "devices", "actions")
        return Loaded(tuple((noun, len(getattr(company, noun))) for noun in nouns), warnings)

    async def add_channel(self, who: Who, name: str, settings: Mapping[str, str]) -> Address:
        """Switch a channel on with these settings."""
        actor = _may(who, May.CONFIGURE)
        return await self.switch_on(name, settings, actor)

    async def switch_on(self, name: str, settings: Mapping[str, str], actor: str) -> Address:
        """Switch a channel on; Refused (422) names every setting that is unknown or missing."""
        if name not in self.house.channels:
            known = ", ".join(sorted(self.house.channels))
            raise Refused(f"there is no channel {name}; known are {known}", 422, "no_such_channel")
        declared = {each.key: each for each in self.house.channels[name].settings}
        known = ", ".join(sorted(declared)) or "none"
        unknown = f"is not a setting of this channel; known are {known}"
        faults = [Fault(key, unknown) for key in settings if key not in declared]
        faults += [Fault(key, "is needed") for key, each in declared.items() if each.required and not settings.get(key)]
        if faults:
            says = "; ".join(f"{each.place} {each.says}" for each in faults)
            raise Refused(f"{name}: {says}", 422, "bad_settings", tuple(faults))
        full = {key: each.default for key, each in declared.items() if each.default} | dict(settings)
        key = token_urlsafe(CHANNEL_KEY_BYTES)
        async with self.house.store.change() as change:
            await deliveries.add_line(change, key, name, full, DEFAULT_ORGANISATION)
            await change.record(f"setting:channel:{key}", "channel_added", actor, {"channel": name})
        return Address(name, f"/hooks/{name}/{key}")

    async def enrol(self, who: Who) -> Enrolment:
        """Make a single-use token for one device."""
        actor = _may(who, May.CONFIGURE)
        token, ends = await agents.make_enrolment(self.house, actor)
        return Enrolment(token, ends)

    async def erase(self, who: Who, person: int) -> int:
        """Erase a person's name, addresses and words for good; how many texts and files that were."""
        actor = _may(who, May.CONFIGURE)
        async with self.house.store.change() as change:
            return await people.erase(change, person, actor)


def _may(who: Who, may: May) -> str:
    actor = actor_of(who)
    actor.need(may)
    return actor.name


def _need_words(text: str) -> None:
    if not text.strip():
        raise Refused("there is nothing to say yet", 422, "no_words")


def _file(file: Attachment) -> dict[str, str]:
    content = base64.b64encode(file.content).decode()
    return {"name": file.name, "media_type": file.media_type, "content": content}
