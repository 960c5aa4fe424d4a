"""The device's own policy: what its owner allows out of the closed catalogue; it can narrow that and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quell.wire.errors import Untrusted

TIMEOUT_S_DEFAULT = 60
TIMEOUT_S_MAX = 300


@dataclass(frozen=True)
class DeclaredService:
    """A service, the system's if it has no commands of its own; `status` or `pid_file` tells whether it runs."""

    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    pid_file: str = ""
    timeout_s: int = TIMEOUT_S_DEFAULT

    @property
    def own(self) -> bool:
        """Whether the policy brings its own commands."""
        return bool(self.start)


@dataclass(frozen=True)
class DeclaredCache:
    """A cache: the folders that hold it and the names that belong to it."""

    roots: tuple[str, ...]
    pattern: str = "*"


@dataclass(frozen=True)
class Deletion:
    """Where old files may be deleted, how old they must be and how much at once."""

    roots: tuple[str, ...] = ()
    older_than_s_min: int = 24 * 3600
    bytes_max: int = 10 * 1024**3


@dataclass(frozen=True)
class Checks:
    """What the device watches by itself; no mounts means all real ones, 0 per cent switches the disk check off."""

    every_s: int = 60
    disk_free_percent_min: int = 0
    mounts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """All of it; `actions` maps an action to the kinds of steps that it may use here."""

    disabled: bool = False
    applies_per_hour_max: int = 6
    actions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    services: Mapping[str, DeclaredService] = field(default_factory=dict)
    caches: Mapping[str, DeclaredCache] = field(default_factory=dict)
    deletion: Deletion = Deletion()
    dnsmasq_pid_file: str = ""
    checks: Checks = Checks()

    def service(self, name: str) -> DeclaredService:
        """The service of this name; Untrusted (`not_listed`) when the policy does not list it."""
        if name not in self.services:
            raise Untrusted("not_listed", f"the device's policy lists no service {name}")
        return self.services[name]

    def cache(self, name: str) -> DeclaredCache:
        """The cache of this name; Untrusted (`not_listed`) when the policy does not list it."""
        if name not in self.caches:
            raise Untrusted("not_listed", f"the device's policy lists no cache {name}")
        return self.caches[name]

    def allow(self, action: str, steps: Sequence[str]) -> None:
        """Raise Untrusted unless the policy lets this action use these kinds of steps."""
        if self.disabled:
            raise Untrusted("disabled", "the device's owner has switched orders off")
        if action not in self.actions:
            raise Untrusted("not_allowed", f"the device's policy does not allow {action}")
        for kind in steps:
            if kind not in self.actions[action]:
                raise Untrusted("not_allowed", f"the device's policy does not let {action} use {kind}")
