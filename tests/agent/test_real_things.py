"""The four fixes on real things: a stopped nginx, a file system that is nearly full, a name server that remembers."""

import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from quell.actions.clear_cache import ACTION as clear_cache
from quell.actions.flush_dns import ACTION as flush_dns
from quell.actions.free_disk_space import ACTION as free_disk_space
from quell.actions.restart_service import ACTION as restart_service
from quell.seams import Action
from quell.wire.results import ApplyResult, CheckResult, LookResult, PlanResult, Refusal, Result, UndoResult
from tests.agent.conftest import Box, Office

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root, to bind port 53 and to mount over system files")
needs_spaces = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(["unshare", "-m" if ROOT else "-rm", "true"], capture_output=True).returncode != 0,
    reason="needs unshare with mount namespaces",
)
DNS_ADDRESS = "127.0.53.7"


class Fix:
    """A fix on one device, as the server would lead it."""

    def __init__(self, office: Office, action: Action, params: dict[str, str], fix: int = 1) -> None:
        """Remember what is asked for."""
        self.office, self.action, self.params, self.fix = office, action, params, fix

    def ask(self, kind: str, **given: object) -> Result:
        """One order with the action's own steps."""
        steps = {"apply": "plan"}.get(kind, kind)
        made = getattr(self.action, steps)(self.params)
        values = {"action": self.action.name, "params": self.params, "fix": self.fix, **given}
        return self.office.ask(kind, made, **values)  # type: ignore[arg-type]

    def plan(self) -> PlanResult:
        """The plan, which must come."""
        result = self.ask("plan")
        assert isinstance(result, PlanResult), result
        return result

    def apply(self, plan: PlanResult) -> ApplyResult:
        """Do what was planned."""
        result = self.ask("apply", consent=1, plan_hash=plan.hash)
        assert isinstance(result, ApplyResult), result
        return result

    def undo(self, plan: PlanResult) -> UndoResult:
        """Take it back."""
        result = self.ask("undo", consent=1, plan_hash=plan.hash)
        assert isinstance(result, UndoResult), result
        return result

    def check(self) -> CheckResult:
        """Whether it worked."""
        result = self.ask("check")
        assert isinstance(result, CheckResult), result
        return result


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# nginx --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def nginx(tmp_path: Path, box: Box) -> Iterator[str]:
    """The address of an nginx with a configuration of its own that does not run; the device's policy lists it."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("needs nginx")
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(f"""
pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; worker_processes 1;
events {{ worker_connections 16; }}
http {{
  access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; fastcgi_temp_path {tmp_path}/f;
  uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "well"; }} location /ill {{ return 503; }} }}
}}""")
    box.allow(f"""
[actions]
restart_service = ["restart_service", "put_back_service"]
[services.nginx]
start = ["{program}", "-c", "{config}"]
stop = ["{program}", "-c", "{config}", "-s", "stop"]
pid_file = "{tmp_path}/nginx.pid"
[checks]
every_s = 1
services = ["nginx"]
""")
    yield f"http://127.0.0.1:{port}/"
    if (tmp_path / "nginx.pid").exists():
        psutil.Process(int((tmp_path / "nginx.pid").read_text())).terminate()


def test_a_stopped_nginx_is_reported_restarted_and_answers(box: Box, office: Office, nginx: str) -> None:
    """The device says itself that it is down, and that it is over; the check asks nginx for a page."""
    box.start()
    office.wait_until(reports=1)
    assert (office.reports[0].identity, office.reports[0].said) == ("service:nginx", "firing")
    fix = Fix(office, restart_service, {"service": "nginx", "url": nginx})
    plan = fix.plan()
    assert plan.plan.steps[0].says == "Restart nginx, which is stopped now." and plan.plan.steps[0].reversible
    assert fix.apply(plan).outcome == "done"
    check = fix.check()
    assert check.passed and check.measured[1].values["status"] == 200
    with urllib.request.urlopen(nginx, timeout=5) as answer:
        assert answer.read() == b"well"
    office.wait_until(reports=2)
    assert (office.reports[1].identity, office.reports[1].said) == ("service:nginx", "resolved")


def test_a_restart_that_does_not_help_is_taken_back(box: Box, office: Office, nginx: str) -> None:
    """The page that was broken is still broken, so nginx goes back to where it was: stopped."""
    box.start()
    fix = Fix(office, restart_service, {"service": "nginx", "url": nginx + "ill"})
    plan = fix.plan()
    assert fix.apply(plan).outcome == "done"
    check = fix.check()
    assert not check.passed and [each.passed for each in check.measured] == [True, False]
    assert check.measured[1].says == f"{nginx}ill answers 503."
    undo = fix.undo(plan)
    assert undo.outcome == "done" and undo.steps[0].says == "nginx is stopped now."
    with pytest.raises(OSError):
        urllib.request.urlopen(nginx, timeout=5)


def test_a_running_nginx_gets_a_new_process(box: Box, office: Office, nginx: str, tmp_path: Path) -> None:
    """Restarted for real; and a second time at once, which finds its port free."""
    box.start()
    pids = []
    for number in (1, 2, 3):
        fix = Fix(office, restart_service, {"service": "nginx", "url": nginx}, fix=number)
        assert fix.apply(fix.plan()).outcome == "done" and fix.check().passed
        pids.append((tmp_path / "nginx.pid").read_text())
    assert len(set(pids)) == 3


def test_a_restart_that_fails_says_what_the_program_said(box: Box, office: Office, nginx: str, tmp_path: Path) -> None:
    """A broken configuration: failed, with nginx's own words."""
    (tmp_path / "nginx.conf").write_text("nonsense;")
    box.start()
    fix = Fix(office, restart_service, {"service": "nginx"})
    done = fix.apply(fix.plan())
    assert done.outcome == "failed" and done.steps[0].done is False
    assert "unknown directive" in done.steps[0].output


