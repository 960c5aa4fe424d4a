"""The other side of the agent: a small real HTTP server that speaks the wire, and agents as real processes."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.wire.errors import Malformed, Untrusted
from quell.wire.messages import (
    ENROL_PATH,
    POLL_PATH,
    REPORTS_PATH,
    RESULTS_PATH,
    SIGNATURE_HEADER,
    Acknowledged,
    EnrolResponse,
    Poll,
    PollResponse,
    Report,
    Reports,
    Results,
    claimed_device,
    make_token,
    open_enrolment,
    open_message,
    split_token,
    write_response,
)
from quell.wire.orders import Order, OrderKind, SignedOrder, device_id, sign_order
from quell.wire.results import Result
from quell.wire.signing import new_key, public_hex
from quell.wire.steps import Step

PATIENCE_S = 40.0
SECRET = "0f" * 24


@dataclass
class Office:
    """A server with one device: hands orders out until their result came, keeps all that it hears."""

    key: Ed25519PrivateKey = field(default_factory=new_key)
    device_id: str = ""
    device_key: str = ""
    sequence: int = field(default_factory=lambda: int(time.time() * 1000))
    waiting: dict[str, SignedOrder] = field(default_factory=dict)
    results: dict[str, list[Result]] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    deaf: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    @property
    def token(self) -> str:
        """An enrolment token."""
        return make_token(SECRET, public_hex(self.key))

    def order(self, kind: OrderKind, steps: tuple[Step, ...] = (), **given: object) -> Order:
        """A new order to the device, not yet handed out."""
        self.sequence += 1
        now = int(time.time())
        values: dict[str, object] = {
            "id": secrets.token_hex(8),
            "kind": kind,
            "device_id": self.device_id,
            "issued": now,
            "expires": now + 300,
            "nonce": secrets.token_hex(16),
            "sequence": self.sequence,
            "action": "" if kind == "look" else "restart_service",
            "steps": steps,
            **given,
        }
        return Order(**values)  # type: ignore[arg-type]

    def send(self, order: Order, key: Ed25519PrivateKey | None = None) -> str:
        """Sign an order and hand it out from now on; its id."""
        with self.changed:
            self.waiting[order.id] = sign_order(order, key or self.key)
            self.changed.notify_all()
        return order.id

    def ask(self, kind: OrderKind, steps: tuple[Step, ...] = (), **given: object) -> Result:
        """Send an order and wait for what comes of it."""
        return self.wait(self.send(self.order(kind, steps, **given)))

    def wait(self, order_id: str, count: int = 1) -> Result:
        """The last of so many results for an order."""
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.results.get(order_id, [])) >= count, PATIENCE_S)
            assert came, f"no result for {order_id}; heard {self.results}"
            return self.results[order_id][-1]

    def wait_until(self, *, polls: int = 0, reports: int = 0) -> None:
        """Wait until so many polls or reports were heard."""
        with self.changed:
            heard = self.changed.wait_for(lambda: len(self.polls) >= polls and len(self.reports) >= reports, PATIENCE_S)
            assert heard, f"heard {len(self.polls)} polls and {len(self.reports)} reports"

    def answer(self, path: str, body: bytes, signature: str) -> tuple[int, bytes]:
        """What the server says to one request."""
        now = int(time.time())
        try:
            if path == ENROL_PATH:
                return 200, self._enrol(body, signature, now)
            assert claimed_device(body) == self.device_id
            if path == POLL_PATH:
                return 200, self._poll(open_message(Poll, body, signature, self.device_key, now), now)
            if path == RESULTS_PATH:
                return self._results(open_message(Results, body, signature, self.device_key, now))
            assert path == REPORTS_PATH
            return 200, self._reports(open_message(Reports, body, signature, self.device_key, now))
        except (Malformed, Untrusted) as error:
            return 400, str(error).encode()

    def _enrol(self, body: bytes, signature: str, now: int) -> bytes:
        request = open_enrolment(body, signature, now)
        assert split_token(request.token)[0] == SECRET
        self.device_key = request.public_key
        self.device_id = device_id(7, request.public_key)
        return write_response(EnrolResponse(self.device_id, public_hex(self.key), now))

    def _poll(self, poll: Poll, now: int) -> bytes:
        assert poll.nonce not in self.nonces
        self.nonces.add(poll.nonce)
        with self.changed:
            self.polls.append(poll)
            self.changed.notify_all()
            self.changed.wait_for(lambda: bool(self.waiting), min(poll.wait_s, 2))
            return write_response(PollResponse(tuple(self.waiting.values())[:10], now))

    def _results(self, told: Results) -> tuple[int, bytes]:
        with self.changed:
            for result in told.results:
                self.results.setdefault(result.order_id, []).append(result)
                if not self.deaf:
                    self.waiting.pop(result.order_id, None)
            self.changed.notify_all()
        if self.deaf:
            return 503, b"{}"
        return 200, write_response(Acknowledged(tuple(each.order_id for each in told.results)))

    def _reports(self, told: Reports) -> bytes:
        with self.changed:
            self.reports.extend(told.reports)
            self.changed.notify_all()
        return write_response(Acknowledged(tuple(each.key for each in told.reports)))


@dataclass
class Box:
    """A device: its folder, and the agent's process when it runs."""

    home: Path
    office: Office
    process: "subprocess.Popen[bytes] | None" = None
    wrap: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        """The agent as a program."""
        return [*self.wrap, sys.executable, "-m", "quell.agent", "--home", str(self.home), *words]

    def enrol(self) -> None:
        """Let the device in."""
        given = self.command("enrol", "--server", self.office.url, "--token", self.office.token, "--hostname", "box")
        subprocess.run(given, check=True, timeout=60, env=_environment())

    def allow(self, policy: str) -> None:
        """Write the device's policy."""
        (self.home / "policy.toml").write_text(policy)
        (self.home / "policy.toml").chmod(0o600)

    def start(self) -> None:
        """Run the agent until `stop` or `kill`."""
        with (self.home / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(self.command("run"), stderr=log, env=_environment())

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """End the agent as the system would; its exit status."""
        if self.process is None or self.process.poll() is not None:
            return 0 if self.process is None else self.process.returncode
        self.process.terminate()
        return self.process.wait(20)

    def log(self) -> str:
        """What the agent wrote."""
        return (self.home / "agent.log").read_text()


def _environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
    source = str(Path(__file__).parents[2] / "src")
    return {**kept, "PYTHONPATH": source}


@pytest.fixture
def office() -> Iterator[Office]:
    """The server's side."""
    office = Office()

    class Handler(BaseHTTPRequestHandler):
        """Hands every request to the office."""

        def do_POST(self) -> None:
            """Answer."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = office.answer(self.path, body, self.headers.get(SIGNATURE_HEADER, ""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with suppress(BrokenPipeError):  # The agent was killed while it waited.
                self.wfile.write(answer)

        def log_message(self, *_given: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    office.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield office
    server.shutdown()
    server.server_close()


@pytest.fixture
def box(office: Office, tmp_path: Path) -> Iterator[Box]:
    """An enrolled device whose agent does not run yet."""
    box = Box(tmp_path / "agent", office)
    box.enrol()
    yield box
    box.stop()
