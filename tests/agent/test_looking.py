"""A look at the device: what is told is small, whole and free of secrets."""

import socket
import threading
from pathlib import Path

from quell.agent.home import Home
from quell.agent.log_lines import redacted
from quell.agent.looking import Looker, disks
from quell.agent.network import ask_resolver
from quell.agent.policy import Policy
from quell.wire.canonical import canonical_bytes
from quell.wire.shape import from_json, to_json
from quell.wire.telemetry import Telemetry


def test_telemetry_travels_whole_and_stays_small(tmp_path: Path) -> None:
    """Whole numbers and names only; the same on the other side."""
    seen = Looker(Home(tmp_path), Policy()).telemetry()
    written = canonical_bytes(to_json(seen))
    assert len(written) < 64 * 1024
    assert from_json(Telemetry, to_json(seen)) == seen
    assert seen.uptime_s >= 0 and seen.cpu.cores >= 1 and seen.boot <= seen.at
    assert len({each.mount for each in disks()}) == len(disks())


def test_no_command_line_is_told(tmp_path: Path) -> None:
    """A process stands there by its name; arguments may hold passwords."""
    seen = Looker(Home(tmp_path), Policy()).telemetry()
    assert all(" --" not in each.name for each in (*seen.top_cpu, *seen.top_memory))


def test_log_lines_lose_what_is_nobodys_business() -> None:
    """Addresses, passwords, tokens, names of users; what happened stays readable."""
    lines = [
        "sshd: Failed password for alice from 192.0.2.9 port 22",
        "app: error: cannot log in to https://bob:hunter2@db.example/x",
        "app: password=hunter2 token: abcdef",
        "mail: warning: bounce to carol@example.com",
        "backup: failed in " + "/home" + "/dave/mail",
        "auth: Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9xyz",
        "kernel: Out of memory: Killed process 99 (java)",
        "key 0123456789abcdef0123456789abcdef rejected",
    ]
    told = "\n".join(redacted(lines))
    for secret in ("alice", "hunter2", "bob", "abcdef", "carol", "dave", "eyJ", "0123456789abcdef"):
        assert secret not in told, secret
    for kept in ("Failed password", "192.0.2.9", "bounce", "Out of memory: Killed process 99 (java)"):
        assert kept in told
    assert len(redacted(["x " * 500])[0]) == 300 and len(redacted(["x"] * 80)) == 50


def test_a_name_server_that_does_not_answer_is_told_as_such() -> None:
    """Within a second; nobody listens there."""
    assert ask_resolver("127.0.53.99") is None


def test_a_name_server_is_timed() -> None:
    """By one small question, answered here by an echo on port 53 where that port can be had."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.53.98", 53))
        except OSError:
            return

        def answer() -> None:
            question, sender = server.recvfrom(512)
            server.sendto(question, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        took_ms = ask_resolver("127.0.53.98")
        thread.join()
    assert took_ms is not None and took_ms < 1000
