"""A look at the device: disks, memory, load, processes by name, network, name servers, services, last warnings."""

import os
import platform
import socket
import time
from dataclasses import dataclass

import psutil

from quell.agent.home import Home
from quell.agent.log_lines import failed_units, last_warnings
from quell.agent.network import ask_resolver, gateway, interfaces, resolvers
from quell.agent.policy import Policy
from quell.agent.probing import free_space
from quell.agent.services import Services
from quell.wire.telemetry import Cpu, Disk, Memory, Process, Resolver, Status, Telemetry

SAMPLE_S = 0.3
TOP = 5
DISKS_MAX = 30
NOT_REAL = frozenset({"autofs", "devfs", "devtmpfs", "nsfs", "overlay", "proc", "ramfs", "squashfs", "sysfs"})


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
        scratch = self.home.folder / "look"
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
            failed=failed_units(scratch, notes),
            warnings=last_warnings(scratch, notes),
            notes=tuple(notes),
        )


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
