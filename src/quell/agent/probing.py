"""Probes: measuring whether something is as it should be, without changing anything."""

import http.client
import os
import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from quell.agent.files import total_bytes
from quell.agent.home import Home
from quell.agent.planning import in_words
from quell.agent.policy import Policy
from quell.agent.services import Services
from quell.wire.bounds import LOOPBACK
from quell.wire.results import Measured
from quell.wire.steps import (
    CacheSize,
    DiskFree,
    HttpAnswers,
    NameResolves,
    PortOpen,
    Probe,
    ProcessRuns,
    ServiceRuns,
)

ANSWER_S_MAX = 5
NAME_S_MAX = 10
ADDRESSES_SHOWN = 5
PATIENCE_S = 10
BETWEEN_S = 0.5


@dataclass(frozen=True)
class Prober:
    """Measures on this device; what the policy does not list cannot be measured either."""

    home: Home
    policy: Policy

    def measure_until(self, probe: Probe, patience_s: int = PATIENCE_S) -> Measured:
        """Measure until it passes or patience ends: what was just started may need a moment, a disk does not."""
        until = time.monotonic() + (0 if isinstance(probe, DiskFree | CacheSize) else patience_s)
        tries = 1
        while not (found := self.measure(probe)).passed and time.monotonic() + BETWEEN_S < until:
            time.sleep(BETWEEN_S)
            tries += 1
        return Measured(found.step, found.passed, found.says, found.values, tries)

    def measure(self, probe: Probe) -> Measured:
        """Measure once; raises Untrusted (`not_listed`) for a service or cache that the policy does not list."""
        if isinstance(probe, DiskFree):
            return disk_free(probe)
        if isinstance(probe, ServiceRuns):
            return self._service(probe)
        if isinstance(probe, PortOpen):
            return port_open(probe)
        if isinstance(probe, HttpAnswers):
            return http_answers(probe)
        if isinstance(probe, NameResolves):
            return name_resolves(probe)
        if isinstance(probe, ProcessRuns):
            return process_runs(probe)
        return self._cache(probe)

    def _service(self, probe: ServiceRuns) -> Measured:
        state = Services(self.policy, self.home.folder).state(probe.service)
        passed = state == ("running" if probe.running else "stopped")
        return Measured(probe, passed, f"{probe.service} is {state}.", {"state": state})

    def _cache(self, probe: CacheSize) -> Measured:
        cache = self.policy.cache(probe.cache)
        size = total_bytes(cache.roots, cache.pattern)
        says = f"The cache {probe.cache} holds {in_words(size)}."
        return Measured(probe, size <= probe.bytes_max, says, {"bytes": size})


def disk_free(probe: DiskFree) -> Measured:
    """How much an ordinary user may still write, against all that ordinary users may use."""
    if not os.path.ismount(probe.mount):
        return Measured(probe, False, f"No file system hangs at {probe.mount}.")
    free, percent = free_space(probe.mount)
    enough = percent >= probe.percent and free >= probe.bytes
    says = f"{percent} % of {probe.mount} is free, {in_words(free)}."
    values = {"free_percent": percent, "free_bytes": free}
    return Measured(probe, enough == (probe.holds == "at_least"), says, values)


def free_space(mount: str) -> tuple[int, int]:
    """Free bytes and per cent (rounded down) as `df` counts them: without what is kept back for root."""
    found = os.statvfs(mount)
    usable = found.f_blocks - found.f_bfree + found.f_bavail
    return found.f_bavail * found.f_frsize, found.f_bavail * 100 // usable if usable else 100


def port_open(probe: PortOpen) -> Measured:
    """Whether a connection to this port on either loopback address is taken."""
    opened = _connects("127.0.0.1", probe.port) or _connects("::1", probe.port)
    says = f"Port {probe.port} {'accepts connections' if opened else 'refuses connections'}."
    return Measured(probe, opened == probe.open, says, {"open": int(opened)})


def http_answers(probe: HttpAnswers) -> Measured:
    """The status of one GET, without following anywhere."""
    parts = urlsplit(probe.url)
    assert parts.hostname in LOOPBACK
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=ANSWER_S_MAX)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    began = time.monotonic()
    try:
        connection.request("GET", path, headers={"User-Agent": "quell-agent"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return Measured(probe, False, f"{probe.url} does not answer: {_why(error)}.")
    finally:
        connection.close()
    took_ms = int((time.monotonic() - began) * 1000)
    says = f"{probe.url} answers {status}."
    return Measured(probe, probe.status_min <= status <= probe.status_max, says, {"status": status, "took_ms": took_ms})


def name_resolves(probe: NameResolves) -> Measured:
    """What the system's resolver says, in a thread of its own, since it takes no time limit."""
    found: list[str] = []
    problem: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(probe.name, None, type=socket.SOCK_STREAM)
            found.extend(sorted({str(each[4][0]).split("%")[0] for each in answers}))
        except (OSError, UnicodeError) as error:
            problem.append(_why(error))

    began = time.monotonic()
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(NAME_S_MAX)
    took_ms = int((time.monotonic() - began) * 1000)
    if thread.is_alive():
        return Measured(probe, False, f"{probe.name}: no answer within {NAME_S_MAX} s.", {"took_ms": took_ms})
    if not found:
        return Measured(probe, False, f"{probe.name} is not found: {''.join(problem)}.", {"took_ms": took_ms})
    shown = ", ".join(found[:ADDRESSES_SHOWN])
    passed = not probe.address or probe.address in found
    return Measured(probe, passed, f"{probe.name} is {shown}.", {"addresses": shown, "took_ms": took_ms})


def process_runs(probe: ProcessRuns) -> Measured:
    """How many processes of this name run; those that only wait to be buried do not count."""
    count = 0
    for each in psutil.process_iter(["name", "status"]):
        if each.info["name"] == probe.name and each.info["status"] != psutil.STATUS_ZOMBIE:
            count += 1
    says = f"{count} processes called {probe.name} run." if count != 1 else f"One process called {probe.name} runs."
    return Measured(probe, (count > 0) == probe.running, says, {"count": count})


def _connects(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=ANSWER_S_MAX):
            return True
    except OSError:
        return False


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".").lower()
