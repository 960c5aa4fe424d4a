"""The device's own checks: a disk nearly full, a service down; each is reported once, and once more when it is over."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from quell.agent.home import Home, write_privately
from quell.agent.looking import disks
from quell.agent.planning import in_words
from quell.agent.policy import Policy
from quell.agent.services import Services
from quell.wire.canonical import canonical_bytes, parse_json
from quell.wire.errors import Malformed, Untrusted
from quell.wire.messages import Report
from quell.wire.shape import from_json, to_json

BACK_PERCENT = 2  # So much more must be free before a full disk counts as over, so that it does not flap.
SIGHTINGS = 2  # In so many checks in a row before it is reported.
WAITING_MAX = 200
KEY_BYTES = 12
FILE_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """One thing that is watched: whether it is wrong now (`over` None: neither wrong nor surely right)."""

    identity: str
    wrong: bool
    over: bool
    subject: str
    text: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Memory:
    """What was seen so far: how often in a row, what is reported as wrong, what waits to be sent."""

    seen: Mapping[str, int] = field(default_factory=dict)
    firing: tuple[str, ...] = ()
    waiting: tuple[Report, ...] = ()


class Watch:
    """Keeps its memory in a file, so that a restart neither repeats nor forgets a report."""

    def __init__(self, home: Home, hostname: str) -> None:
        """Read what was seen before; a damaged file begins anew."""
        self._home = home
        self._hostname = hostname
        try:
            self._memory = from_json(Memory, parse_json(home.watch.read_bytes(), FILE_BYTES_MAX))
        except (OSError, Malformed):
            self._memory = Memory()

    @property
    def waiting(self) -> tuple[Report, ...]:
        """Reports that the server does not have yet, oldest first."""
        return self._memory.waiting

    def look(self, policy: Policy, at: int) -> None:
        """Check everything once; what changed is added to the reports that wait."""
        if policy.disabled:
            return
        seen, firing, fresh = dict(self._memory.seen), set(self._memory.firing), list(self._memory.waiting)
        for each in self._findings(policy):
            seen[each.identity] = seen.get(each.identity, 0) + 1 if each.wrong else 0
            if each.identity not in firing and seen[each.identity] >= SIGHTINGS:
                firing.add(each.identity)
                fresh.append(_report(each, "firing", at))
            elif each.identity in firing and each.over:
                firing.discard(each.identity)
                fresh.append(_report(each, "resolved", at))
        self._keep(
            Memory(
                {name: count for name, count in seen.items() if count},
                tuple(sorted(firing)),
                tuple(fresh[-WAITING_MAX:]),
            )
        )

    def sent(self, keys: tuple[str, ...]) -> None:
        """Forget the reports that the server has."""
        waiting = tuple(each for each in self._memory.waiting if each.key not in keys)
        self._keep(Memory(self._memory.seen, self._memory.firing, waiting))

    def _keep(self, memory: Memory) -> None:
        if memory != self._memory:
            write_privately(self._home.watch, canonical_bytes(to_json(memory)))
            self._memory = memory

    def _findings(self, policy: Policy) -> list[Finding]:
        return [*_full_disks(policy, self._hostname), *_services_down(policy, self._home, self._hostname)]


def _full_disks(policy: Policy, hostname: str) -> list[Finding]:
    least = policy.checks.disk_free_percent_min
    if not least:
        return []
    wanted = policy.checks.mounts
    return [
        Finding(
            identity=f"disk:{disk.mount}",
            wrong=disk.free_percent < least,
            over=disk.free_percent >= least + BACK_PERCENT,
            subject=f"Disk nearly full: {disk.mount} on {hostname}",
            text=f"{disk.free_percent} % of {disk.mount} is free ({in_words(disk.free)}); {least} % is the least.",
            fields={
                "check": "disk_free",
                "mount": disk.mount,
                "free_percent": str(disk.free_percent),
                "free_percent_min": str(least),
            },
        )
        for disk in disks()
        if not wanted or disk.mount in wanted
    ]


def _services_down(policy: Policy, home: Home, hostname: str) -> list[Finding]:
    found = []
    for name in policy.checks.services:
        try:
            state = Services(policy, home.folder).state(name)
        except Untrusted:
            state = "not listed in the device's policy"
        found.append(
            Finding(
                identity=f"service:{name}",
                wrong=state == "stopped",
                over=state == "running",
                subject=f"Service down: {name} on {hostname}",
                text=f"{name} is {state}.",
                fields={"check": "service_runs", "service": name, "state": state},
            )
        )
    return found


def _report(finding: Finding, said: Literal["firing", "resolved"], at: int) -> Report:
    key = secrets.token_hex(KEY_BYTES)
    return Report(key, finding.identity, said, finding.subject[:300], finding.text, at, dict(finding.fields))
