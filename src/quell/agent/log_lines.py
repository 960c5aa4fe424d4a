"""The last warnings of the system's own log, without addresses, secrets and names of users."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from quell.agent.commands import run_command

COMMAND_S_MAX = 10
WARNINGS_MAX = 50
WARNING_CHARACTERS_MAX = 300
LOG_BYTES_READ = 256 * 1024
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


def failed_units(scratch: Path, notes: list[str]) -> tuple[str, ...]:
    """The units that systemd calls failed; why there are none to name goes into `notes`."""
    if not os.path.isdir("/run/systemd/system"):
        notes.append("systemd does not run here, so there are no failed units to name")
        return ()
    argv = (SYSTEMCTL, "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager")
    ran = run_command(argv, COMMAND_S_MAX, scratch)
    if not ran.ok:
        notes.append("systemctl could not list failed units")
    return tuple(line.split()[0] for line in ran.output.splitlines() if line.split())[:WARNINGS_MAX]


def last_warnings(scratch: Path, notes: list[str]) -> tuple[str, ...]:
    """The last warnings of the journal, or of the first log file that can be read."""
    if os.path.isdir("/run/systemd/system") and os.path.exists(JOURNALCTL):
        argv = (JOURNALCTL, "-p", "warning", "-n", str(WARNINGS_MAX), "--no-pager", "-o", "short-iso", "-b")
        ran = run_command(argv, COMMAND_S_MAX, scratch)
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


def _end_of(path: Path) -> list[str]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_BYTES_READ))
        return file.read(LOG_BYTES_READ).decode("utf-8", "replace").splitlines()
