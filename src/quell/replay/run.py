"""Replays history through the real rooms: every message in its own time, everything due done before the next."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from quell.core.company import DEFAULT_ORGANISATION
from quell.core.errors import Refused
from quell.core.incoming import Hook
from quell.core.reading import Message, Reading
from quell.journey import flow
from quell.journey.house import House, Signer
from quell.journey.intake import room as intake
from quell.journey.mind import Mind
from quell.journey.triage import room as triage
from quell.journey.triage.decide import GateNow, opens
from quell.replay.channel import Replayed, incoming
from quell.replay.history import Past, read_company_file, read_messages
from quell.replay.prediction import Prediction
from quell.replay.teacher import Teacher
from quell.seams import Action, Model
from quell.store import companies, deliveries, gates, incidents, nearby, readings, reports
from quell.store.change import Store
from quell.store.database import connect
from quell.store.jobs import InlineJobs
from quell.store.signer_client import SignedByUs
from quell.wire.orders import OrderKind

OWNERS_CEILING = "sort"
PRIORITY_ASKED = frozenset({"incident", "request", "question", "followup"})


class NoDevices:
    """A replay reaches no device, so it signs nothing."""

    async def public_keys(self) -> tuple[str, str]:
        """There are none."""
        raise Refused("a replay reaches no device", 409, "no_device")

    async def sign_order(
        self, kind: OrderKind, *, fix: int | None = None, device: int | None = None, ticket: int | None = None
    ) -> SignedByUs:
        """Never."""
        raise Refused("a replay reaches no device", 409, "no_device")


@dataclass
class Answered:
    """What became of one message: its report and message, if it has any, and triage's word, if it was asked."""

    report: int | None = None
    message: int | None = None
    sorted: triage.Answered | None = None
    reading: Reading | None = None


