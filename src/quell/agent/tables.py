"""The commands of each operating system as data: how services are handled and how remembered names are thrown away."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SERVICE = "{service}"


@dataclass(frozen=True)
class ServiceTable:
    """The commands of one kind of service keeper; `running` must stand in the output of `status` where it is given.

    An empty `restart` means: stop, then start.
    """

    name: str
    start: tuple[str, ...]
    stop: tuple[str, ...]
    restart: tuple[str, ...]
    status: tuple[str, ...]
    running: str = ""

    def command(self, which: str, service: str) -> tuple[str, ...]:
        """The argument vector for `start`, `stop`, `restart` or `status`; the name is one whole argument or its end."""
        template: tuple[str, ...] = getattr(self, which)
        return tuple(each.replace(SERVICE, service) for each in template)


@dataclass(frozen=True)
class NamesTable:
    """A cache of names: it is there when all `needs` exist; then the command, or the signal to the pid in the file."""

    name: str
    needs: tuple[str, ...]
    command: tuple[str, ...] = ()
    pid_file: str = ""


SYSTEMD = ServiceTable(
    "systemd",
    start=("/usr/bin/systemctl", "--no-ask-password", "start", SERVICE),
    stop=("/usr/bin/systemctl", "--no-ask-password", "stop", SERVICE),
    restart=("/usr/bin/systemctl", "--no-ask-password", "restart", SERVICE),
    status=("/usr/bin/systemctl", "--quiet", "is-active", SERVICE),
)
INIT = ServiceTable(
    "init",
    start=("/usr/sbin/service", SERVICE, "start"),
    stop=("/usr/sbin/service", SERVICE, "stop"),
    restart=("/usr/sbin/service", SERVICE, "restart"),
    status=("/usr/sbin/service", SERVICE, "status"),
)
LAUNCHD = ServiceTable(
    "launchd",
    start=("/bin/launchctl", "kickstart", "system/" + SERVICE),
    stop=("/bin/launchctl", "kill", "SIGTERM", "system/" + SERVICE),
    restart=("/bin/launchctl", "kickstart", "-k", "system/" + SERVICE),
    status=("/bin/launchctl", "print", "system/" + SERVICE),
    running="state = running",
)
WINDOWS = ServiceTable(
    "windows",
    start=(r"C:\Windows\System32\sc.exe", "start", SERVICE),
    stop=(r"C:\Windows\System32\sc.exe", "stop", SERVICE),
    restart=(),
    status=(r"C:\Windows\System32\sc.exe", "query", SERVICE),
    running="RUNNING",
)

NAMES_LINUX = (
    NamesTable(
        "systemd-resolved", ("/run/systemd/resolve", "/usr/bin/resolvectl"), ("/usr/bin/resolvectl", "flush-caches")
    ),
    NamesTable("dnsmasq", ("/run/dnsmasq/dnsmasq.pid",), pid_file="/run/dnsmasq/dnsmasq.pid"),
    NamesTable("nscd", ("/run/nscd/socket", "/usr/sbin/nscd"), ("/usr/sbin/nscd", "-i", "hosts")),
)
NAMES_MACOS = (
    NamesTable("DirectoryService", ("/usr/bin/dscacheutil",), ("/usr/bin/dscacheutil", "-flushcache")),
    NamesTable("mDNSResponder", ("/usr/bin/killall",), ("/usr/bin/killall", "-HUP", "mDNSResponder")),
)
NAMES_WINDOWS = (NamesTable("Windows", (), (r"C:\Windows\System32\ipconfig.exe", "/flushdns")),)


def service_table(platform: str = sys.platform, run: Path = Path("/run")) -> ServiceTable:
    """The service keeper of this machine."""
    if platform == "darwin":
        return LAUNCHD
    if platform == "win32":
        return WINDOWS
    return SYSTEMD if (run / "systemd" / "system").is_dir() else INIT


def names_tables(platform: str = sys.platform, dnsmasq_pid_file: str = "") -> Sequence[NamesTable]:
    """The caches of names that this machine may have; a policy's pid file stands for dnsmasq where it is given."""
    if platform == "darwin":
        return NAMES_MACOS
    if platform == "win32":
        return NAMES_WINDOWS
    if dnsmasq_pid_file:
        own = NamesTable("dnsmasq", (dnsmasq_pid_file,), pid_file=dnsmasq_pid_file)
        return tuple(own if each.name == "dnsmasq" else each for each in NAMES_LINUX)
    return NAMES_LINUX
