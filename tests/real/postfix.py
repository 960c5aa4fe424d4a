"""A real Postfix that hands mail for each domain to whom the test says, by LMTP."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.programs import folder, free_port, need, need_root, running

DAEMONS = Path("/usr/lib/postfix/sbin")
UNIX_SERVICES = (
    "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce",
    "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush", "proxymap unix - - n - - proxymap",
    "smtp unix - - n - - smtp", "relay unix - - n - - smtp", "showq unix n - n - - showq",
    "error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard",
    "local unix - n n - - local", "virtual unix - n n - - virtual", "lmtp unix - - n - - lmtp",
    "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd",
)  # fmt: skip


@dataclass(frozen=True)
class Postfix:
    """The running server; `log` is its log file."""

    smtp_port: int
    log: Path

    @property
    def smtp_url(self) -> str:
        """How the email channel's `smtp_url` names it."""
        return f"smtp://127.0.0.1:{self.smtp_port}"


@contextmanager
def postfix(lmtp_ports: Mapping[str, int]) -> Iterator[Postfix]:
    """Postfix on a free port; `lmtp_ports` says on which port each domain's mail is taken by LMTP."""
    program = need("postfix")
    need_root()
    with folder("postfix") as home:
        port = free_port()
        (home / "transport").write_text(
            "".join(f"{domain} lmtp:inet:127.0.0.1:{each}\n" for domain, each in lmtp_ports.items())
        )
        (home / "main.cf").write_text(_main(home, lmtp_ports))
        rows = [f"127.0.0.1:{port} inet n - n - - smtpd", *UNIX_SERVICES]
        (home / "master.cf").write_text("\n".join(rows) + "\n")
        for each in ("queue", "data"):
            (home / each).mkdir()
        shutil.chown(home / "data", "postfix")
        with running([program, "-c", str(home), "start-fg"], port, home / "output"):
            try:
                yield Postfix(port, home / "log")
            finally:
                # Its master makes a session of its own, so that only Postfix itself can stop all of it.
                subprocess.run([program, "-c", str(home), "stop"], check=True, capture_output=True)


def _main(home: Path, lmtp_ports: Mapping[str, int]) -> str:
    # A queue run that meets a mail in delivery ("skipped, still being delivered") puts it off for a minute. So the
    # first run comes well after the first delivery.
    return f"""
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
daemon_directory = {DAEMONS}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {home}/log
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.quell.example
mydestination =
relay_domains = {", ".join(lmtp_ports)}
transport_maps = texthash:{home}/transport
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
recipient_delimiter = +
smtp_tls_security_level = none
smtpd_peername_lookup = no
queue_run_delay = 3s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
message_size_limit = 31457280
"""
