"""What a device tells about itself: whole numbers and names only, no file contents, no command lines."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Disk:
    """A mounted file system; sizes in bytes, `free` is what an ordinary user may still write."""

    mount: str
    fstype: str
    size: int
    free: int
    free_percent: int
    inodes_free_percent: int | None = None


@dataclass(frozen=True)
class Memory:
    """Memory and swap in bytes."""

    total: int
    available: int
    swap_total: int
    swap_used: int


@dataclass(frozen=True)
class Cpu:
    """Use over the moment of looking and the load averages, both in thousandths (1000: one core, or all of them)."""

    cores: int
    used_permille: int
    load_1_permille: int
    load_5_permille: int
    load_15_permille: int


@dataclass(frozen=True)
class Process:
    """A process by name; `cpu_permille` 1000 is one whole core, `memory` is resident bytes."""

    name: str
    pid: int
    cpu_permille: int
    memory: int


@dataclass(frozen=True)
class Interface:
    """A network card with its addresses and errors since start."""

    name: str
    up: bool
    addresses: tuple[str, ...]
    errors: int
    dropped: int


@dataclass(frozen=True)
class Resolver:
    """A name server that the device is set to use; `took_ms` is None when it did not answer within a second."""

    address: str
    took_ms: int | None


@dataclass(frozen=True)
class Service:
    """A service that the device's policy lists; `state` is running, stopped or unknown."""

    name: str
    state: str


@dataclass(frozen=True)
class Status:
    """The small picture that goes along with every poll."""

    cpu_permille: int
    memory_permille: int
    disks: tuple[Disk, ...]
    services: tuple[Service, ...] = ()
    actions: tuple[str, ...] = ()
    disabled: bool = False


@dataclass(frozen=True)
class Telemetry:
    """The full picture, taken at `at` (seconds since 1970); `failed` names units that systemd calls failed.

    `notes` says what could not be read and why; `warnings` are the last lines of the system log, redacted.
    """

    at: int
    hostname: str
    os: str
    boot: int
    uptime_s: int
    users: int
    cpu: Cpu
    memory: Memory
    disks: tuple[Disk, ...]
    top_cpu: tuple[Process, ...]
    top_memory: tuple[Process, ...]
    interfaces: tuple[Interface, ...]
    gateway: str | None
    resolvers: tuple[Resolver, ...]
    services: tuple[Service, ...]
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
