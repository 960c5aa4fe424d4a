"""Reading `policy.toml`: whole or not at all, so that a slip of the pen never turns into consent."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from quell.agent.policy import (
    TIMEOUT_S_DEFAULT,
    TIMEOUT_S_MAX,
    Checks,
    DeclaredCache,
    DeclaredService,
    Deletion,
    Policy,
)
from quell.wire.bounds import check_mount, check_name, check_path, check_pattern, check_range
from quell.wire.errors import Malformed, Untrusted
from quell.wire.steps import AGE_S_MAX, CHANGES, DELETED_BYTES_MAX

POLICY_BYTES_MAX = 256 * 1024
# No policy can open these: below them nothing is ever deleted, and those in the second list not as a whole.
CLOSED_TREES = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/run/systemd",
    "/sbin",
    "/sys",
    "/usr",
)
CLOSED_ROOTS = ("/", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv", "/var", "/var/lib", "/Users")

DEFAULT = """\
# What this device allows. Whatever does not stand here is refused, whoever signed it. Changes count at once.

# The kill switch: true refuses everything.
disabled = false

# At most so many applies of one action within an hour.
applies_per_hour_max = 6

# Each action with the steps that it may use here. Take a line out, and that action never runs.
[actions]
flush_dns = ["flush_names"]
clear_cache = ["clear_cache"]
restart_service = ["restart_service", "put_back_service"]
free_disk_space = ["delete_old_files"]

# Old files may be deleted below these folders only.
[deletion]
roots = ["/tmp", "/var/tmp"]
older_than_h_min = 24
mib_max = 10240

# A service that may be restarted, by its name in systemd or /etc/init.d:
#   [services.cups]
# or with commands of your own (absolute programs, no shell):
#   [services.web]
#   start = ["/usr/sbin/nginx", "-c", "/srv/web/nginx.conf"]
#   stop = ["/usr/sbin/nginx", "-c", "/srv/web/nginx.conf", "-s", "stop"]
#   pid_file = "/srv/web/nginx.pid"

# A cache that may be cleared:
#   [caches.thumbnails]
#   roots = ["/srv/kiosk/cache/thumbnails"]

# What this device watches and reports by itself.
[checks]
every_s = 60
disk_free_percent_min = 5
services = []
"""


def load_policy(path: Path) -> Policy:
    """The policy in this file, none allows nothing; Untrusted (`bad_policy`) when it is wrong or open to others."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return Policy()
    if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
        raise Untrusted("bad_policy", f"{path} must belong to root or the agent and be writable by nobody else")
    if found.st_size > POLICY_BYTES_MAX:
        raise Untrusted("bad_policy", f"{path} is longer than {POLICY_BYTES_MAX} bytes")
    try:
        return read_policy(path.read_text())
    except (Malformed, ValueError) as error:
        raise Untrusted("bad_policy", f"{path}: {error}") from error


def read_policy(text: str) -> Policy:
    """The policy that a TOML text describes; raises Malformed naming the place, also for a key that nobody knows."""
    try:
        top = _Table(tomllib.loads(text), "policy")
    except tomllib.TOMLDecodeError as error:
        raise Malformed("policy", f"is not TOML: {error}") from error
    names = top.table("names")
    policy = Policy(
        disabled=top.flag("disabled"),
        applies_per_hour_max=top.number("applies_per_hour_max", 6, 0, 1000),
        actions=_actions(top.table("actions")),
        services={name: _service(table) for name, table in top.table("services").tables()},
        caches={name: _cache(table) for name, table in top.table("caches").tables()},
        deletion=_deletion(top.table("deletion")),
        dnsmasq_pid_file=names.path("dnsmasq_pid_file"),
        checks=_checks(top.table("checks")),
    )
    names.done()
    top.done()
    return policy


def _actions(table: "_Table") -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name in table.names():
        check_name(f"actions.{name}", name)
        kinds = table.texts(name)
        for kind in kinds:
            if kind not in CHANGES:
                raise Malformed(f"actions.{name}", f"{kind!r} is no step of the catalogue")
        found[name] = frozenset(kinds)
    return found


