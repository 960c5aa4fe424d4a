"""From a device's own report to a closed ticket: real server processes, a real agent, a real nginx and a real disk."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

SOURCE = Path(__file__).parents[2] / "src"
ROOT = os.geteuid() == 0
START_S_MAX = 120.0
WAIT_S_MAX = 60.0
COMPANY = {
    "name": "Aldermoor Parcels",
    "timezone": "Europe/London",
    "business_hours": {"mon": [["08:00", "18:00"]]},
    "sites": [{"key": "leeds", "name": "Leeds depot"}],
    "services": [{"key": "labels", "name": "Label printing", "criticality": 2, "owner": "platform"}],
    "teams": [{"key": "platform", "name": "Platform"}],
    "categories": [{"key": "hardware", "name": "Computers", "description": "A computer is ill", "team": "platform"}],
    "people": [{"email": "mara@aldermoor.test", "name": "Mara Lind", "site": "leeds"}],
    "devices": [
        {"hostname": f"lds-print-{number}", "kind": "desktop", "os": "Debian 12", "site": "leeds"}
        for number in range(1, 10)
    ],
    "priorities": {"P1": "all stands", "P2": "many stand", "P3": "one stands", "P4": "a wish"},
    "actions": [{"key": "restart_service"}, {"key": "free_disk_space"}],
}
Row = Mapping[str, object]


@dataclass
class Town:
    """A whole Quell in a home of its own: `quell up` as a process, and its API."""

    home: Path
    port: int
    token: str = ""
    devices: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes see."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
        return {**kept, "PYTHONPATH": str(SOURCE), "QUELL_HOME": str(self.home), "QUELL_PORT": str(self.port)}

    def quell(self, *words: str) -> str:
        """What one command prints."""
        given = [sys.executable, "-m", "quell.cli", *words]
        done = subprocess.run(given, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Run until `stop`; returns when it is ready."""
        with (self.home / "up.log").open("ab") as log:
            given = [sys.executable, "-m", "quell.cli", "up"]
            self.process = subprocess.Popen(given, env=self.environment, stdout=log, stderr=log)
        wait_for(lambda: b"Quell is ready" in (self.home / "up.log").read_bytes(), START_S_MAX)

    def stop(self) -> None:
        """End it as the system would."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def ask(self, method: str, path: str, body: object = None) -> Row:
        """One call of the API."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/api/v1" + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: Row = json.loads(answer.read() or b"{}")
                return found
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def rows(self, path: str) -> list[Row]:
        """The items of a list."""
        found = self.ask("GET", path)["items"]
        assert isinstance(found, list)
        return found

    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        assert self.process is not None
        tree = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in tree if "quell.worker" in each.cmdline()]


@dataclass
class Device:
    """A device with our agent on it."""

    home: Path
    town: Town
    hostname: str
    wrap: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = None
    policy: str = ""

    def enrol(self) -> None:
        """Let it in with a fresh token."""
        token = str(self.town.ask("POST", "/enrolments")["token"])
        self._run("enrol", "--server", self.town.url, "--token", token, "--hostname", self.hostname)
        (self.home / "policy.toml").write_text(self.policy)

    def start(self) -> None:
        """Run the agent."""
        with (self.home / "agent.log").open("ab") as log:
            given = [*self.wrap, *self._command("run")]
            self.process = subprocess.Popen(given, env=self.town.environment, stderr=log)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the agent."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "quell.agent", "--home", str(self.home), *words]

    def _run(self, *words: str) -> None:
        subprocess.run(self._command(*words), env=self.town.environment, check=True, timeout=60)


