"""What `quell doctor` looks at: each thing that has to be well, with what is wrong with it and what helps."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

import quell
from quell.cli.door import now
from quell.core.errors import QuellError
from quell.settings import Settings, reachable
from quell.store import checkpoints, health, postgres
from quell.store.database import connect
from quell.store.schema import newest
from quell.store.signer_client import SignerClient

DISK_BYTES_MIN = 1024**3
WORKER_SILENT_MAX = timedelta(seconds=30)
CHECKPOINT_AGE_MAX = timedelta(minutes=5)
ANSWER_S_MAX = 5.0
SERVER_MIN = 160000

FRONT_END = Path(quell.__file__).parent / "web" / "static" / "vendor" / "htmx.min.js"
WORKERS = text("SELECT count(*) FILTER (WHERE last_heartbeat > :since) FROM quell_jobs.procrastinate_workers")
VERSION = text(
    "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
    " EXISTS (SELECT FROM pg_extension WHERE extname = 'vector'), (SELECT version_num FROM alembic_version)"
)
UNSIGNED = text("SELECT EXISTS (SELECT FROM event WHERE xid >= CAST(:below AS xid8) AND at < :before)")


@dataclass(frozen=True)
class Look:
    """One thing that was looked at."""

    what: str
    well: bool
    says: str


async def look(settings: Settings) -> list[Look]:
    """Look at everything; what cannot be looked at is wrong, too."""
    found = [_settings(settings), _home(settings.home), _front_end(), await _signer(settings.home), _pages(settings)]
    try:
        with postgres.reached(settings.home, settings.database_url) as url:
            engine = connect(url, "quell doctor", 1)
            try:
                async with engine.connect() as connection:
                    found += await _in_database(connection, now())
            finally:
                await engine.dispose()
    except (QuellError, SQLAlchemyError, OSError) as error:
        found.append(Look("database", False, f"does not answer: {type(error).__name__}"))
    return found


async def _in_database(connection: AsyncConnection, at: datetime) -> list[Look]:
    number, version, vector, migration = (await connection.execute(VERSION)).one()
    tables = "newest tables" if migration == newest() else f"tables of {migration}, newest are {newest()}: run quell up"
    well = number >= SERVER_MIN and vector and migration == newest()
    says = f"PostgreSQL {version}, {tables}" + ("" if vector else ", the extension vector is missing")
    counts = await health.counts(connection)
    return [
        Look("database", well, says),
        await _workers(connection, at),
        _none(counts, "quell_deliveries_failed", "deliveries", "that could not be read"),
        _none(counts, "quell_jobs_failed", "jobs", "that were given up"),
        await _checkpoints(connection, at),
    ]


def _settings(settings: Settings) -> Look:
    unknown = ", ".join(settings.unknown)
    return Look("settings", not unknown, f"not known: {unknown}" if unknown else "all are known")


def _home(home: Path) -> Look:
    if not home.exists():
        return Look("home", False, f"{home} is not there: run quell up")
    if home.stat().st_mode & 0o077:
        return Look("home", False, f"{home} is open to others: chmod 700")
    free = shutil.disk_usage(home).free
    return Look("home", free >= DISK_BYTES_MIN, f"{home}, {free // 1024**2} MB free")


def _front_end() -> Look:
    there = FRONT_END.exists()
    return Look("pages' files", there, "there" if there else "missing: run make setup")


async def _signer(home: Path) -> Look:
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            await SignerClient(home).public_keys()
    except (QuellError, TimeoutError) as error:
        return Look("signer", False, str(error) or "does not answer")
    return Look("signer", True, "answers")


def _pages(settings: Settings) -> Look:
    url = f"http://{reachable(settings.bind)}:{settings.port}/readyz"
    try:
        with urlopen(url, timeout=ANSWER_S_MAX) as answer:
            return Look("pages", answer.status == 200, f"{url} answers {answer.status}")
    except (URLError, OSError) as error:
        return Look("pages", False, f"{url}: {getattr(error, 'reason', error)}")


async def _workers(connection: AsyncConnection, at: datetime) -> Look:
    count = (await connection.execute(WORKERS, {"since": at - WORKER_SILENT_MAX})).scalar_one()
    return Look("workers", count > 0, f"{count} heard of within {WORKER_SILENT_MAX.seconds} s")


def _none(counts: Mapping[str, int], name: str, what: str, says: str) -> Look:
    count = counts[name]
    return Look(what, count == 0, f"{count} {says}" if count else f"none {says}")


async def _checkpoints(connection: AsyncConnection, at: datetime) -> Look:
    last = await checkpoints.last(connection)
    below = last.below_xid if last else "0"
    late = (await connection.execute(UNSIGNED, {"below": below, "before": at - CHECKPOINT_AGE_MAX})).scalar_one()
    when = f"the last one is of {last.at:%Y-%m-%d %H:%M} UTC" if last else "there is none yet"
    says = f"{when}; events have waited for longer than {CHECKPOINT_AGE_MAX.seconds // 60} min" if late else when
    return Look("checkpoints", not late, says)
