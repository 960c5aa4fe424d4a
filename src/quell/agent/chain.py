"""A file that only grows: one JSON line an entry, each on the disk before we go on, with the hash of the one before."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, cast

from quell.agent.home import Unusable, release_reserve, sync_folder
from quell.wire.canonical import Json, canonical_bytes, parse_json, sha256_hex
from quell.wire.errors import Malformed
from quell.wire.messages import Head

START_HASH = "0" * 64
LINE_BYTES_MAX = 2 * 1024 * 1024
FILES_KEPT = 5

Entry: TypeAlias = Mapping[str, Json]


class Chain:
    """The file and its older parts beside it (`NAME-000000123.jsonl`); the chain runs on from one to the next."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self._entries = 0
        self._hash = START_HASH

    @property
    def head(self) -> Head:
        """How many entries there are in all parts, and the hash of the last."""
        return Head(self._entries, self._hash)

    @property
    def size(self) -> int:
        """The bytes of the newest part."""
        return self._path.stat().st_size if self._path.exists() else 0

    def read(self) -> Iterator[Entry]:
        """The entries of the newest part, each checked; Unusable when one was changed, removed or put in."""
        _mend(self._path)
        older = _older(self._path)
        if older:
            self._go_on(_last(older[-1]))
        if not self._path.exists():
            return
        for number, entry in enumerate(_lines(self._path), start=1):
            rest = {name: value for name, value in entry.items() if name != "hash"}
            follows = entry.get("previous") == self._hash and entry.get("n") == self._entries + 1
            if not follows or entry.get("hash") != sha256_hex(canonical_bytes(rest)):
                says = f"the ledger was changed by somebody else at {self._path.name}:{number}"
                raise Unusable(f"{says}; this device obeys nobody until it is looked at")
            self._go_on(entry)
            yield entry

    def _go_on(self, entry: Entry) -> None:
        self._entries, self._hash = cast(int, entry["n"]), cast(str, entry["hash"])

    def append(self, entry: Entry) -> None:
        """Hang one entry on, and return only when it is on the disk."""
        whole: dict[str, Json] = {**entry, "n": self._entries + 1, "previous": self._hash}
        whole["hash"] = sha256_hex(canonical_bytes(whole))
        try:
            _write_line(self._path, canonical_bytes(whole) + b"\n")
        except OSError as error:
            if not release_reserve(self._path.parent, error):
                raise
            _write_line(self._path, canonical_bytes(whole) + b"\n")
        self._go_on(whole)

    def begin_anew(self) -> None:
        """Put the newest part aside, so that the next entry begins another; the oldest parts are dropped."""
        self._path.rename(self._path.with_name(f"{self._path.stem}-{self._entries:09}.jsonl"))
        for old in _older(self._path)[:-FILES_KEPT]:
            old.unlink()

    def newest_first(self) -> Iterator[Entry]:
        """Every entry that is still there, part by part from the newest; not checked again."""
        for path in (self._path, *reversed(_older(self._path))):
            yield from _lines(path)


def _write_line(path: Path, line: bytes) -> None:
    """The whole line or none of it: what was written by halves is taken back."""
    fresh = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    before = os.fstat(descriptor).st_size
    try:
        while line:
            line = line[os.write(descriptor, line) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise
    finally:
        os.close(descriptor)
    if fresh:
        sync_folder(path.parent)


def _lines(path: Path) -> Iterator[Entry]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                entry = parse_json(line, LINE_BYTES_MAX)
            except Malformed as error:
                raise Unusable(f"the ledger is damaged at {path.name}:{number}") from error
            if not isinstance(entry, Mapping):
                raise Unusable(f"the ledger is damaged at {path.name}:{number}")
            yield entry


def _mend(path: Path) -> None:
    """Undo what the power going left half done: a line without its end, or a part put aside with none begun."""
    if path.exists():
        _cut_torn_line(path)
    older = _older(path)
    if older and (not path.exists() or path.stat().st_size == 0):
        older[-1].rename(path)


def _cut_torn_line(path: Path) -> None:
    """A last line without its end was being written when the power went: what it tells of had not begun."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(max(0, size - LINE_BYTES_MAX))
        start, tail = file.tell(), file.read()
        if not tail.endswith(b"\n"):
            file.truncate(start + tail.rfind(b"\n") + 1)
            os.fsync(file.fileno())


def _last(path: Path) -> Entry:
    last: Entry = {}
    for entry in _lines(path):
        last = entry
    if "n" not in last or "hash" not in last:
        raise Unusable(f"the ledger is damaged at the end of {path.name}")
    return last


def _older(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}-*.jsonl"))
