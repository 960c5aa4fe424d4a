"""A backup: the database, the keys and the checkpoints in one file, and the way back into an empty place."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, text

from quell.core.errors import Broken, Fault, Refused
from quell.store import checkpoint_file, cluster
from quell.store.database import driver_url
from quell.store.schema import JOBS_SCHEMA, applied, migrate

DUMP, MANIFEST = "database.dump", "manifest.json"
# Read before the database is dumped: so the file never knows of a checkpoint that the dump lacks.
FILES = (
    checkpoint_file.NAME,
    "secret.key",
    "signer/order.key",
    "signer/order.pub",
    "signer/checkpoint.key",
    "signer/checkpoint.pub",
    "signer/journal",
)
TOOL_SECONDS_MAX = 24 * 3600
MANIFEST_BYTES_MAX = 64 * 1024
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: the last migration of its database, when it was made, and each member's SHA-256."""

    format: int
    at: str
    migration: str
    members: Mapping[str, str]


def write(home: Path, url: str, target: Path, at: datetime) -> Manifest:
    """Write a backup that only we may read; Refused when the file is there already."""
    if target.exists():
        raise Refused(f"{target} is there already", 409, "file_exists")
    members = {name: (home / name).read_bytes() for name in FILES if (home / name).exists()}
    with tempfile.TemporaryDirectory(prefix="quell-backup-", dir=target.absolute().parent) as folder:
        dump = Path(folder) / DUMP
        _tool("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", "--no-comments", f"--file={dump}")
        digests = {name: hashlib.sha256(body).hexdigest() for name, body in members.items()}
        manifest = Manifest(FORMAT, at.isoformat(), _applied(url) or "", {**digests, DUMP: _digest(dump)})
        members[MANIFEST] = json.dumps(asdict(manifest), indent=1).encode()
        fresh = Path(folder) / "backup.tar"
        with tarfile.open(fresh, "w") as archive:
            for name, body in sorted(members.items(), key=lambda each: each[0] != MANIFEST):
                archive.addfile(_member(name, len(body)), io.BytesIO(body))
            with dump.open("rb") as file:
                archive.addfile(_member(DUMP, dump.stat().st_size), file)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.chmod(0o600)
        fresh.rename(target)
    return manifest


def read(home: Path, url: str, source: Path) -> Manifest:
    """Bring a backup back; Refused, and nothing changed, when it is damaged or something is there that it would lose.

    The database must hold no event, and no key in `home` may differ from the backup's.
    """
    with tempfile.TemporaryDirectory(prefix="quell-restore-") as folder:
        manifest = _unpack(source, Path(folder))
        _check_place(home, url, Path(folder), manifest)
        _clear(url)
        _tool("pg_restore", url, "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={_name(url)}",
              str(Path(folder) / DUMP))  # fmt: skip
        _forget_transactions(url)
        migrate(url)
        for name in set(manifest.members) - {DUMP}:
            place = home / name
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy(Path(folder) / name, place)
            place.chmod(0o644 if place.suffix == ".pub" else 0o600)
    return manifest


def _unpack(source: Path, folder: Path) -> Manifest:
    try:
        with tarfile.open(source) as archive:
            first = archive.extractfile(MANIFEST)
            found = json.loads(first.read(MANIFEST_BYTES_MAX) if first else b"")
            manifest = Manifest(found["format"], found["at"], found["migration"], found["members"])
            if manifest.format != FORMAT:
                raise Refused(f"{source} was made by another version of Quell", 422, "other_format")
            for name in manifest.members:
                if name not in (*FILES, DUMP):
                    raise Refused(f"{source} holds {name}, which is no part of a backup", 422, "bad_backup")
                archive.extract(name, folder, filter="data")
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise Refused(f"{source} is no backup of Quell", 422, "bad_backup") from error
    wrong = [name for name, digest in manifest.members.items() if _digest(folder / name) != digest]
    if wrong:
        faults = tuple(Fault(name, "is not what was written") for name in wrong)
        raise Refused(f"{source} is damaged", 422, "bad_backup", faults)
    return manifest


def _check_place(home: Path, url: str, folder: Path, manifest: Manifest) -> None:
    for name in set(manifest.members) - {DUMP}:
        there = home / name
        if there.exists() and there.read_bytes() != (folder / name).read_bytes():
            raise Refused(f"{there} is there already and differs: restore into an empty QUELL_HOME", 409, "not_empty")
    if _applied(url) is not None and _ask(url, "SELECT EXISTS (SELECT FROM event)"):
        raise Refused("the database is in use: restore into an empty one", 409, "not_empty")


def _clear(url: str) -> None:
    """Drop our empty tables; the extension stays, since only a superuser could make it again."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {JOBS_SCHEMA} CASCADE"))
            tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            for name in [row.tablename for row in tables.all()]:
                connection.execute(text(f'DROP TABLE "{name}" CASCADE'))
    finally:
        engine.dispose()


def _forget_transactions(url: str) -> None:
    """Another server counts its transactions from elsewhere: all that was restored lies before its first."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("UPDATE event SET xid = '0'"))
    finally:
        engine.dispose()


def _tool(name: str, url: str, *options: str) -> None:
    known = conninfo_to_dict(driver_url(url))
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    # By the environment, because every account of the machine can read a command line.
    environ = {variable: str(known[key]) for key, variable in names.items() if known.get(key) is not None}
    done = subprocess.run(
        [_path(name), *options], env=environ, capture_output=True, text=True, timeout=TOOL_SECONDS_MAX
    )
    if done.returncode != 0:
        raise Broken(f"{name} failed: {done.stderr.strip()[-2000:]}")


def _path(name: str) -> str:
    try:
        return str(cluster.binaries() / name)
    except Broken:
        found = shutil.which(name)
        if found is None:
            raise Refused(f"{name} is missing: install PostgreSQL's client programs", code="no_tool") from None
        return found


def _name(url: str) -> str:
    return str(conninfo_to_dict(driver_url(url))["dbname"])


def _applied(url: str) -> str | None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return applied(connection)
    finally:
        engine.dispose()


def _ask(url: str, question: str) -> object:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(question)).scalar_one()
    finally:
        engine.dispose()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _member(name: str, size: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.mode = size, 0o600
    return made