# A file system that is nearly full ----------------------------------------------------------------------------------


@pytest.fixture
def full(tmp_path: Path, box: Box) -> Path:
    """Where a 16 MiB file system hangs that only the agent sees, nearly full; the policy lists `spool` on it."""
    mount = tmp_path / "disk"
    mount.mkdir()
    script = f"""
mount -t tmpfs -o size=16m tmpfs {mount} && cd {mount} && mkdir spool keep spool/deep spool/inner cache
mount -t tmpfs -o size=1m tmpfs spool/inner
head -c 3145728 /dev/zero > keep/precious && head -c 2097152 /dev/zero > spool/new.log
for each in 1 2 3 4 5 6 7 8; do head -c 1048576 /dev/zero > spool/deep/old$each.log; done
head -c 1048576 /dev/zero > spool/old.txt && head -c 65536 /dev/zero > spool/inner/old.log
head -c 1048576 /dev/zero > cache/a
ln -s {mount}/keep/precious spool/file.log && ln -s {mount}/keep spool/folder
touch -d '3 days ago' spool/deep/* spool/old.txt spool/inner/old.log keep/precious
exec "$@"
"""
    box.wrap = ("unshare", "-m" if ROOT else "-rm", "sh", "-c", script, "sh")
    box.allow(f"""
[actions]
free_disk_space = ["delete_old_files"]
clear_cache = ["clear_cache"]
[deletion]
roots = ["{mount}/spool"]
older_than_h_min = 24
[caches.own]
roots = ["{mount}/cache"]
[caches.link]
roots = ["{mount}/spool/folder"]
[checks]
every_s = 1
disk_free_percent_min = 10
mounts = ["{mount}"]
""")
    box.start()
    return mount


def seen(box: Box, path: Path) -> Path:
    """The path as the agent sees it, through its process."""
    assert box.process is not None
    return Path(f"/proc/{box.process.pid}/root{path}")


@needs_spaces
def test_space_is_freed_below_the_listed_folder_only(box: Box, office: Office, full: Path) -> None:
    """The device reports the full disk, the plan lists the files, the check passes, the rest stands as it stood."""
    office.wait_until(reports=1)
    assert office.reports[0].fields["mount"] == str(full) and office.reports[0].said == "firing"
    fix = Fix(office, free_disk_space, {"mount": str(full), "free_percent": "30", "pattern": "*.log"})
    assert not fix.check().passed
    plan = fix.plan()
    step = plan.plan.steps[0]
    assert [each.path for each in step.files] == [f"{full}/spool/deep/old{number}.log" for number in range(1, 9)]
    assert step.bytes == 8 * 2**20 and step.says.startswith("Delete 8 files, 8.0 MiB,") and not step.reversible
    done = fix.apply(plan)
    assert done.outcome == "done" and (done.steps[0].files, done.steps[0].bytes) == (8, 8 * 2**20)
    assert fix.check().passed
    inside = seen(box, full)
    left = sorted(str(each.relative_to(inside)) for each in inside.rglob("*") if not each.is_dir())
    assert left == [
        "cache/a",
        "keep/precious",
        "spool/file.log",
        "spool/folder",
        "spool/inner/old.log",
        "spool/new.log",
        "spool/old.txt",
    ]
    office.wait_until(reports=2)
    assert (office.reports[1].said, office.reports[1].identity) == ("resolved", f"disk:{full}")


