"""A look at the device: disks, memory, load, processes by name, network, name servers, services, last warnings."""

import os
import platform
import re
import secrets
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from quell.agent.commands import run_command
from quell.agent.home import Home
from quell.agent.policy import Policy
from quell.agent.probing import free_space
from quell.agent.services import Services
from quell.wire.telemetry import Cpu, Disk, Interface, Memory, Process, Resolver, Status, Telemetry

SAMPLE_S = 0.3
TOP = 5
DISKS_MAX = 30
INTERFACES_MAX = 20
ADDRESSES_MAX = 6
RESOLVERS_MAX = 4
RESOLVER_S_MAX = 1.0
COMMAND_S_MAX = 10
WARNINGS_MAX = 50
WARNING_CHARACTERS_MAX = 300
LOG_BYTES_READ = 256 * 1024
NOT_REAL = frozenset({"autofs", "devfs", "devtmpfs", "nsfs", "overlay", "proc", "ramfs", "squashfs", "sysfs"})
LOGS = ("/var/log/syslog", "/var/log/messages", "/var/log/system.log")
SYSTEMCTL = "/usr/bin/systemctl"
JOURNALCTL = "/usr/bin/journalctl"

_WARNING = re.compile(r"\b(warn(ing)?|err(or)?|crit(ical)?|fail(ed|ure)?|panic|oom|out of memory)\b", re.IGNORECASE)
_SECRETS = (
    (re.compile(r"(?<=://)[^/\s@]+(?=@)"), "<login>"),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "<address>"),
    (
        re.compile(
            r"(?i)\b(pass(word|wd)?|secret|token|api[_-]?key|authorization|cookie)\b(\s*[=:]\s*)\S+(\s+\S{20,})?"
        ),
        r"\1\3<secret>",
    ),
    (re.compile(r"\b[0-9A-Fa-f]{24,}\b|\b[A-Za-z0-9+/_-]{40,}={0,2}"), "<long>"),
    (re.compile(r"(?<=/home/)[^/\s]+|(?<=/Users/)[^/\s]+"), "<user>"),
    (re.compile(r"(?i)\b(user(name)?|for|by|uid)([ =]+)[a-z_][a-z0-9_-]*(?=[\s,;)]|$)"), r"\1\3<user>"),
)


@dataclass(frozen=True)
class Looker:
    """Reads the device's state; whole numbers and names only, never contents of files or command lines."""

    home: Home
    policy: Policy

    def status(self) -> Status:
        """The small picture for every poll; the load is that since the last one."""
        memory = psutil.virtual_memory()
        return Status(
            cpu_permille=int(psutil.cpu_percent() * 10),
            memory_permille=int(memory.percent * 10),
            disks=disks(),
            services=Services(self.policy, self.home.folder).states(),
            actions=tuple(sorted(self.policy.actions)),
            disabled=self.policy.disabled,
        )

    def telemetry(self) -> Telemetry:
        """The full picture; what cannot be read is named in `notes` and left out."""
        notes: list[str] = []
        used, by_cpu, by_memory = processes()
        now = int(time.time())
        return Telemetry(
            at=now,
            hostname=socket.gethostname(),
            os=system_name(),
            boot=int(psutil.boot_time()),
            uptime_s=max(0, now - int(psutil.boot_time())),
            users=len({each.name for each in psutil.users()}),
            cpu=cpu(used),
            memory=memory_use(),
            disks=disks(),
            top_cpu=by_cpu,
            top_memory=by_memory,
            interfaces=interfaces(),
            gateway=gateway(),
            resolvers=tuple(Resolver(each, ask_resolver(each)) for each in resolvers()),
            services=Services(self.policy, self.home.folder).states(),
            failed=self._failed_units(notes),
            warnings=self._warnings(notes),
            notes=tuple(notes),
        )

    def _failed_units(self, notes: list[str]) -> tuple[str, ...]:
        if not os.path.isdir("/run/systemd/system"):
            notes.append("systemd does not run here, so there are no failed units to name")
            return ()
        argv = (SYSTEMCTL, "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager")
        ran = run_command(argv, COMMAND_S_MAX, self.home.folder / "look")
        if not ran.ok:
            notes.append("systemctl could not list failed units")
        return tuple(line.split()[0] for line in ran.output.splitlines() if line.split())[:WARNINGS_MAX]

    def _warnings(self, notes: list[str]) -> tuple[str, ...]:
        if os.path.isdir("/run/systemd/system") and os.path.exists(JOURNALCTL):
            argv = (JOURNALCTL, "-p", "warning", "-n", str(WARNINGS_MAX), "--no-pager", "-o", "short-iso", "-b")
            ran = run_command(argv, COMMAND_S_MAX, self.home.folder / "look")
            if ran.ok:
                return redacted(ran.output.splitlines())
        for path in LOGS:
            try:
                return redacted(line for line in _end_of(Path(path)) if _WARNING.search(line))
            except OSError:
                continue
        notes.append("no system log can be read")
        return ()


