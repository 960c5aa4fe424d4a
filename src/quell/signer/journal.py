"""What the signer remembers by itself of the changes it signed, so that fleet caps hold whatever the database says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quell.wire.canonical import canonical_bytes, parse_json
from quell.wire.errors import Malformed
from quell.wire.orders import SignedOrder
from quell.wire.shape import from_json, to_json

KEPT_S = 3600
BYTES_MAX = 1024 * 1024  # Beyond this, what is older than an hour is dropped at the next start.


@dataclass(frozen=True)
class Signed:
    """An order to change something, as it was signed; times in seconds since 1970."""

    at: int
    expires: int
    kind: str
    action: str
    device: int
    fix: int
    plan_hash: str
    order: SignedOrder


class Journal:
    """An append-only file; each line is on the disk before the order that it tells of leaves the signer."""

    def __init__(self, path: Path) -> None:
        """Read what is there; a last line that a crash cut short is dropped, since its order never left."""
        self._path = path
        self._signed = _read(path)
        if path.exists():
            self._rewrite(BYTES_MAX)

    def add(self, signed: Signed) -> None:
        """Remember one more."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(canonical_bytes(to_json(signed)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._signed = [each for each in self._signed if each.at > signed.at - KEPT_S] + [signed]

    def devices(self, action: str, now: int) -> frozenset[int]:
        """The devices for which this action was signed within the last hour."""
        return frozenset(
            each.device
            for each in self._signed
            if each.kind == "apply" and each.action == action and each.at > now - KEPT_S
        )

    def pending(self, fix: int, kind: str, now: int) -> Signed | None:
        """The order of this kind for this fix that is out and still valid."""
        found = [each for each in self._signed if each.fix == fix and each.kind == kind and each.expires > now]
        return found[-1] if found else None

    def _rewrite(self, bytes_max: int) -> None:
        size = self._path.stat().st_size
        lines = b"".join(canonical_bytes(to_json(each)) + b"\n" for each in self._signed)
        if size == len(lines) and size <= bytes_max:
            return
        newest = max((each.at for each in self._signed), default=0)
        kept = [each for each in self._signed if size <= bytes_max or each.at > newest - KEPT_S]
        fresh = self._path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(b"".join(canonical_bytes(to_json(each)) + b"\n" for each in kept))
        fresh.rename(self._path)
        self._signed = kept


def _read(path: Path) -> list[Signed]:
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    found: list[Signed] = []
    for line in lines:
        if not line:
            continue
        try:
            value = parse_json(line)
            assert isinstance(value, Mapping)
            found.append(from_json(Signed, value))
        except Malformed:
            if line is lines[-1]:
                break
            raise
    return found