@needs_spaces
def test_the_bounds_of_order_and_policy_hold(box: Box, office: Office, full: Path) -> None:
    """So many bytes and no more; a folder elsewhere, another mount, a link out: refused."""
    plan = Fix(office, free_disk_space, {"mount": str(full), "mib_max": "3"}).plan()
    assert plan.plan.steps[0].bytes == 3 * 2**20
    refused = {
        "not_listed": {"mount": str(full), "below": f"{full}/keep"},
        "outside": {"mount": str(full), "below": f"{full}/spool/folder"},
        "not_possible": {"mount": f"{full}/spool"},
    }
    for code, params in refused.items():
        result = Fix(office, free_disk_space, params).ask("plan")
        assert isinstance(result, Refusal) and result.code == code, result
    other = Fix(office, free_disk_space, {"mount": "/"}).ask("plan")
    assert isinstance(other, Refusal) and other.code == "not_listed"
    link = Fix(office, clear_cache, {"cache": "link"}).ask("plan")
    assert isinstance(link, Refusal) and link.code == "outside"


@needs_spaces
def test_files_that_changed_since_the_plan_make_it_void(box: Box, office: Office, full: Path) -> None:
    """Somebody wrote to one of the listed files: then this is not what was agreed to."""
    fix = Fix(office, free_disk_space, {"mount": str(full)})
    plan = fix.plan()
    (seen(box, full) / "spool/deep/old1.log").write_text("needed after all")
    result = fix.ask("apply", consent=1, plan_hash=plan.hash)
    assert isinstance(result, Refusal) and result.code == "plan_changed"
    assert (seen(box, full) / "spool/deep/old2.log").exists()


@needs_spaces
def test_what_arrives_after_the_plan_does_not_make_it_void(box: Box, office: Office, full: Path) -> None:
    """A busy folder goes on filling while a person reads the plan; the plan still holds, and only it is done."""
    fix = Fix(office, free_disk_space, {"mount": str(full)})
    plan = fix.plan()
    late = seen(box, full) / "spool/late.log"
    late.write_bytes(b"x" * 4096)
    os.utime(late, (1, 1))
    assert fix.apply(plan).steps[0].files == 9 and late.exists()


@needs_spaces
def test_a_cache_is_cleared_by_its_name(box: Box, office: Office, full: Path) -> None:
    """Emptied, and the check measures that it is."""
    fix = Fix(office, clear_cache, {"cache": "own", "left_mib_max": "0"})
    assert not fix.check().passed
    assert fix.apply(fix.plan()).outcome == "done"
    assert fix.check().passed and list((seen(box, full) / "cache").iterdir()) == []


@needs_spaces
def test_a_disk_without_a_single_free_byte_is_freed_by_an_agent_that_lives_on_it(
    box: Box, office: Office, tmp_path: Path
) -> None:
    """The ledger must be written before anything is done: the agent has kept a little space back for this day."""
    mount = tmp_path / "disk"
    mount.mkdir()
    script = f"""
mount -t tmpfs -o size=12m tmpfs {mount} && mkdir {mount}/spool && cp -a {box.home} {mount}/agent
mount --bind {mount}/agent {box.home} && exec "$@"
"""
    box.allow(f"""
[actions]
free_disk_space = ["delete_old_files"]
[deletion]
roots = ["{mount}/spool"]
[checks]
every_s = 1
disk_free_percent_min = 10
mounts = ["{mount}"]
""")
    box.wrap = ("unshare", "-m" if ROOT else "-rm", "sh", "-c", script, "sh")
    box.start()
    office.wait_until(polls=2)
    inside = seen(box, mount)
    with (inside / "spool/old").open("wb") as file, suppress(OSError):
        while True:
            file.write(bytes(65536))
            file.flush()
    os.utime(inside / "spool/old", (1, 1))
    assert os.statvfs(inside).f_bavail == 0
    # What the agent has kept back is itself a sixth of this small disk.
    fix = Fix(office, free_disk_space, {"mount": str(mount), "free_percent": "50"})
    assert not fix.check().passed
    assert fix.apply(fix.plan()).outcome == "done" and fix.check().passed
    assert "reserve=released" in box.log() and "round_broken" not in box.log()


# A name server that remembers ----------------------------------------------------------------------------------------


class Authority:
    """A small name server that knows one name; its address can change."""

    def __init__(self, address: str) -> None:
        """Answer from now on."""
        self.address = address
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                question, sender = self._socket.recvfrom(512)
            except OSError:
                return
            end = question.index(b"\0", 12) + 5
            wants_address = question[end - 4 : end - 2] == b"\0\1"
            self.asked += wants_address
            record = b"\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4" + socket.inet_aton(self.address) if wants_address else b""
            head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if record else b"\0\0") + b"\0\0\0\0"
            self._socket.sendto(head + question[12:end] + record, sender)


