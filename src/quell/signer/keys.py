"""The signer's two keys: one for orders to devices, one for checkpoints of the log; made once, kept private."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.core.errors import Broken
from quell.wire.errors import Malformed
from quell.wire.signing import new_key, private_from_hex, private_to_hex, public_hex


@dataclass(frozen=True)
class Keys:
    """The private keys of one installation."""

    order: Ed25519PrivateKey
    checkpoint: Ed25519PrivateKey


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the keys' folder for this process only: two signers would each keep only half of the caps in mind."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Broken(f"another signer runs with {folder}") from error
        yield


def load_keys(folder: Path) -> Keys:
    """The keys in this folder (0700), made at the first start; Broken when a file is damaged or open to others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    keys = Keys(_load(folder / "order.key"), _load(folder / "checkpoint.key"))
    _show(folder / "order.pub", keys.order)
    _show(folder / "checkpoint.pub", keys.checkpoint)
    return keys


def _show(path: Path, key: Ed25519PrivateKey) -> None:
    """Write the public half beside the private one, for those who check signatures while the signer is away."""
    text = public_hex(key) + "\n"
    if not path.exists() or path.read_text() != text:
        fresh = path.with_suffix(".pub.new")
        fresh.write_text(text)
        fresh.rename(path)


def _load(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        _make(path)
    found = path.stat()
    if found.st_mode & 0o077 or found.st_uid != os.geteuid():
        raise Broken(f"{path.name} must belong to the signer's account and be readable by nobody else (0600)")
    try:
        return private_from_hex(path.read_text().strip())
    except Malformed as error:
        raise Broken(f"{path.name} holds no key: {error.says}") from error


def _make(path: Path) -> None:
    """Write the whole file under another name first, so that a crash never leaves half a key."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(private_to_hex(new_key()) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
