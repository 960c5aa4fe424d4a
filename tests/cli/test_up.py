"""`quell up` as a whole: one tree of processes that comes up, stays up, and leaves nothing behind, however it ends."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

import quell.web
from quell.store import postgres

SOURCE = Path(__file__).parents[2] / "src"
READY_SECONDS_MAX = 90.0
WAIT_SECONDS_MAX = 60.0
ASSETS = Path(quell.web.__file__).parent / "static" / "vendor" / "htmx.min.js"

pytestmark = pytest.mark.skipif(not ASSETS.exists(), reason="needs the front-end files of `make setup`")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(true: Callable[[], object], seconds: float = WAIT_SECONDS_MAX) -> bool:
    """Whether something becomes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return False


@dataclass
class Up:
    """One running `quell up`."""

    home: Path
    port: int
    environ: dict[str, str]
    process: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> None:
        """Start it and wait for the ready line, and for the link below it if one follows."""
        command = [sys.executable, "-m", "quell.cli", "up"]
        with (self.home.parent / "up.out").open("w") as out, (self.home.parent / "up.log").open("a") as log:
            self.process = subprocess.Popen(command, env=self.environ, stdout=out, stderr=log)
        assert eventually(self._is_ready, READY_SECONDS_MAX), self.said()

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return any(line.startswith("Quell is ready") for line in self.lines())

    def lines(self) -> list[str]:
        """What it has printed."""
        return (self.home.parent / "up.out").read_text().splitlines()

    def link(self) -> str:
        """The path of the link that makes the first account."""
        assert eventually(lambda: len(self.lines()) == 2)
        found = re.fullmatch(
            rf"Make the first account here: http://127\.0\.0\.1:{self.port}(/first-run\?token=[\w-]{{40,}})",
            self.lines()[1],
        )
        assert found
        return found[1]

    def said(self) -> str:
        """What stands in its log."""
        return (self.home.parent / "up.log").read_text()[-4000:]

    def tree(self) -> list[psutil.Process]:
        """All its processes, itself first."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def door(self, name: str) -> psutil.Process | None:
        """The process of one door."""
        for each in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):  # It has just ended.
                if each.cmdline()[-1:] == [f"quell.{name}"]:
                    return each
        return None

    def answers(self, path: str = "/readyz") -> int | None:
        """The status that the pages answer with, None while they do not."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None

    def quell(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Type another command in the same home."""
        command = [sys.executable, "-m", "quell.cli", *words]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=WAIT_SECONDS_MAX)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_SECONDS_MAX)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    home, port = tmp_path / "home", free_port()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("QUELL_")}
    environ |= {"QUELL_HOME": str(home), "QUELL_PORT": str(port), "PYTHONPATH": str(SOURCE)}
    made = Up(home, port, environ)
    yield made
    if made.process.poll() is None:
        made.stop()


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of these have ended."""
    return not [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_the_first_start_says_where_and_gives_the_first_link_and_the_next_ones_do_so_too(up: Up) -> None:
    up.start()
    assert up.lines()[0] == f"Quell is ready at http://127.0.0.1:{up.port}"
    first = up.link()
    assert up.answers(first) == 200
    assert up.answers("/first-run?token=guess") == 410
    doors = {name: up.door(name) is not None for name in ("web", "worker", "signer", "listen")}
    assert doors == {"web": True, "worker": True, "signer": True, "listen": False}
    before = up.tree()
    assert up.stop() == 0, up.said()
    assert gone(before) and postgres.locate(up.home) is None
    up.start()
    assert up.link() != first, "a new start makes a new link"
    assert up.answers(first) == 410, "and the old one is over"


def test_commands_join_it_and_the_log_is_signed_while_it_runs(up: Up) -> None:
    up.start()
    address = up.quell("channel", "add", "alertmanager").stdout.strip()
    assert address.startswith(f"http://127.0.0.1:{up.port}/hooks/alertmanager/")
    token = up.quell("agent", "token")
    assert token.stdout.startswith("quell-"), token.stderr
    assert eventually((up.home / "checkpoints.jsonl").exists), up.said()
    assert eventually(lambda: up.quell("doctor").returncode == 0), up.quell("doctor").stdout
    says = r"verified \d+ events in \d+ streams, ([1-9]\d*) checkpoints, 0 erased\n"
    while_it_runs = re.fullmatch(says, up.quell("audit", "verify").stdout)
    assert while_it_runs
    assert up.quell("token", "create", "--role", "auditor").returncode == 0
    up.stop()
    at_the_end = re.fullmatch(says, up.quell("audit", "verify").stdout)
    assert at_the_end and int(at_the_end[1]) > int(while_it_runs[1]), "nothing is left unsigned"


def test_what_dies_is_started_again(up: Up) -> None:
    up.start()
    for name in ("worker", "web", "signer"):
        dead = up.door(name)
        assert dead is not None
        dead.kill()
        assert eventually(lambda name=name, dead=dead: (up.door(name) or dead) != dead), f"{name}: {up.said()}"  # type: ignore[misc]
    assert eventually(lambda: up.answers() == 200), up.said()
    assert eventually(lambda: up.quell("agent", "token").returncode == 0), up.said()


def test_a_database_that_dies_is_started_again_with_everything_over_it(up: Up) -> None:
    up.start()
    pid = int((up.home / "postgres" / "postmaster.pid").read_text().split("\n")[0])
    psutil.Process(pid).kill()
    assert eventually(lambda: up.answers() != 200)
    assert eventually(lambda: up.answers() == 200, READY_SECONDS_MAX), up.said()
    assert up.quell("audit", "verify").stdout.startswith("verified"), up.said()


def test_when_it_is_killed_outright_nothing_is_left_running(up: Up) -> None:
    up.start()
    everyone = up.tree()
    assert len(everyone) >= 5
    up.process.kill()
    up.process.wait()
    assert eventually(lambda: gone(everyone)), [each.cmdline() for each in everyone if each.is_running()]
    assert eventually(lambda: postgres.locate(up.home) is None)
    up.start()
    assert up.answers() == 200


def test_a_second_one_in_the_same_home_is_refused(up: Up) -> None:
    up.start()
    second = up.quell("up")
    assert second.returncode == 2 and "runs already" in second.stderr


def test_a_port_that_is_taken_is_said_before_anything_starts(up: Up) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", up.port))
        other.listen()
        refused = up.quell("up")
    assert refused.returncode == 2 and f"port {up.port} cannot be had" in refused.stderr
    assert not (up.home / "postgres").exists()
    up.start()


def test_with_a_mail_port_it_listens(up: Up) -> None:
    up.environ["QUELL_LMTP_PORT"] = str(free_port())
    up.start()

    def greets() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", int(up.environ["QUELL_LMTP_PORT"])), 2) as mail:
                return mail.recv(4) == b"220 "
        except OSError:
            return False

    assert eventually(greets), up.said()