def _service(table: "_Table") -> DeclaredService:
    found = DeclaredService(
        start=table.command("start"),
        stop=table.command("stop"),
        status=table.command("status"),
        pid_file=table.path("pid_file"),
        timeout_s=table.number("timeout_s", TIMEOUT_S_DEFAULT, 1, TIMEOUT_S_MAX),
    )
    table.done()
    own = (bool(found.start), bool(found.stop), bool(found.status) or bool(found.pid_file))
    if any(own) and not all(own):
        raise Malformed(table.place, "needs start, stop, and status or pid_file; or none of them")
    return found


def _cache(table: "_Table") -> DeclaredCache:
    pattern = table.text("pattern", "*")
    check_pattern(f"{table.place}.pattern", pattern)
    found = DeclaredCache(table.roots("roots"), pattern)
    if not found.roots:
        raise Malformed(f"{table.place}.roots", "must list at least one folder")
    table.done()
    return found


def _deletion(table: "_Table") -> Deletion:
    found = Deletion(
        roots=table.roots("roots"),
        older_than_s_min=table.number("older_than_h_min", 24, 0, AGE_S_MAX // 3600) * 3600,
        bytes_max=table.number("mib_max", 10_240, 1, DELETED_BYTES_MAX // 1024**2) * 1024**2,
    )
    table.done()
    return found


def _checks(table: "_Table") -> Checks:
    found = Checks(
        every_s=table.number("every_s", 60, 1, 3600),
        disk_free_percent_min=table.number("disk_free_percent_min", 0, 0, 90),
        mounts=table.texts("mounts"),
        services=table.texts("services"),
    )
    for mount in found.mounts:
        check_mount(f"{table.place}.mounts", mount)
    table.done()
    return found


class _Table:
    """One table of the file; every key must be asked for, so that a slip of the pen is not taken for consent."""

    def __init__(self, values: Mapping[str, object], place: str) -> None:
        self.place = place
        self._values = values
        self._asked: set[str] = set()

    def names(self) -> list[str]:
        return list(self._values)

    def done(self) -> None:
        unknown = sorted(set(self._values) - self._asked)
        if unknown:
            raise Malformed(f"{self.place}.{unknown[0]}", "is not known")

    def table(self, name: str) -> "_Table":
        value = self._take(name, {})
        if not isinstance(value, Mapping):
            raise Malformed(f"{self.place}.{name}", "must be a table")
        return _Table(value, name)

    def tables(self) -> list[tuple[str, "_Table"]]:
        for name in self._values:
            check_name(f"{self.place}.{name}", name)
        return [(name, _Table(self.table(name)._values, f"{self.place}.{name}")) for name in self._values]

    def flag(self, name: str) -> bool:
        value = self._take(name, False)
        if not isinstance(value, bool):
            raise Malformed(f"{self.place}.{name}", "must be true or false")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self._take(name, default)
        if type(value) is not int:
            raise Malformed(f"{self.place}.{name}", "must be a whole number")
        check_range(f"{self.place}.{name}", value, least, most)
        return value

    def text(self, name: str, default: str = "") -> str:
        value = self._take(name, default)
        if not isinstance(value, str):
            raise Malformed(f"{self.place}.{name}", "must be text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._take(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise Malformed(f"{self.place}.{name}", "must be a list of texts")
        return tuple(value)

    def path(self, name: str) -> str:
        value = self.text(name)
        if value:
            check_path(f"{self.place}.{name}", value)
        return value

    def roots(self, name: str) -> tuple[str, ...]:
        found = self.texts(name)
        for root in found:
            check_path(f"{self.place}.{name}", root)
            if root in CLOSED_ROOTS or any(root == tree or root.startswith(tree + "/") for tree in CLOSED_TREES):
                raise Malformed(f"{self.place}.{name}", f"{root} is never opened for deleting")
        return found

    def command(self, name: str) -> tuple[str, ...]:
        found = self.texts(name)
        if found:
            check_path(f"{self.place}.{name}", found[0])
            if any("\0" in each for each in found):
                raise Malformed(f"{self.place}.{name}", "holds a null character")
        return found

    def _take(self, name: str, default: object) -> object:
        self._asked.add(name)
        return self._values.get(name, default)
