"""The embedded PostgreSQL: start it, find it, stop it, and make or drop a database in it.

Files in QUELL_HOME: `postgres/` (data), `postgres.password` (0600), `postgres.json` (where it listens, while it runs),
`postgres.users` (whoever uses the server holds a shared lock on it), `postgres.starting` (one start at a time),
`postgres.log`. With QUELL_DATABASE_URL set none of this is used; only `create_database` and `drop_database` are.
"""

import fcntl
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import psutil
import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from quell.core.errors import Broken
from quell.store import cluster, keeper
from quell.store.home import locked, secret, take, try_lock, turn_log, write_privately

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 40.0
POLL_SECONDS = 0.02
CONNECTIONS_MAX = 200
DROP_ATTEMPTS_MAX = 3
END_MS_MAX = 5000
# Short and fixed: a socket's whole path must stay under 108 bytes, however deep QUELL_HOME lies.
SOCKET_PARENT = "/tmp"
PORT = 5432
FAST_AND_LOOSE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL to work with; `url` is SQLAlchemy's and names a database on it (it holds the password)."""

    url: str = field(repr=False)

    def named(self, database: str) -> "Server":
        """The same server, another database."""
        return Server(make_url(self.url).set(database=database).render_as_string(hide_password=False))

    def conninfo(self) -> str:
        """The address as libpq and psycopg take it."""
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass
class Running:
    """Our hold on the embedded server: it lives at least as long as this process and this hold."""

    server: Server
    hold: BinaryIO = field(repr=False)
    locator: Path
    keeper: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def stop(self) -> None:
        """Let go; the server stops when nobody else holds it, and then this returns after it has stopped."""
        if self.hold.closed:
            return
        try:
            fcntl.flock(self.hold, fcntl.LOCK_UN)
            wait_unless_used(self)
        finally:
            self.hold.close()

    def __enter__(self) -> "Running":
        """For `with start(home) as running`."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go."""
        self.stop()


def start(home: Path, *, durable: bool = True, port: int | None = None) -> Running:
    """Start the server of this home, or join the one that runs; made the first time (about a second).

    `durable=False` leaves out every wait for the disk: for tests and throw-away replays only. `port` makes it listen on
    127.0.0.1 too. Raises Broken, with the end of the server's log, when it does not come up.
    """
    home = home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(home / "postgres.starting", fcntl.LOCK_EX):
        hold = take(home / "postgres.users", fcntl.LOCK_SH)
        try:
            running = locate(home)
            if running is not None:
                return Running(running, hold, home / "postgres.json")
            clear_remains(home)
            if not (home / "postgres").exists():
                secret(home, fresh=True)
                cluster.make(home / "postgres", secret(home), durable=durable)
            return launch(home, hold, durable=durable, port=port)
        except BaseException:
            hold.close()
            raise


@contextmanager
def reached(home: Path, url: str | None) -> Iterator[str]:
    """The address of the database that was configured, else of the embedded one, started if it does not run."""
    if url is not None:
        yield url
        return
    with start(home) as running:
        yield running.server.url


def locate(home: Path) -> Server | None:
    """The server that runs for this home, if one does; to keep it running, use `start`, which joins it."""
    try:
        where = json.loads((home / "postgres.json").read_text())
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(f"{where['socket']}/.s.PGSQL.{where['port']}")
    except (OSError, ValueError):
        return None
    return at(where["socket"], where["port"], secret(home))


def create_database(server: Server, name: str, template: str | None = None) -> Server:
    """Make a database, empty or a clone of `template` (to which nobody may be connected); gives its address."""
    order = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        order += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(order)
    return server.named(name)


def drop_database(server: Server, name: str) -> None:
    """Drop a database if it is there, even under connections of our own.

    Not by WITH (FORCE), which fails for lack of leave when it meets the server's own cleaner (autovacuum); the plain
    order sends that away by itself.
    """
    ours = "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        for attempt in range(1, DROP_ATTEMPTS_MAX + 1):
            connection.execute(ours, (END_MS_MAX, name))
            try:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
                return
            except psycopg.errors.ObjectInUse:  # somebody came in between
                if attempt == DROP_ATTEMPTS_MAX:
                    raise


