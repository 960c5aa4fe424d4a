"""The closed catalogue of steps: all that a device can be told to change or to probe, each with bounded parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, TypeGuard, get_args

from quell.wire.bounds import (
    check_address,
    check_host,
    check_loopback_url,
    check_mount,
    check_name,
    check_path,
    check_pattern,
    check_range,
)
from quell.wire.canonical import Json
from quell.wire.errors import Malformed
from quell.wire.shape import from_json, to_json

STEPS_MAX = 10  # In one order.
DELETED_BYTES_MAX = 200 * 1024**3
AGE_S_MAX = 10 * 365 * 24 * 3600
DISK_BYTES_MAX = 2**50


@dataclass(frozen=True)
class FlushNames:
    """Throw away the names that the device's own resolver remembers."""

    kind: ClassVar[str] = "flush_names"


@dataclass(frozen=True)
class ClearCache:
    """Delete at most `bytes_max` of the files in a cache that the device's policy lists under this name."""

    cache: str
    bytes_max: int
    kind: ClassVar[str] = "clear_cache"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("cache", self.cache)
        check_range("bytes_max", self.bytes_max, 1, DELETED_BYTES_MAX)


@dataclass(frozen=True)
class DeleteOldFiles:
    """Delete at most `bytes_max` of files on the file system at `mount`, oldest first.

    Only below roots that the device's policy lists, only names that match `pattern`, only files that nobody changed
    for `older_than_s` seconds; `below` narrows to one folder in those roots (empty: all of them).
    """

    mount: str
    older_than_s: int
    bytes_max: int
    pattern: str = "*"
    below: str = ""
    kind: ClassVar[str] = "delete_old_files"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_mount("mount", self.mount)
        check_range("older_than_s", self.older_than_s, 0, AGE_S_MAX)
        check_range("bytes_max", self.bytes_max, 1, DELETED_BYTES_MAX)
        check_pattern("pattern", self.pattern)
        if self.below:
            check_path("below", self.below)


@dataclass(frozen=True)
class StartService:
    """Start a service that the device's policy lists; nothing happens if it runs."""

    service: str
    kind: ClassVar[str] = "start_service"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("service", self.service)


@dataclass(frozen=True)
class StopService:
    """Stop a service that the device's policy lists; nothing happens if it does not run."""

    service: str
    kind: ClassVar[str] = "stop_service"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("service", self.service)


@dataclass(frozen=True)
class RestartService:
    """Stop and start a service that the device's policy lists; one that does not run is started."""

    service: str
    kind: ClassVar[str] = "restart_service"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("service", self.service)


@dataclass(frozen=True)
class PutBackService:
    """Bring a service back to the state (running or stopped) that the device noted before it applied the same fix."""

    service: str
    kind: ClassVar[str] = "put_back_service"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("service", self.service)


@dataclass(frozen=True)
class DiskFree:
    """Is the free space at `mount` at least (or below) so many per cent, and so many bytes? 0 leaves a bound out."""

    mount: str
    percent: int = 0
    bytes: int = 0
    holds: Literal["at_least", "below"] = "at_least"
    kind: ClassVar[str] = "disk_free"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_mount("mount", self.mount)
        check_range("percent", self.percent, 0, 100)
        check_range("bytes", self.bytes, 0, DISK_BYTES_MAX)
        if not self.percent and not self.bytes:
            raise Malformed("percent", "or bytes must be given")


@dataclass(frozen=True)
class ServiceRuns:
    """Does a service run (or, with `running` false, stand still)?"""

    service: str
    running: bool = True
    kind: ClassVar[str] = "service_runs"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("service", self.service)


@dataclass(frozen=True)
class PortOpen:
    """Does something on the device itself accept connections on this TCP port (or, with `open` false, nothing)?"""

    port: int
    open: bool = True
    kind: ClassVar[str] = "port_open"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_range("port", self.port, 1, 65535)


@dataclass(frozen=True)
class HttpAnswers:
    """Does an http address on the device itself answer with a status between these two?"""

    url: str
    status_min: int = 200
    status_max: int = 399
    kind: ClassVar[str] = "http_answers"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_loopback_url("url", self.url)
        check_range("status_min", self.status_min, 100, 599)
        check_range("status_max", self.status_max, self.status_min, 599)


@dataclass(frozen=True)
class NameResolves:
    """Does the device's resolver find this name, with `address` among the answers where one is given?"""

    name: str
    address: str = ""
    kind: ClassVar[str] = "name_resolves"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_host("name", self.name)
        if self.address:
            check_address("address", self.address)


@dataclass(frozen=True)
class ProcessRuns:
    """Does a process of this name run (or, with `running` false, none)?"""

    name: str
    running: bool = True
    kind: ClassVar[str] = "process_runs"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("name", self.name)


@dataclass(frozen=True)
class CacheSize:
    """Does a cache that the device's policy lists hold at most so many bytes?"""

    cache: str
    bytes_max: int
    kind: ClassVar[str] = "cache_size"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_name("cache", self.cache)
        check_range("bytes_max", self.bytes_max, 0, DELETED_BYTES_MAX)


Change: TypeAlias = (
    FlushNames | ClearCache | DeleteOldFiles | StartService | StopService | RestartService | PutBackService
)
Probe: TypeAlias = DiskFree | ServiceRuns | PortOpen | HttpAnswers | NameResolves | ProcessRuns | CacheSize
Step: TypeAlias = Change | Probe

CHANGES: Mapping[str, type[Change]] = {each.kind: each for each in get_args(Change)}
PROBES: Mapping[str, type[Probe]] = {each.kind: each for each in get_args(Probe)}
CATALOGUE: Mapping[str, type[Step]] = {**CHANGES, **PROBES}


def is_change(step: Step) -> TypeGuard[Change]:
    """Whether the step changes something on the device."""
    return step.kind in CHANGES


def is_probe(step: Step) -> TypeGuard[Probe]:
    """Whether the step only measures."""
    return step.kind in PROBES


def step_to_json(step: Step) -> Json:
    """The step as a mapping with its `kind`."""
    return to_json(step)


def step_from_json(value: Json, place: str = "step") -> Step:
    """Read one step; raises Malformed for a kind outside the catalogue, an unknown field or a value out of bounds."""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or kind not in CATALOGUE:
        raise Malformed(f"{place}.kind", "is not in the catalogue")
    return from_json(CATALOGUE[kind], value, place)


def steps_from_json(value: Json, place: str = "steps") -> tuple[Step, ...]:
    """Read a list of steps; raises Malformed, also when there are too many."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Malformed(place, "must be a list")
    if len(value) > STEPS_MAX:
        raise Malformed(place, f"has more than {STEPS_MAX} steps")
    return tuple(step_from_json(each, f"{place}[{index}]") for index, each in enumerate(value))