def redacted(lines: Iterable[str]) -> tuple[str, ...]:
    """The last lines, without addresses, secrets, long tokens and names of users."""
    found = []
    for line in list(lines)[-WARNINGS_MAX:]:
        for pattern, instead in _SECRETS:
            line = pattern.sub(instead, line)
        found.append("".join(each for each in line if each.isprintable())[:WARNING_CHARACTERS_MAX])
    return tuple(found)


def system_name() -> str:
    """The operating system as its maker calls it."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())[:100]
    except OSError:
        return f"{platform.system()} {platform.release()}"[:100]


def disks() -> tuple[Disk, ...]:
    """The file systems that can fill up, each once."""
    found: dict[str, Disk] = {}
    for each in psutil.disk_partitions(all=True):
        if each.fstype in NOT_REAL or "cgroup" in each.fstype or not _can_fill(each.fstype, each.opts):
            continue
        try:
            room = os.statvfs(each.mountpoint)
            free, percent = free_space(each.mountpoint)
        except OSError:
            continue
        if room.f_blocks == 0 or not os.path.isdir(each.mountpoint):
            continue
        inodes = room.f_favail * 100 // room.f_files if room.f_files else None
        size = room.f_blocks * room.f_frsize
        found[each.mountpoint] = Disk(each.mountpoint, each.fstype, size, free, percent, inodes)
    return tuple(found[mount] for mount in sorted(found))[:DISKS_MAX]


def _can_fill(fstype: str, options: str) -> bool:
    virtual = fstype in ("bpf", "configfs", "debugfs", "devpts", "fusectl", "mqueue", "pstore", "securityfs", "tracefs")
    return not virtual and not fstype.startswith("binfmt") and "ro" not in options.split(",")


def memory_use() -> Memory:
    """Memory and swap in bytes."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Memory(memory.total, memory.available, swap.total, swap.used)


def cpu(used_percent: float) -> Cpu:
    """Load in thousandths."""
    one, five, fifteen = (int(each * 1000) for each in psutil.getloadavg())
    return Cpu(psutil.cpu_count() or 1, int(used_percent * 10), one, five, fifteen)


def processes() -> tuple[float, tuple[Process, ...], tuple[Process, ...]]:
    """The use of the processors over a moment, and the few processes that take most of it and of the memory."""
    running = list(psutil.process_iter(["name"]))
    psutil.cpu_percent()
    for each in running:
        _quietly_cpu(each)
    time.sleep(SAMPLE_S)
    used = psutil.cpu_percent()
    found = []
    for each in running:
        try:
            share, memory = each.cpu_percent(), each.memory_info().rss
        except psutil.Error:
            continue
        found.append(Process((each.info["name"] or "?")[:64], each.pid, int(share * 10), memory))
    by_cpu = sorted(found, key=lambda each: (-each.cpu_permille, each.pid))[:TOP]
    by_memory = sorted(found, key=lambda each: (-each.memory, each.pid))[:TOP]
    return used, tuple(by_cpu), tuple(by_memory)


def _quietly_cpu(process: psutil.Process) -> None:
    try:
        process.cpu_percent()
    except psutil.Error:
        pass


def interfaces() -> tuple[Interface, ...]:
    """Network cards with their addresses, errors and drops."""
    addresses, counters = psutil.net_if_addrs(), psutil.net_io_counters(pernic=True)
    found = []
    for name, state in sorted(psutil.net_if_stats().items()):
        own = [
            each.address.split("%")[0]
            for each in addresses.get(name, [])
            if each.family in (socket.AF_INET, socket.AF_INET6)
        ]
        count = counters.get(name)
        errors, dropped = (count.errin + count.errout, count.dropin + count.dropout) if count else (0, 0)
        found.append(Interface(name, state.isup, tuple(own[:ADDRESSES_MAX]), errors, dropped))
    return tuple(found[:INTERFACES_MAX])


def gateway() -> str | None:
    """The address of the default route (Linux), None when there is none or it cannot be told."""
    try:
        lines = Path("/proc/net/route").read_text().splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        parts = line.split()
        if len(parts) > 7 and parts[1] == "00000000" and parts[7] == "00000000":
            return socket.inet_ntoa(bytes.fromhex(parts[2])[:: -1 if sys.byteorder == "little" else 1])
    return None


def resolvers() -> list[str]:
    """The name servers that this device is set to use."""
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        return []
    return [parts[1] for line in lines if len(parts := line.split()) > 1 and parts[0] == "nameserver"][:RESOLVERS_MAX]


def ask_resolver(address: str) -> int | None:
    """How long a name server takes for one small question (the root's name servers), in ms; None without an answer."""
    number = secrets.token_bytes(2)
    question = number + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x00" + b"\x00\x02\x00\x01"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    began = time.monotonic()
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.settimeout(RESOLVER_S_MAX)
            asking.connect((address, 53))
            asking.send(question)
            answered = asking.recv(512)[:2] == number
    except OSError:
        return None
    return int((time.monotonic() - began) * 1000) if answered else None


def _end_of(path: Path) -> list[str]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_BYTES_READ))
        return file.read(LOG_BYTES_READ).decode("utf-8", "replace").splitlines()
