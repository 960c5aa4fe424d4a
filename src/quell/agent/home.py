"""The agent's own folder (0700): its key, who it is, whose orders it obeys, its ledger, its policy."""

import errno
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.wire.canonical import canonical_bytes, parse_json
from quell.wire.errors import Malformed
from quell.wire.shape import from_json, to_json
from quell.wire.signing import private_from_hex, private_to_hex

FILE_BYTES_MAX = 64 * 1024
RESERVE = "reserve"
RESERVE_BYTES = 2 * 1024 * 1024


class Unusable(Exception):
    """The agent cannot run like this; the sentence tells the person at the device why."""


@dataclass(frozen=True)
class Identity:
    """What enrolment gave: our name for ever, where the server is, and the public key that we pinned."""

    device_id: str
    server: str
    order_key: str
    hostname: str


@dataclass(frozen=True)
class Home:
    """Where things lie."""

    folder: Path

    @property
    def ledger(self) -> Path:
        """What was ordered and done, one line each."""
        return self.folder / "ledger.jsonl"

    @property
    def policy(self) -> Path:
        """What this device allows; written by the person who owns it."""
        return self.folder / "policy.toml"

    @property
    def watch(self) -> Path:
        """What the device's own checks found last, and reports that still have to be sent."""
        return self.folder / "watch.json"

    @property
    def output(self) -> Path:
        """What the command that runs now has written."""
        return self.folder / "output"

    @property
    def authorities(self) -> Path:
        """Certificate authorities to trust instead of the system's, if the file is there."""
        return self.folder / "ca.pem"

    def prepare(self) -> None:
        """Make the folder, and close it to everybody else."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def keep_reserve(self) -> None:
        """Hold a little space back, so that orders can be remembered on a disk that is full to the last byte."""
        path = self.folder / RESERVE
        try:
            room = os.statvfs(self.folder)
            if path.exists() or room.f_bavail * room.f_frsize < 2 * RESERVE_BYTES:
                return
            path.write_bytes(bytes(RESERVE_BYTES))
        except OSError:
            path.unlink(missing_ok=True)

    def lock(self) -> IO[str]:
        """Hold the folder alone until the file is closed; Unusable when another agent runs here."""
        file = (self.folder / "lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise Unusable(f"another agent runs with {self.folder}") from error
        return file

    def enrolled(self) -> bool:
        """Whether the server knows us."""
        return (self.folder / "identity.json").exists()

    def save_identity(self, identity: Identity, key: Ed25519PrivateKey) -> None:
        """Keep the key first, then the name that makes it valid."""
        write_privately(self.folder / "device.key", private_to_hex(key).encode() + b"\n")
        write_privately(self.folder / "identity.json", canonical_bytes(to_json(identity)))

    def load_identity(self) -> tuple[Identity, Ed25519PrivateKey]:
        """Who we are and our key; Unusable when we are not enrolled or somebody else could read the key."""
        path = self.folder / "device.key"
        if not self.enrolled() or not path.exists():
            raise Unusable("this device is not enrolled; run `quell agent enrol` first")
        found = path.stat()
        if found.st_mode & 0o077 or found.st_uid != os.geteuid():
            raise Unusable(f"{path} must belong to the agent's account and be readable by nobody else (0600)")
        try:
            identity = from_json(Identity, parse_json((self.folder / "identity.json").read_bytes(), FILE_BYTES_MAX))
            return identity, private_from_hex(path.read_text().strip())
        except Malformed as error:
            raise Unusable(f"the enrolment in {self.folder} is damaged: {error}") from error


def write_privately(path: Path, body: bytes) -> None:
    """Replace a file as a whole, on the disk before its name points to it, readable by its owner only."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_folder(path.parent)


def release_reserve(folder: Path, error: OSError) -> bool:
    """Give the reserve away when the disk is full; whether that is worth another try."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not (folder / RESERVE).exists():
        return False
    (folder / RESERVE).unlink()
    return True


def sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
