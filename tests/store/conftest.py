"""A store on a fresh database with a clock that the test turns, and a small log of a company's morning in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.core.incoming import Attachment, Party
from quell.store import audit, checkpoints, deliveries, people, reports, tickets
from quell.store.change import Store
from quell.store.checkpoint_form import Checkpoint
from quell.store.database import connect
from quell.store.findings import Audited
from quell.store.jobs import InlineJobs
from quell.store.reports import NewReport
from quell.wire.signing import CHECKPOINT, new_key, public_hex, sign


@dataclass
class Clock:
    """A clock that stands until it is turned."""

    now: datetime = datetime(2025, 5, 4, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(database_url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store that the test alone uses."""
    engine = connect(database_url, "quell-test", 5)
    yield Store(engine, clock, InlineJobs())
    await engine.dispose()


@pytest.fixture
async def report(store: Store) -> Callable[..., Awaitable[tuple[int, int]]]:
    """Makes a report with its ticket, as intake does: (report, ticket)."""
    async with store.change() as change:
        await deliveries.add_line(change, "desk", "portal", {}, "default")

    async def make(email: str = "ada@brook.example", words: str = "mail is down") -> tuple[int, int]:
        async with store.change() as change:
            person = await people.find_or_add(change, "portal", Party(email, email.split("@")[0]))
            new = NewReport("default", "portal", "desk", change.at, person=person.id, site=None)
            number = await reports.add(change, new, "channel:portal")
            files = [Attachment("a.txt", "text/plain", b"line 1")]
            actor = f"person:{person.id}"
            await reports.add_message(
                change, number, "in", actor, words, person=person.id, subject="help", attachments=files
            )
            made = await tickets.open_ticket(change, number, "default", words, "intake")
            await reports.update(change.connection, number, ticket=made.number)
        return number, made.number

    return make


@dataclass
class Witness:
    """Makes checkpoints with a key of its own, and audits."""

    store: Store
    file: Path
    key: Ed25519PrivateKey = field(default_factory=new_key)

    async def sign(self, payload: bytes) -> bytes:
        """What the signer's process does."""
        return bytes.fromhex(sign(self.key, CHECKPOINT, payload))

    async def make(self, *, now: bool = True) -> Checkpoint | None:
        """Make a checkpoint."""
        return await checkpoints.make(self.store, self.sign, self.file, now=now)

    async def audit(self) -> Audited:
        """Look at everything."""
        async with self.store.read() as connection:
            return await audit.verify(connection, self.file, public_hex(self.key))

    async def findings(self) -> list[str]:
        """What the audit finds, as lines."""
        return [str(each) for each in (await self.audit()).findings]


@pytest.fixture
def witness(store: Store, tmp_path: Path) -> Witness:
    return Witness(store, tmp_path / "checkpoints.jsonl")