@pytest.fixture
def names(tmp_path: Path, box: Box) -> Iterator[Authority]:
    """A real dnsmasq in front of our authority, which the agent's own resolver asks."""
    program = shutil.which("dnsmasq") or shutil.which("dnsmasq", path="/usr/sbin")
    if program is None:
        pytest.skip("needs dnsmasq")
    authority = Authority("192.0.2.1")
    given = [
        f"--server=127.0.0.1#{authority.port}",
        f"--listen-address={DNS_ADDRESS}",
        f"--pid-file={tmp_path}/dns.pid",
    ]
    flags = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"]
    process = subprocess.Popen([program, *flags, "--user=root", "--cache-size=100", *given], stderr=subprocess.PIPE)
    until = time.monotonic() + 10
    while not (tmp_path / "dns.pid").exists() or not (tmp_path / "dns.pid").read_text().strip():
        assert process.poll() is None and time.monotonic() < until, process.stderr and process.stderr.read()
        time.sleep(0.05)
    (tmp_path / "resolv.conf").write_text(f"nameserver {DNS_ADDRESS}\noptions attempts:1 timeout:2\n")
    script = f'mount --bind {tmp_path}/resolv.conf "$(readlink -f /etc/resolv.conf)" && exec "$@"'
    box.wrap = ("unshare", "-m", "sh", "-c", script, "sh")
    box.allow(f"""
[actions]
flush_dns = ["flush_names"]
[names]
dnsmasq_pid_file = "{tmp_path}/dns.pid"
""")
    box.start()
    yield authority
    process.terminate()
    process.wait(10)
    authority.close()


@needs_root
@needs_spaces
def test_a_remembered_name_is_forgotten(box: Box, office: Office, names: Authority) -> None:
    """The printer moved; this one device goes on using the old address until its name server is told to forget."""
    fix = Fix(office, flush_dns, {"name": "printer.quell.test", "address": "192.0.2.2"})
    probes = flush_dns.check(fix.params)
    first = office.ask("look", probes)
    names.address = "192.0.2.2"
    second = office.ask("look", probes)
    assert isinstance(first, LookResult) and isinstance(second, LookResult)
    for look in (first, second):
        assert not look.measured[0].passed and look.measured[0].values["addresses"] == "192.0.2.1"
    assert names.asked == 1
    assert second.telemetry.resolvers[0].address == DNS_ADDRESS and second.telemetry.resolvers[0].took_ms is not None
    plan = fix.plan()
    assert plan.plan.steps[0].says == "Throw away the names that dnsmasq remember; they fill again."
    assert fix.apply(plan).outcome == "done"
    check = fix.check()
    assert check.passed and check.measured[0].values["addresses"] == "192.0.2.2" and names.asked == 2


@needs_root
@needs_spaces
def test_a_signal_reaches_nobody_else(box: Box, office: Office, names: Authority, tmp_path: Path) -> None:
    """The pid file names a process that is no dnsmasq (the number was given anew): then there is nothing to flush."""
    (tmp_path / "dns.pid").write_text(f"{os.getpid()}\n")
    result = Fix(office, flush_dns, {"name": "printer.quell.test"}).ask("plan")
    assert isinstance(result, Refusal) and result.code == "not_possible"


# The system's own services ------------------------------------------------------------------------------------------


@needs_root
@needs_spaces
@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="needs a machine without systemd")
@pytest.mark.skipif(not Path("/usr/sbin/service").exists(), reason="needs /usr/sbin/service")
def test_a_service_of_the_system_is_restarted_by_its_name(box: Box, office: Office, tmp_path: Path) -> None:
    """Through `service NAME restart`, with nothing but the name in the policy."""
    scripts = tmp_path / "init.d"
    scripts.mkdir()
    pid = tmp_path / "pid"
    (scripts / "quell-test").write_text(f"""#!/bin/sh
case "$1" in
start) sleep 500 >/dev/null 2>&1 & echo $! > {pid}; echo started;;
stop) kill "$(cat {pid})"; rm {pid};;
restart) "$0" stop; "$0" start;;
status) [ -f {pid} ] || exit 3;;
esac
""")
    (scripts / "quell-test").chmod(0o755)
    box.wrap = ("unshare", "-m", "sh", "-c", f'mount --bind {scripts} /etc/init.d && exec "$@"', "sh")
    box.allow('[actions]\nrestart_service = ["restart_service", "put_back_service"]\n[services.quell-test]\n')
    box.start()
    fix = Fix(office, restart_service, {"service": "quell-test"})
    plan = fix.plan()
    assert plan.plan.steps[0].commands == (("/usr/sbin/service", "quell-test", "start"),)
    done = fix.apply(plan)
    assert done.outcome == "done" and done.steps[0].output == "started" and fix.check().passed
    again = Fix(office, restart_service, {"service": "quell-test"}, fix=2)
    plan_again = again.plan()
    assert plan_again.plan.steps[0].commands == (("/usr/sbin/service", "quell-test", "restart"),)
    assert again.apply(plan_again).outcome == "done" and again.check().passed
    assert fix.undo(plan).outcome == "done" and not pid.exists()
