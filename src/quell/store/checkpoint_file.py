"""The append-only file of checkpoints: what was written there once, nobody in the database can take back."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from quell.store.checkpoint_form import Checkpoint, from_line, to_line

BLOCK_BYTES = 64 * 1024
NAME = "checkpoints.jsonl"


def append(file: Path, made: Sequence[Checkpoint]) -> None:
    """Append those checkpoints that the file lacks; they are on the disk when this returns."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        known = newest(file)
        missing = [each for each in made if known is None or each.number > known.number]
        # A line that a crash cut short stays, for nothing is ever overwritten here; it is ended, and said again whole.
        start = "\n" if missing and _is_torn(file) else ""
        opened.write((start + "".join(to_line(each) + "\n" for each in missing)).encode())
        opened.flush()
        os.fsync(opened.fileno())


def newest(file: Path) -> Checkpoint | None:
    """The last whole checkpoint in the file, read from its end; None when there is none."""
    for line in _lines_backwards(file):
        try:
            return from_line(line.decode())
        except ValueError:
            continue
    return None


def lines(file: Path, bytes_max: int) -> Iterator[str]:
    """The whole lines within the first bytes of the file."""
    with file.open("rb") as opened:
        for line in opened:
            bytes_max -= len(line)
            if bytes_max < 0 or not line.endswith(b"\n"):
                return
            yield line.decode("utf-8", "replace").rstrip("\n")


def _is_torn(file: Path) -> bool:
    with file.open("rb") as opened:
        if opened.seek(0, os.SEEK_END) == 0:
            return False
        opened.seek(-1, os.SEEK_END)
        return opened.read(1) != b"\n"


def _lines_backwards(file: Path) -> Iterator[bytes]:
    """The lines that were ended, the last one first."""
    if not file.exists():
        return
    with file.open("rb") as opened:
        at, rest, ended = opened.seek(0, os.SEEK_END), b"", False
        while at > 0:
            size = min(BLOCK_BYTES, at)
            at -= size
            opened.seek(at)
            rest, *whole = (opened.read(size) + rest).split(b"\n")
            for line in reversed(whole):
                if ended:
                    yield line
                ended = True  # What stands behind the last line's end is empty, or torn.
        if ended:
            yield rest