@dataclass
class Case:
    """One ticket that a device opened, and its fix."""

    town: Town
    number: int = 0
    seen: list[str] = field(default_factory=list)

    def find(self, words: str) -> None:
        """Wait for the ticket whose title holds these words."""

        def there() -> bool:
            found = [each for each in self.town.rows("/tickets") if words in str(each["title"])]
            if found:
                self.number = int(str(found[0]["number"]))
            return bool(found)

        wait_for(there)

    def fix(self) -> Row:
        """The newest fix."""
        return self.town.rows(f"/tickets/{self.number}/fixes")[0]

    def wait(self, *states: str) -> Row:
        """Wait until the newest fix is in one of these states."""

        def there() -> bool:
            found = self.town.rows(f"/tickets/{self.number}/fixes")
            state = str(found[0]["state"]) if found else "none"
            self.seen.extend([state] if self.seen[-1:] != [state] else [])
            return state in states

        wait_for(there, says=lambda: f"fix went through {self.seen}: {self.town.rows(f'/tickets/{self.number}/fixes')}")
        return self.fix()

    def agree(self) -> None:
        """Say yes to exactly the plan that is shown."""
        fix = self.wait("planned")
        path = f"/tickets/{self.number}/fixes/{fix['id']}/consent"
        self.town.ask("POST", path, {"plan_hash": fix["plan_hash"]})

    def status(self) -> str:
        """The ticket's status."""
        return str(self.town.ask("GET", f"/tickets/{self.number}")["status"])

    def events(self) -> list[str]:
        """What happened to the ticket, in order."""
        return [str(each["kind"]) for each in self.town.rows(f"/tickets/{self.number}/timeline")]


def wait_for(what: Callable[[], bool], patience_s: float = WAIT_S_MAX, says: Callable[[], str] = lambda: "") -> None:
    """Wait until it is so."""
    until = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < until, f"waited too long {says()}"
        time.sleep(0.2)


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A Quell with a company and a token for its API; all that the tests did there is verified at the end."""
    home = tmp_path_factory.mktemp("town")
    town = Town(home, free_port())
    (home / "company.json").write_text(json.dumps(COMPANY))
    town.start()
    try:
        town.quell("company", "load", str(home / "company.json"))
        town.token = town.quell("token", "create", "--role", "admin").strip()
        yield town
        assert "verified" in town.quell("audit", "verify")
    finally:
        town.stop()


@pytest.fixture
def device(town: Town, tmp_path: Path) -> Iterator[Device]:
    """A device that is not let in yet."""
    town.devices += 1
    device = Device(tmp_path / "device", town, f"lds-print-{town.devices}")
    yield device
    device.end()


@pytest.fixture
def nginx(device: Device, tmp_path: Path) -> Iterator[str]:
    """The address of a stopped nginx that the device watches and may restart; `start` is counted and may be slow."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("needs nginx")
    port = free_port()
    (tmp_path / "nginx.conf").write_text(f"""
pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; worker_processes 1;
events {{ worker_connections 16; }}
http {{
  access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; fastcgi_temp_path {tmp_path}/f;
  uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "well"; }} location /ill {{ return 503; }} }}
}}""")
    start = tmp_path / "start"
    start.write_text(
        f"#!/bin/sh\necho start >> {tmp_path}/starts\n/bin/sleep 2\nexec {program} -c {tmp_path}/nginx.conf\n"
    )
    start.chmod(0o755)
    device.policy = f"""
[actions]
restart_service = ["restart_service", "put_back_service"]
[services.nginx]
start = ["{start}"]
stop = ["{program}", "-c", "{tmp_path}/nginx.conf", "-s", "stop"]
pid_file = "{tmp_path}/nginx.pid"
[checks]
every_s = 1
services = ["nginx"]
"""
    yield f"http://127.0.0.1:{port}/"
    if (tmp_path / "nginx.pid").exists():
        psutil.Process(int((tmp_path / "nginx.pid").read_text())).terminate()


def starts(tmp_path: Path) -> int:
    """How often nginx was started."""
    return len((tmp_path / "starts").read_text().splitlines()) if (tmp_path / "starts").exists() else 0


def test_a_stopped_nginx_becomes_a_ticket_a_plan_and_a_closed_ticket(
    town: Town, device: Device, nginx: str, tmp_path: Path
) -> None:
    """The device says so itself; a technician agrees to the plan; nginx answers; the ticket is closed as verified."""
    device.enrol()
    device.start()
    case = Case(town)
    case.find(f"Service down: nginx on {device.hostname}")
    fix = case.wait("planned")
    assert fix["action"] == "restart_service" and fix["params"] == {"service": "nginx"} and starts(tmp_path) == 0
    case.agree()
    case.wait("held")
    with urllib.request.urlopen(nginx, timeout=5) as answer:
        assert answer.read() == b"well"
    wait_for(lambda: case.status() == "resolved")
    happened = case.events()
    for kind in ("evidence_gathered", "fix_planned", "fix_consented", "fix_applied", "fix_checked", "ticket_resolved"):
        assert kind in happened, happened
    assert starts(tmp_path) == 1


