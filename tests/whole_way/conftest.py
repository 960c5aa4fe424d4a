"""A town: `quell up` as a user starts it, in an empty home, with a company, a technician's token and free ports."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journey.conftest import COMPANY

SOURCE = Path(__file__).parents[2] / "src"
READY_WITHIN_S = 120.0
PATIENCE_S = 60.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, found: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    """Wait until something is there, and give it back."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"after {within_s} s still no {what}")


@dataclass
class Town:
    """One running Quell."""

    home: Path
    settings: Mapping[str, str]
    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)
    token: str = ""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.settings['QUELL_PORT']}"

    def environment(self) -> dict[str, str]:
        """What a command of this town sees."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QUELL_")}
        return {**kept, **self.settings, "PYTHONPATH": str(SOURCE)}

    def quell(self, *words: str, check: bool = True) -> str:
        """Run a command; what it printed."""
        given = [sys.executable, "-m", "quell.cli", *words]
        ran = subprocess.run(given, env=self.environment(), capture_output=True, text=True, timeout=120)
        assert not check or ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + (ran.stderr if not check else "")

    def api(self, role: str = "") -> httpx.Client:
        """The API with the owner's token, or with a fresh one of this role."""
        token = self.quell("token", "create", "--role", role).split()[-1] if role else self.token
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {token}"}, timeout=30)

    def get(self, path: str) -> Any:
        """What the API shows."""
        with self.api() as client:
            answer = client.get(f"/api/v1{path}")
            answer.raise_for_status()
            return answer.json()

    def tickets(self, state: str = "all") -> list[dict[str, Any]]:
        """All tickets that stand alone, oldest first."""
        return list(reversed(self.get(f"/tickets?state={state}&limit=200")["items"]))

    def add_channel(self, name: str, **settings: str) -> str:
        """Switch a channel on; its hook's whole address (or its name where it has none)."""
        given = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        printed = self.quell("channel", "add", name, *given)
        path = next((word for word in printed.split() if "/hooks/" in word), "")
        return self.url + path[path.index("/hooks/") :] if path else name

    def sorted_ticket(self, what: str, found: Callable[[dict[str, Any]], bool] = lambda ticket: True) -> dict[str, Any]:
        """The first ticket like this that triage has sorted."""

        def there() -> dict[str, Any] | None:
            return next((each for each in self.tickets() if each["category"]["value"] and found(each)), None)

        result: dict[str, Any] = until(what, there)
        return result

    def stop(self) -> int:
        """Stop it as a user would; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def start_town(home: Path, company: Mapping[str, Any] | None = None, **settings: str) -> Town:
    """Start Quell in this home and wait for its ready line."""
    given = {"QUELL_HOME": str(home), "QUELL_PORT": str(free_port()), **settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUELL_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "quell.cli", "up"],
        env={**kept, **given, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=(home / "up.log").open("w"),
        text=True,
    )
    town = Town(home, given, process)
    threading.Thread(target=_read, args=(town,), daemon=True).start()
    ready = f"Quell is ready at {town.url}"

    def is_ready() -> bool:
        assert process.poll() is None, (home / "up.log").read_text()
        return ready in "".join(town.lines)

    until("ready line", is_ready, READY_WITHIN_S)
    if company is not None:
        file = home / "company.json"
        file.write_text(json.dumps(company))
        town.quell("company", "load", str(file))
    town.token = town.quell("token", "create", "--role", "owner").split()[-1]
    return town


def _read(town: Town) -> None:
    assert town.process.stdout is not None
    for line in town.process.stdout:
        town.lines.append(line)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home with a short path that other accounts may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="quell-town-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def town(home: Path) -> Iterator[Town]:
    """A running Quell with the small company of the tests, for one test alone."""
    yield from _lived_in(home)


@pytest.fixture(scope="session")
def busy_town() -> Iterator[Town]:
    """One running Quell that several tests share, each with devices and channels of its own."""
    folder = Path(tempfile.mkdtemp(prefix="quell-town-"))
    folder.chmod(0o755)
    yield from _lived_in(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _lived_in(home: Path) -> Iterator[Town]:
    """Whatever was done in a town, its log must verify and its tables must fold from it at the end."""
    made = start_town(home, COMPANY)
    yield made
    # Pytest shows this only where a test has failed.
    print(*[line for line in (home / "up.log").read_text().splitlines() if " INFO " not in line][-80:], sep="\n")
    assert made.stop() == 0
    verified = made.quell("audit", "verify")
    assert "verified" in verified, verified
    made.quell("audit", "rebuild")
