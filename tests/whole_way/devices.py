"""Devices of a town: real agents as processes, on a file system that is nearly full and with an nginx that is down."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.whole_way.conftest import SOURCE, Town, free_port, until

ROOT = os.geteuid() == 0
NUMBERS = itertools.count(1)


@dataclass
class Box:
    """One device with its agent."""

    town: Town
    home: Path
    hostname: str
    wrap: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = None

    def enrol(self) -> None:
        """Let it in with a fresh token."""
        token = self.town.quell("agent", "token").split()[-1]
        given = ["enrol", "--server", self.town.url, "--token", token, "--hostname", self.hostname]
        subprocess.run(self._command(*given), check=True, env=_environment(), timeout=60)

    def allow(self, policy: str) -> None:
        """Write what the device allows."""
        (self.home / "policy.toml").write_text(policy)
        (self.home / "policy.toml").chmod(0o600)

    def start(self) -> None:
        """Run the agent."""
        with (self.home / "agent.log").open("ab") as log:
            self.process = subprocess.Popen([*self.wrap, *self._command("run")], stderr=log, env=_environment())

    def ticket(self) -> int:
        """The number of the sorted ticket that this device's own report has opened."""

        def there() -> int | None:
            for each in self.town.tickets():
                reports = self.town.get(f"/tickets/{each['number']}/reports")["items"]
                mine = [one["ticket"] for one in reports if one["device"] == self.hostname]
                if mine and self.town.get(f"/tickets/{mine[0]}")["category"]["value"]:
                    return int(mine[0])
            return None

        number: int = until(f"ticket of {self.hostname}", there)
        return number

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End the agent."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def inside(self, path: Path) -> Path:
        """A path as the agent sees it."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/root{path}")

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "quell.agent", "--home", str(self.home), *words]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
    return {**kept, "PYTHONPATH": str(SOURCE)}


def hostname() -> str:
    """A host name that no device had yet."""
    return f"lds-print-{next(NUMBERS) + 10}"


@contextmanager
def full_disk(town: Town, folder: Path, pattern_kept: str = "precious") -> Iterator[tuple[Box, Path]]:
    """A device whose 16 MiB file system is nearly full; old logs in `spool` may go, the rest may not."""
    unshared = ["unshare", "-m" if ROOT else "-rm", "true"]
    if shutil.which("unshare") is None or subprocess.run(unshared, capture_output=True).returncode != 0:
        pytest.skip("needs unshare with mount namespaces")
    mount = folder / "disk"
    mount.mkdir()
    script = f"""
mount -t tmpfs -o size=16m tmpfs {mount} && cd {mount} && mkdir spool keep
head -c 4194304 /dev/zero > keep/{pattern_kept}
for each in 1 2 3 4 5 6 7 8 9 10 11; do head -c 1048576 /dev/zero > spool/old$each.log; done
ln -s {mount}/keep/{pattern_kept} spool/link.log
touch -d '3 days ago' spool/* keep/*
exec "$@"
"""
    box = Box(town, folder / "agent", hostname(), ("unshare", "-m" if ROOT else "-rm", "sh", "-c", script, "sh"))
    box.enrol()
    box.allow(f"""
[actions]
free_disk_space = ["delete_old_files"]
[deletion]
roots = ["{mount}/spool"]
older_than_h_min = 24
[checks]
every_s = 1
disk_free_percent_min = 10
mounts = ["{mount}"]
""")
    box.start()
    try:
        yield box, mount
    finally:
        box.stop()


@contextmanager
def stopped_nginx(
    town: Town, folder: Path, answer: str = 'return 200 "well"', slow_s: int = 0
) -> Iterator[tuple[Box, str]]:
    """A device whose nginx is down; `answer` is what it says to a page once it runs.

    Every start writes a line into `started`, and takes `slow_s` seconds before nginx comes.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("needs nginx")
    port, config = free_port(), folder / "nginx.conf"
    config.write_text(f"""
pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 16; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ {answer}; }} }}
}}""")
    starter = folder / "start-nginx"
    starter.write_text(f"#!/bin/sh\necho once >> {folder}/started\n/bin/sleep {slow_s}\nexec {program} -c {config}\n")
    starter.chmod(0o755)
    box = Box(town, folder / "agent", hostname())
    box.enrol()
    box.allow(f"""
[actions]
restart_service = ["restart_service", "put_back_service"]
[services.nginx]
start = ["{starter}"]
stop = ["{program}", "-c", "{config}", "-s", "stop"]
pid_file = "{folder}/nginx.pid"
[checks]
every_s = 1
services = ["nginx"]
""")
    box.start()
    try:
        yield box, f"http://127.0.0.1:{port}/"
    finally:
        box.stop()
        if (folder / "nginx.pid").exists():
            psutil.Process(int((folder / "nginx.pid").read_text())).terminate()