def test_a_restart_that_does_not_help_is_undone_and_handed_to_a_person(
    town: Town, device: Device, nginx: str, tmp_path: Path
) -> None:
    """The page is still broken: nginx is stopped again, and the ticket stays open."""
    device.policy = device.policy.replace("[checks]", "[ignored]").split("[ignored]")[0]
    device.enrol()
    device.start()
    body = {
        "reporter": "mara@aldermoor.test",
        "subject": "Labels do not print",
        "text": "503",
        "device": device.hostname,
    }
    report = town.ask("POST", "/reports", body)
    wait_for(lambda: town.ask("GET", f"/reports/{report['number']}").get("ticket") is not None)
    case = Case(town, int(str(town.ask("GET", f"/reports/{report['number']}")["ticket"])))
    params = {"service": "nginx", "url": nginx + "ill"}
    town.ask(
        "POST",
        f"/tickets/{case.number}/fixes",
        {"device": device.hostname, "action": "restart_service", "params": params},
    )
    case.agree()
    case.wait("undone")
    assert case.status() != "resolved" and "handed_over" in case.events()
    assert not (tmp_path / "nginx.pid").exists()


def test_killing_the_agent_during_apply_leads_to_one_start_and_a_closed_ticket(
    town: Town, device: Device, nginx: str, tmp_path: Path
) -> None:
    """Kill -9 while nginx is being started; the agent comes back, says it was interrupted, and the check passes."""
    device.enrol()
    device.start()
    case = Case(town)
    case.find(f"Service down: nginx on {device.hostname}")
    case.agree()
    wait_for(lambda: starts(tmp_path) == 1)
    device.end(signal.SIGKILL)
    device.start()
    case.wait("held")
    wait_for(lambda: case.status() == "resolved")
    assert starts(tmp_path) == 1


def test_killing_the_worker_between_apply_and_check_leads_to_one_start_and_a_closed_ticket(
    town: Town, device: Device, nginx: str, tmp_path: Path
) -> None:
    """Kill -9 of every worker while the device applies; another takes over, nothing is ordered a second time."""
    device.enrol()
    device.start()
    case = Case(town)
    case.find(f"Service down: nginx on {device.hostname}")
    case.agree()
    wait_for(lambda: starts(tmp_path) == 1)
    for worker in town.workers():
        worker.kill()
    case.wait("held")
    wait_for(lambda: case.status() == "resolved")
    assert starts(tmp_path) == 1


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(["unshare", "-m" if ROOT else "-rm", "true"], capture_output=True).returncode != 0,
    reason="needs unshare with mount namespaces",
)
def test_a_full_disk_becomes_a_ticket_and_space(town: Town, device: Device, tmp_path: Path) -> None:
    """A tmpfs that is nearly full: reported, planned file by file, agreed to, freed, measured, closed."""
    mount = tmp_path / "disk"
    mount.mkdir()
    fill = f"""
mount -t tmpfs -o size=16m tmpfs {mount} && mkdir {mount}/spool {mount}/keep
head -c 4194304 /dev/zero > {mount}/keep/precious
for each in 1 2 3 4 5 6 7 8 9 10 11; do head -c 1048576 /dev/zero > {mount}/spool/old$each; done
touch -d '3 days ago' {mount}/spool/* {mount}/keep/precious
exec "$@"
"""
    device.wrap = ("unshare", "-m" if ROOT else "-rm", "sh", "-c", fill, "sh")
    device.policy = f"""
[actions]
free_disk_space = ["delete_old_files"]
[deletion]
roots = ["{mount}/spool"]
[checks]
every_s = 1
disk_free_percent_min = 10
mounts = ["{mount}"]
"""
    device.enrol()
    device.start()
    case = Case(town)
    case.find(f"Disk nearly full: {mount} on {device.hostname}")
    fix = case.wait("planned")
    assert fix["params"] == {"mount": str(mount)}
    assert device.process is not None
    inside = Path(f"/proc/{device.process.pid}/root{mount}")
    assert len(list((inside / "spool").iterdir())) == 11
    case.agree()
    case.wait("held")
    wait_for(lambda: case.status() == "resolved")
    assert list((inside / "spool").iterdir()) == [] and (inside / "keep/precious").stat().st_size == 4 * 2**20
