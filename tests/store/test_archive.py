"""A backup brings everything back, on another server's count of transactions too, and never over something else."""

import shutil
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from quell.core.errors import Refused
from quell.store import archive, checkpoints, postgres, rebuilding, tickets
from quell.store.change import Store
from quell.store.database import connect, driver_url
from quell.store.jobs import InlineJobs
from quell.wire.signing import private_to_hex

# Two thousand transactions, as a server has counted them that is older than the one to which the backup goes.
BUSY = "DO $$ BEGIN FOR each IN 1..2000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
Make = Callable[..., Awaitable[tuple[int, int]]]


@pytest.fixture
def home(tmp_path: Path, witness: Any) -> Path:
    """The home of the installation that is backed up: its keys and its checkpoints."""
    home = witness.file.parent
    (home / "signer").mkdir(mode=0o700)
    (home / "signer" / "checkpoint.key").write_text(private_to_hex(witness.key))
    (home / "secret.key").write_bytes(b"s" * 32)
    return Path(home)


@pytest.fixture(scope="module")
def another_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """A server that has just been made, and so has counted far fewer transactions than the other one."""
    with postgres.start(tmp_path_factory.mktemp("another"), durable=False) as running:
        yield running.server


@pytest.fixture
def elsewhere(another_server: postgres.Server) -> Iterator[str]:
    """An empty database with nothing in it, not even tables."""
    made = postgres.create_database(another_server, "elsewhere")
    yield made.url
    postgres.drop_database(another_server, "elsewhere")


@pytest.fixture
async def restored(elsewhere: str, clock: Any) -> AsyncIterator[Store]:
    engine = connect(elsewhere, "quell-test", 3)
    yield Store(engine, clock, InlineJobs())
    await engine.dispose()


@pytest.fixture
async def backup(store: Store, report: Make, witness: Any, home: Path, tmp_path: Path, database_url: str) -> Path:
    """A backup of two tickets and a checkpoint."""
    await report()
    await report("bob@brook.example")
    with psycopg.connect(driver_url(database_url), autocommit=True) as connection:
        connection.execute(BUSY)
    await witness.make()
    target = tmp_path / "quell.backup"
    archive.write(home, database_url, target, store.clock())
    return target


async def test_everything_comes_back_and_is_signed_on(
    store: Store, restored: Store, witness: Any, backup: Path, elsewhere: str, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    archive.read(new, elsewhere, backup)
    assert (new / "secret.key").read_bytes() == b"s" * 32
    assert (new / "signer" / "checkpoint.key").stat().st_mode & 0o777 == 0o600
    there = replace(witness, store=restored, file=new / "checkpoints.jsonl")
    found = await there.audit()
    assert (found.findings, found.checkpoints) == ([], 1) and found.events == (await witness.audit()).events
    async with restored.read() as connection:
        assert await rebuilding.compare(connection) == []
    for number in (1, 2):
        async with restored.change() as change:
            await tickets.record(change, number, "note_added", "account:1", {"message": 1})
    async with restored.read() as connection:
        now = (await connection.execute(text("SELECT pg_current_xact_id()::text::bigint"))).scalar_one()
        assert now < int((await checkpoints.last(connection)).below_xid)  # type: ignore[union-attr]
    made = await there.make()
    assert {stream for stream, _, _ in made.moved()} >= {"ticket:1", "ticket:2"}
    found = await there.audit()
    assert (found.findings, found.checkpoints) == ([], 2)


async def test_a_backup_is_private_and_is_not_written_over(backup: Path, home: Path, database_url: str) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not [each for each in backup.parent.iterdir() if each.name.startswith("quell-backup-")]
    with pytest.raises(Refused, match="there already"):
        archive.write(home, database_url, backup, None)  # type: ignore[arg-type]


async def test_nothing_that_is_there_is_lost(
    store: Store, backup: Path, home: Path, database_url: str, elsewhere: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="the database is in use"):
        archive.read(tmp_path / "new", database_url, backup)
    other = tmp_path / "other"
    other.mkdir()
    (other / "secret.key").write_bytes(b"mine")
    with pytest.raises(Refused, match="differs"):
        archive.read(other, elsewhere, backup)
    assert (other / "secret.key").read_bytes() == b"mine" and not (other / "signer").exists()
    async with store.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM ticket"))).scalar_one() == 2


async def test_into_the_same_home_with_an_emptied_database_it_comes_back(
    backup: Path, home: Path, elsewhere: str, restored: Store
) -> None:
    archive.read(home, elsewhere, backup)
    async with restored.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM ticket"))).scalar_one() == 2


@pytest.mark.parametrize("harm", ["flip a byte", "cut it short", "put a stranger in", "no tar at all"])
async def test_a_damaged_backup_changes_nothing(backup: Path, elsewhere: str, tmp_path: Path, harm: str) -> None:
    raw = bytearray(backup.read_bytes())
    if harm == "flip a byte":
        raw[len(raw) // 2] ^= 1
        backup.write_bytes(raw)
    elif harm == "cut it short":
        backup.write_bytes(raw[: len(raw) // 2])
    elif harm == "no tar at all":
        backup.write_text("hello")
    else:
        _with_stranger(backup, tmp_path)
    with pytest.raises(Refused) as refused:
        archive.read(tmp_path / "new", elsewhere, backup)
    assert refused.value.code == "bad_backup"
    assert not (tmp_path / "new").exists()


def _with_stranger(backup: Path, folder: Path) -> None:
    with tarfile.open(backup) as archived:
        archived.extractall(folder / "unpacked", filter="data")
    manifest = folder / "unpacked" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"members": {', '"members": {"../evil": "00",'))
    backup.unlink()
    with tarfile.open(backup, "w") as archived:
        for each in [manifest, *(path for path in (folder / "unpacked").iterdir() if path != manifest)]:
            archived.add(each, each.name)
    shutil.rmtree(folder / "unpacked")
