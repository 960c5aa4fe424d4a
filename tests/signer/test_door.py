"""The signer whole: a real unix socket, a real database, the client that the rooms use."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quell.core.errors import Broken, Refused, TryAgain
from quell.signer.ledger import SqlLedger
from quell.signer.run import run
from quell.store.database import connect
from quell.store.signer_client import SignerClient, read_envelope
from quell.store.tables import channel as channels
from quell.store.tables import company, consent, device, fix, report, ticket
from quell.wire.orders import device_number, open_order
from quell.wire.signing import CHECKPOINT, new_key, public_hex, verify
from quell.wire.steps import RestartService

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DEVICE_KEY = public_hex(new_key())
PLAN = "a" * 64


@asynccontextmanager
async def a_signer(home: Path, database_url: str) -> AsyncIterator[SignerClient]:
    """A signer that runs for the length of the block."""
    ready = asyncio.Event()
    serving = asyncio.create_task(run(home, database_url, lambda: NOW, ready.set))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield SignerClient(home)
    finally:
        waiting.cancel()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def a_fix(database_url: str, agreed: bool = True) -> int:
    """A ticket with a fix whose plan is known, on an enrolled device of a company that allows it."""
    engine = connect(database_url, pool_size=1)
    async with engine.begin() as db:
        await db.execute(
            company.insert().values(id=1, document={"actions": [{"key": "restart_service"}]}, loaded_at=NOW)
        )
        await db.execute(channels.insert().values(key="portal", name="portal", organisation="default", made_at=NOW))
        report_row = {"organisation": "default", "channel": "portal", "channel_key": "portal", "at": NOW}
        number = (await db.execute(report.insert().values(report_row).returning(report.c.number))).scalar_one()
        ticket_row = {
            "organisation": "default",
            "report": number,
            "title": "nginx is down",
            "folded": {},
            "version": 1,
            "status": "open",
            "open": True,
            "noise": False,
            "root": 1,
            "reports": 1,
            "reporters": 1,
            "machines": 0,
            "sites": 0,
            "opened_at": NOW,
            "changed_at": NOW,
            "heard_at": NOW,
        }
        on = (await db.execute(ticket.insert().values(ticket_row).returning(ticket.c.number))).scalar_one()
        box = {"organisation": "default", "hostname": "box", "kind": "desktop", "public_key": bytes.fromhex(DEVICE_KEY)}
        at = (await db.execute(device.insert().values(box).returning(device.c.id))).scalar_one()
        fix_row = {
            "ticket": on,
            "device": at,
            "action": "restart_service",
            "params": {"service": "nginx"},
            "state": "planned",
            "plan_hash": PLAN,
            "proposed_by": "account:1",
            "at": NOW,
            "changed_at": NOW,
        }
        made = (await db.execute(fix.insert().values(fix_row).returning(fix.c.id))).scalar_one()
        if agreed:
            yes = {"fix": made, "plan_hash": PLAN, "actor": "account:1", "at": NOW}
            await db.execute(consent.insert().values(**yes, expires_at=NOW + timedelta(hours=1)))
    await engine.dispose()
    return int(made)


async def test_an_agreed_fix_is_signed_over_the_socket(tmp_path: Path, database_url: str) -> None:
    """In a home whose path is far too long for a socket; the device can open what comes out."""
    home = tmp_path / ("deep" * 40)
    home.mkdir()
    number = await a_fix(database_url)
    async with a_signer(home, database_url) as client:
        order_key, checkpoint_key = await client.public_keys()
        made = await client.sign_order("apply", fix=number)
        order = open_order(read_envelope(made.envelope), order_key, made.order.device_id, int(NOW.timestamp()))
        assert order == made.order and order.fix == number and order.steps == (RestartService("nginx"),)
        assert made.expires_at - made.issued_at == timedelta(minutes=10)
        signature = await client.sign_checkpoint(b"root")
        verify(checkpoint_key, CHECKPOINT, b"root", signature.hex())
        look = await client.sign_order("look", device=device_number(order.device_id), ticket=order.ticket)
        assert look.order.sequence > order.sequence


async def test_a_refusal_comes_back_as_one(tmp_path: Path, database_url: str) -> None:
    """With its code and status, so that a room can say why; nobody agreed here."""
    number = await a_fix(database_url, agreed=False)
    async with a_signer(tmp_path, database_url) as client:
        assert (await client.sign_order("plan", fix=number)).order.kind == "plan"
        with pytest.raises(Refused) as refused:
            await client.sign_order("apply", fix=number)
    assert (refused.value.code, refused.value.status) == ("no_consent", 403)


async def test_what_is_not_in_the_database_is_not_signed(tmp_path: Path, database_url: str) -> None:
    """No fix, no device: no order."""
    async with a_signer(tmp_path, database_url) as client:
        with pytest.raises(Refused) as no_fix:
            await client.sign_order("plan", fix=1)
        with pytest.raises(Refused) as no_device:
            await client.sign_order("look", device=1)
    assert (no_fix.value.code, no_device.value.code) == ("no_fix", "no_device")


async def test_the_count_of_orders_rises_whoever_asks(database_url: str) -> None:
    """Many at once get different numbers, and the clock lifts them above what a restored backup forgot."""
    await a_fix(database_url)
    engine = connect(database_url, pool_size=4)
    ledger = SqlLedger(engine)
    numbers = await asyncio.gather(*(ledger.next_sequence(1, 1000) for _ in range(8)))
    assert sorted(numbers) == list(range(1000, 1008))
    assert await ledger.next_sequence(1, 5000) == 5000
    assert await ledger.count_devices() == 1
    await engine.dispose()


@pytest.mark.parametrize(
    "line",
    [b"{}", b"[]", b"nonsense", b'{"verb":"run"}', b'{"verb":"sign_order","kind":"shell","fix":3}'],
)
async def test_junk_is_answered_and_the_door_stays_open(tmp_path: Path, database_url: str, line: bytes) -> None:
    """A caller's mistake neither stops the signer nor gets anything signed."""
    async with a_signer(tmp_path, database_url) as client:
        where = json.loads((tmp_path / "signer.json").read_text())
        assert Path(where["socket"]).stat().st_mode & 0o777 == 0o600
        assert Path(where["socket"]).parent.stat().st_mode & 0o777 == 0o700
        reader, writer = await asyncio.open_unix_connection(where["socket"])
        writer.write(line + b"\n")
        assert json.loads(await reader.readline())["error"]["code"] == "malformed"
        writer.close()
        assert len(await client.public_keys()) == 2


async def test_a_signer_that_is_not_there_is_a_reason_to_try_again(tmp_path: Path, database_url: str) -> None:
    """The worker retries; nothing is signed meanwhile, and nothing of the signer is left behind."""
    async with a_signer(tmp_path, database_url) as client:
        folder = Path(json.loads((tmp_path / "signer.json").read_text())["socket"]).parent
    assert not folder.exists()
    with pytest.raises(TryAgain):
        await client.public_keys()


async def test_a_second_signer_does_not_start(tmp_path: Path, database_url: str) -> None:
    """The first goes on undisturbed."""
    async with a_signer(tmp_path, database_url) as client:
        with pytest.raises(Broken):
            await run(tmp_path, database_url, lambda: NOW)
        assert len(await client.public_keys()) == 2


async def test_what_a_killed_signer_left_behind_is_swept_away(tmp_path: Path, database_url: str) -> None:
    """Its socket folder and its address; the next one is found."""
    left = Path(tempfile.mkdtemp(prefix="quell-signer-", dir="/tmp"))
    (tmp_path / "signer.json").write_text(json.dumps({"socket": str(left / "s"), "pid": 1}))
    async with a_signer(tmp_path, database_url) as client:
        assert len(await client.public_keys()) == 2 and not left.exists()