def launch(home: Path, hold: BinaryIO, *, durable: bool, port: int | None) -> Running:
    """Start the keeper, which starts the server, and wait until it answers."""
    data, owner = home / "postgres", cluster.owner_of(home / "postgres")
    cluster.give(data, owner)
    folder = Path(tempfile.mkdtemp(prefix="quell-", dir=SOCKET_PARENT))
    cluster.give(folder, owner)
    turn_log(home / "postgres.log")
    order = {
        "command": command(data, folder, durable=durable, port=port),
        "data": str(data),
        "owner": owner,
        "socket": str(folder),
        "log": str(home / "postgres.log"),
        "users": str(home / "postgres.users"),
        "locator": str(home / "postgres.json"),
    }
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(keeper.__file__), json.dumps(order)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = at(str(folder), port or PORT, secret(home))
    wait_until_ready(server, process, home / "postgres.log")
    where = {"socket": str(folder), "port": port or PORT, "keeper": process.pid}
    write_privately(home / "postgres.json", json.dumps(where))
    return Running(server, hold, home / "postgres.json", process)


def command(data: Path, folder: Path, *, durable: bool, port: int | None) -> list[str]:
    """The server's command line; nothing is read from a file that somebody may have edited by halves."""
    options = [
        f"unix_socket_directories={folder}",
        "unix_socket_permissions=0700",
        f"listen_addresses={'127.0.0.1' if port else ''}",
        f"port={port or PORT}",
        f"max_connections={CONNECTIONS_MAX}",
        "timezone=UTC",
        "log_timezone=UTC",
        "password_encryption=scram-sha-256",
        # The log must not hold what people wrote: neither the failing statement nor the failing row.
        "log_min_error_statement=panic",
        "log_error_verbosity=terse",
        "log_checkpoints=off",
        *(() if durable else FAST_AND_LOOSE),
    ]
    flags = [part for option in options for part in ("-c", option)]
    return [str(cluster.binaries() / "postgres"), "-D", cluster.data_argument(data), *flags]


def wait_until_ready(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when the server lets us in; Broken when it ended or took too long."""
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        try:
            psycopg.connect(server.conninfo(), connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(POLL_SECONDS)
    process.terminate()
    raise Broken(f"the embedded PostgreSQL did not start; the end of {log}:\n{log.read_text(errors='replace')[-2000:]}")


def wait_unless_used(running: "Running") -> None:
    """Wait until the keeper is done, unless somebody else still holds the server."""
    until = time.monotonic() + STOP_SECONDS_MAX
    while time.monotonic() < until:
        if running.keeper.poll() is not None if running.keeper else not running.locator.exists():
            return
        if not try_lock(running.hold, fcntl.LOCK_EX) and try_lock(running.hold, fcntl.LOCK_SH):
            return
        fcntl.flock(running.hold, fcntl.LOCK_UN)
        time.sleep(POLL_SECONDS)


def clear_remains(home: Path) -> None:
    """Stop a server whose keeper was killed, and remove the socket folder of one that crashed."""
    with suppress(OSError, ValueError):
        shutil.rmtree(json.loads((home / "postgres.json").read_text())["socket"])
    (home / "postgres.json").unlink(missing_ok=True)
    server = orphan(home / "postgres")
    for ask in (signal.SIGINT, signal.SIGQUIT):
        if server is None:
            return
        server.send_signal(ask)
        if ended(server, STOP_SECONDS_MAX):
            return
    raise Broken(f"a PostgreSQL that runs on {home / 'postgres'} does not stop")


def orphan(data: Path) -> psutil.Process | None:
    """The postmaster that still runs on this data folder, if one does."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n")[0]))
        return process if process.cwd() == str(data) else None
    except (OSError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def ended(process: psutil.Process, seconds_max: float) -> bool:
    """Wait for another's child to end; one that only waits to be reaped has ended."""
    until = time.monotonic() + seconds_max
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def at(folder: str, port: int, password: str) -> Server:
    """The server whose socket lies in this folder."""
    return Server(f"postgresql+psycopg://{cluster.ROLE}:{password}@/{cluster.DATABASE}?host={folder}&port={port}")
