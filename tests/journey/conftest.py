"""A house over a fresh database, with a clock that the test sets, a scripted model and an inline queue."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from quell.core.company import Company
from quell.core.gate import Checked
from quell.core.reading import Correction, JoinOption, Known, Message, OpenTicket, Proposal, Reading, Reason
from quell.journey import flow
from quell.journey.desk import TheDesk
from quell.journey.house import House
from quell.journey.mind import Mind
from quell.journey.spoken import Who
from quell.seams import Action, Channel, find
from quell.store import companies
from quell.store.change import Store
from quell.store.database import connect
from quell.store.jobs import InlineJobs

COMPANY = {
    "name": "Aldermoor",
    "timezone": "Europe/Amsterdam",
    "business_hours": {"mon": [["08:00", "18:00"]], "tue": [["08:00", "18:00"]], "wed": [["08:00", "18:00"]],
                       "thu": [["08:00", "18:00"]], "fri": [["08:00", "18:00"]], "sat": [], "sun": []},
    "sites": [{"key": "leeds", "name": "Leeds", "aliases": []}, {"key": "bristol", "name": "Bristol", "aliases": []}],
    "services": [{"key": "print", "name": "Label printing", "description": "", "aliases": ["labels"], "criticality": 1,
                  "owner": "platform"}],
    "teams": [{"key": "platform", "name": "Platform", "handles": "servers"},
              {"key": "desk", "name": "Desk", "handles": "all"}],
    "categories": [{"key": "printing", "name": "Printing", "description": "labels", "team": "platform"},
                   {"key": "laptops", "name": "Laptops", "description": "machines", "team": "desk"}],
    "people": [{"email": f"p{n}@aldermoor.example", "name": f"Person {n}", "department": "Depot",
                "site": "leeds" if n % 2 else "bristol", "title": "", "vip": False} for n in range(20)],
    "devices": [{"hostname": "lds-print-02", "owner_email": None, "kind": "server", "os": "Debian 12",
                 "site": "leeds"}],
    "priorities": {"P1": "all stand still", "P2": "many are hindered", "P3": "one is", "P4": "can wait"},
    "actions": [{"key": "free_disk_space", "description": ""}, {"key": "restart_service", "description": ""}],
}
TECHNICIAN = Who(1, "Mara", "mara@aldermoor.example", "technician")
OTHER = Who(2, "Jun", "jun@aldermoor.example", "technician")


@dataclass
class Scripted:
    """A model that answers what the test told it: `words` maps a word of the text to fields; `joins` likewise."""

    name: str = "scripted"
    version: str = "scripted-1"
    kinds: dict[str, str] = field(default_factory=dict)
    joins: dict[str, int] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=lambda: {"label": "printing"})
    priorities: dict[str, str] = field(default_factory=dict)
    sure: float = 0.5
    learnt: list[tuple[Message, Correction]] = field(default_factory=list)
    asked: list[tuple[Message, tuple[OpenTicket, ...]]] = field(default_factory=list)

    def fit(self, company: Company, known: Sequence[Known] = ()) -> None:
        self.learnt = [(each.message, each.correction) for each in known]

    @property
    def prior(self) -> tuple[Checked, ...]:
        """No other company was ever read."""
        return ()

    def propose(self, message: Message, tickets: Sequence[OpenTicket], at: datetime) -> Reading:
        self.asked.append((message, tuple(tickets)))
        text = f"{message.subject or ''} {message.text}".lower()
        category = _first(self.categories, text, "laptops")
        place = _first(self.joins, text, None)
        reason = (Reason("the script says so", 100.0),)
        return Reading(
            kind=Proposal("kind", _first(self.kinds, text, "incident"), 0.9, reason),
            category=Proposal("category", category, 0.8, reason),
            owner=Proposal("owner", "platform" if category == "printing" else "desk", 0.8, reason),
            priority=Proposal("priority", _first(self.priorities, text, "P3"), 0.7, reason),
            place=place,
            place_confidence=0.9,
            joins=(JoinOption(place, 0.9, reason),) if place else (),
            sure=self.sure,
            impact="one",
            urgency="medium",
            model=self.name,
            version=self.version,
        )

    def learn(self, message: Message, correction: Correction) -> None:
        self.learnt.append((message, correction))

    def similar(self, message: Message, others: Sequence[Message]) -> Sequence[float]:
        words = set(message.text.lower().split())
        return [len(words & set(each.text.lower().split())) / max(1, len(words)) for each in others]


def _first(table, text, otherwise):
    return next((value for word, value in table.items() if word in text), otherwise)


@dataclass
class Scene:
    """A house with its clock, queue and model at hand."""

    house: House
    desk: TheDesk
    model: Scripted
    jobs: InlineJobs
    time: list[datetime]

    def pass_time(self, **span: float) -> None:
        self.time[0] += timedelta(**span)

    async def drain(self) -> None:
        """Do all the work that is due."""
        while (job := self.jobs.take(self.time[0])) is not None:
            await flow.do(self.house, job.task, job.args)

    async def tell(self, person: int, text: str, subject: str = "") -> int:
        """A person reports something on the portal; the number of his report's ticket, after triage."""
        body = {"reporter": f"p{person}@aldermoor.example", "text": text} | ({"subject": subject} if subject else {})
        made = await self.desk.take_report(json.dumps(body).encode(), {})
        await self.drain()
        self.pass_time(seconds=30)
        assert made.ticket is not None
        return made.ticket


class NoSigner:
    """There is no device in these scenes."""

    async def public_keys(self):
        raise AssertionError("no device in this scene")

    async def sign_order(self, kind, *, fix=None, device=None, ticket=None):
        raise AssertionError("no device in this scene")


@pytest_asyncio.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    engine = connect(database_url)
    time = [datetime(2026, 3, 9, 9, 0, tzinfo=UTC)]
    jobs = InlineJobs()
    store = Store(engine, lambda: time[0], jobs)
    model = Scripted()
    channels, actions = find("quell.channels", "CHANNEL", Channel), find("quell.actions", "ACTION", Action)
    house = House(store, channels, actions, Mind(lambda: model), NoSigner(), secrets={"token_key": "00" * 32})
    async with store.change() as change:
        await companies.save(change, json.dumps(COMPANY).encode(), "test")
    yield Scene(house, TheDesk(house), model, jobs, time)
    await engine.dispose()


@pytest.fixture
def mara() -> Who:
    return TECHNICIAN


@pytest.fixture
def jun() -> Who:
    return OTHER