class Replay:
    """One replay over one fresh database."""

    def __init__(
        self,
        url: str,
        make: Callable[[], Model],
        actions: Mapping[str, Action],
        signer: Signer,
        told: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """`url` is a database with our tables and nothing in them; `told` hears how many messages are done."""
        self._now = datetime(2000, 1, 1, tzinfo=UTC)
        self._engine = connect(url, "quell replay")
        self._jobs = InlineJobs()
        store = Store(self._engine, lambda: self._now, self._jobs)
        self.house = House(store, {}, actions, Mind(make), signer)
        self._teacher = Teacher(self.house)
        self._reports: dict[str, int] = {}
        self._told = told
        self.readings: dict[str, Reading] = {}

    async def run(self, folder: Path, corrections: bool = True) -> list[Prediction]:
        """Feed the whole folder; one prediction a message."""
        return await self.play(read_company_file(folder), list(read_messages(folder)), corrections)

    async def play(self, company: bytes, past: Sequence[Past], corrections: bool = True) -> list[Prediction]:
        """The same for messages at hand, in order of time."""
        if not past:
            raise Refused("there is no message to replay", 422, "no_messages")
        self._now = past[0].at
        await self._set_up(company, {each.channel for each in past})
        found = []
        for each in past:
            found.append(await self._one(each, corrections))
            self._told(len(found), len(past))
        for made in found:
            made.ticket_final = await self._where(self._reports.get(made.id))
        return found

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    async def _set_up(self, company: bytes, names: Iterable[str]) -> None:
        known = {name: Replayed(name) for name in names}
        self.house = replace(self.house, channels=known)
        self._teacher = Teacher(self.house)
        async with self.house.store.change() as change:
            loaded, _ = await companies.save(change, company, "replay")
            for name in sorted(known):
                await deliveries.add_line(change, name, name, {}, DEFAULT_ORGANISATION)
            for category in loaded.categories:
                await gates.set_ceiling(change, category.key, OWNERS_CEILING, "replay")

    async def _one(self, past: Past, corrections: bool) -> Prediction:
        await self._drain(past.at)
        self._now = max(self._now, past.at)
        started = time.perf_counter()
        await intake.take(self.house, past.channel, Hook(json.dumps(past.row).encode()))
        answered = await self._drain(self._now)
        seconds = time.perf_counter() - started
        answered = await self._complete(past, answered)
        if answered.report is not None:
            self._reports[past.id] = answered.report
        made = await self._prediction(past, answered, seconds)
        truth = past.reveal() if corrections else None
        if truth is not None and answered.report is not None and answered.message is not None:
            await self._teacher.correct(answered.report, answered.message, truth)
            await self._drain(self._now)
        return made

    async def _drain(self, until: datetime) -> Answered:
        answered = Answered()
        while True:
            job = self._jobs.take(self._now)
            if job is None:
                due = self._jobs.next_due()
                if due is None or due > until.timestamp():
                    return answered
                self._now = max(self._now, datetime.fromtimestamp(due, UTC))
                continue
            result = await flow.do(self.house, job.task, job.args)
            if isinstance(result, triage.Answered):
                answered.sorted = result
            elif isinstance(result, Reading):
                answered.reading = result

    async def _complete(self, past: Past, answered: Answered) -> Answered:
        heard = incoming(past.row)
        async with self.house.store.read() as connection:
            answered.report = await reports.said_already(connection, past.channel, past.id)
            if answered.report is None and heard.identity is not None:
                earlier = await reports.by_identity(connection, past.channel, heard.identity)
                answered.report = earlier.number if earlier is not None else None
            if answered.report is None:
                return answered
            answered.message = await nearby.message_of(connection, answered.report, past.id)
            if answered.sorted is None and answered.reading is None:
                answered.reading = await self._ask(past, answered)
        return answered

    async def _ask(self, past: Past, answered: Answered) -> Reading:
        """For what opened no report of its own (a repeat, a resolve) the model is asked as well."""
        heard = incoming(past.row)
        message = Message(
            id=f"replay {past.id}",
            at=past.at,
            channel=past.channel,
            text=heard.text,
            subject=heard.subject,
            sender=heard.sender.address if heard.sender else None,
            device=heard.device,
            labels=heard.labels,
            identity=heard.identity,
            resolved=heard.said == "resolved",
        )
        async with self.house.store.read() as connection:
            known = await reports.load(connection, answered.report or 0)
            found = await readings.candidates(connection, self._now, 0, known.organisation)
            asked = await self.house.mind.ask_about(connection, message, found, self._now)
            await self.house.mind.ready(connection)
        return await self.house.mind.propose(asked)

    async def _prediction(self, past: Past, answered: Answered, seconds: float) -> Prediction:
        reading = answered.sorted.reading if answered.sorted else answered.reading
        if reading is None or answered.report is None:
            kind = "resolved" if incoming(past.row).said == "resolved" else "noise"
            nothing = {name: False for name in ("category", "priority", "owner", "ticket")}
            return Prediction(past.id, kind, None, None, None, None, None, None, None, None, None, nothing, seconds)
        self.readings[past.id] = reading
        automatic = answered.sorted.decided.automatic if answered.sorted else await self._would_open(reading)
        where = await self._where(answered.report)
        return Prediction(
            id=past.id,
            kind=reading.kind.value or "incident",
            category=reading.category.value,
            priority=reading.priority.value,
            owner=reading.owner.value,
            category_confidence=reading.category.confidence,
            priority_confidence=reading.priority.confidence,
            owner_confidence=reading.owner.confidence,
            ticket=where,
            ticket_final=where,
            join_confidence=await self._join_confidence(answered, reading, where),
            auto={name: automatic for name in ("category", "priority", "owner", "ticket")},
            seconds=seconds,
        )

    async def _would_open(self, reading: Reading) -> bool:
        async with self.house.store.read() as connection:
            gate = GateNow(*await gates.now(connection, self.house.mind.model.version))
            return opens(reading, gate, await gates.ceilings(connection))

    async def _join_confidence(self, answered: Answered, reading: Reading, where: str | None) -> float | None:
        if where is None or answered.report is None:
            return None
        async with self.house.store.read() as connection:
            own = (await reports.load(connection, answered.report)).ticket
        if answered.sorted is not None and where == str(own):
            return None
        return reading.place_confidence if answered.sorted is not None else 1.0

    async def _where(self, report: int | None) -> str | None:
        """The ticket where a report counts, as far as anyone believes; None for noise."""
        if report is None:
            return None
        async with self.house.store.read() as connection:
            place = await incidents.place_of(connection, report)
        return str(place) if place is not None else None
