"""What is built is what was pinned: packages by hash, front-end files by digest, and nothing twice."""

import json
import re
import subprocess

import pytest

from tests.house.source import ROOT

REQUIREMENTS = ROOT / "requirements"
PINNED = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(\[.*\])?==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+$", re.MULTILINE
)


def names(text: str) -> set[str]:
    """The packages that an `.in` file asks for, as the lock files spell them."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {line.split("[")[0].replace("_", "-").lower() for line in lines if line and not line.startswith("-")}


@pytest.mark.parametrize("kind", ["runtime", "dev", "build", "weights", "node"])
def test_every_package_is_pinned_with_its_hash_and_nothing_else_is_said(kind: str) -> None:
    """One package without a hash makes all the others pointless; one index address sends everybody to one mirror."""
    locked = (REQUIREMENTS / f"{kind}.txt").read_text()
    rest = PINNED.sub("", "\n".join(line for line in locked.splitlines() if not line.startswith("#")))
    assert rest.strip() == ""
    pinned = {found["name"] for found in PINNED.finditer(locked)}
    assert names((REQUIREMENTS / f"{kind}.in").read_text()) <= pinned


def test_the_packages_that_only_tests_need_agree_with_those_that_run() -> None:
    """Tests that ran against another version than the one that is shipped have tested something else."""
    runtime, dev = ((REQUIREMENTS / f"{kind}.txt").read_text() for kind in ("runtime", "dev"))
    assert {found.group() for found in PINNED.finditer(runtime)} <= {found.group() for found in PINNED.finditer(dev)}


def test_front_end_files_are_pinned_by_digest_and_name_no_address() -> None:
    """A lock file that says where from, says so for everybody."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    fetched = {name: entry for name, entry in packages.items() if name}
    assert fetched
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in fetched.values())


def test_a_second_start_builds_nothing() -> None:
    """`make run` is how Quell is started every day, not only the first: what is built already must not be looked at."""
    if not (ROOT / ".venv" / ".runtime").exists():
        pytest.skip("needs the .venv that `make setup` builds here")
    asked = subprocess.run(["make", "--question", "setup"], cwd=ROOT, check=False)
    assert asked.returncode == 0, "run `make setup`; if this stays red, a stamp is older than what it was made from"
