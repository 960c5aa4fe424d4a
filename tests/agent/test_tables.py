"""The commands of each operating system, word by word: a name is one argument and never part of a program."""

from pathlib import Path

import pytest

from quell.agent.tables import (
    INIT,
    LAUNCHD,
    NAMES_LINUX,
    NAMES_MACOS,
    NAMES_WINDOWS,
    SYSTEMD,
    WINDOWS,
    ServiceTable,
    names_tables,
    service_table,
)

SYSTEM32 = "C:\\Windows\\System32\\"


@pytest.mark.parametrize(
    ("table", "verb", "argv"),
    [
        (SYSTEMD, "restart", ("/usr/bin/systemctl", "--no-ask-password", "restart", "cups")),
        (SYSTEMD, "status", ("/usr/bin/systemctl", "--quiet", "is-active", "cups")),
        (INIT, "restart", ("/usr/sbin/service", "cups", "restart")),
        (INIT, "stop", ("/usr/sbin/service", "cups", "stop")),
        (LAUNCHD, "restart", ("/bin/launchctl", "kickstart", "-k", "system/cups")),
        (LAUNCHD, "start", ("/bin/launchctl", "kickstart", "system/cups")),
        (WINDOWS, "start", (SYSTEM32 + "sc.exe", "start", "cups")),
        (WINDOWS, "status", (SYSTEM32 + "sc.exe", "query", "cups")),
        (WINDOWS, "restart", ()),
    ],
)
def test_the_argument_vectors(table: ServiceTable, verb: str, argv: tuple[str, ...]) -> None:
    """As the systems' own manuals give them."""
    assert table.command(verb, "cups") == argv


@pytest.mark.parametrize("table", [SYSTEMD, INIT, LAUNCHD, WINDOWS], ids=lambda each: each.name)
def test_every_program_is_absolute_and_never_the_service_itself(table: ServiceTable) -> None:
    """What a name contains can never choose the program."""
    for verb in ("start", "stop", "restart", "status"):
        argv = table.command(verb, "x")
        assert not argv or argv[0].startswith(("/", "C:\\"))
        assert sum("x" == each or each.endswith("/x") for each in argv[1:]) == (1 if argv else 0)


def test_each_system_has_its_keeper(tmp_path: Path) -> None:
    """Systemd only where it really runs."""
    assert service_table("darwin") is LAUNCHD and service_table("win32") is WINDOWS
    assert service_table("linux", tmp_path) is INIT
    (tmp_path / "systemd" / "system").mkdir(parents=True)
    assert service_table("linux", tmp_path) is SYSTEMD


def test_each_system_has_its_caches_of_names() -> None:
    """And a policy may say where dnsmasq keeps its number."""
    assert names_tables("darwin") is NAMES_MACOS and names_tables("win32") is NAMES_WINDOWS
    assert names_tables("linux") == NAMES_LINUX
    assert [each.command for each in NAMES_MACOS] == [
        ("/usr/bin/dscacheutil", "-flushcache"),
        ("/usr/bin/killall", "-HUP", "mDNSResponder"),
    ]
    assert NAMES_WINDOWS[0].command == (SYSTEM32 + "ipconfig.exe", "/flushdns")
    own = names_tables("linux", "/srv/dns.pid")
    assert [each.pid_file for each in own if each.pid_file] == ["/srv/dns.pid"]
