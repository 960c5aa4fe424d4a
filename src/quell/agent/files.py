"""Finding and deleting files below listed folders: by open folder, never through a link, never onto another disk."""

import fnmatch
import heapq
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from quell.wire.errors import Untrusted
from quell.wire.results import FILES_MAX, PlannedFile

DEPTH_MAX = 40
ENTRIES_MAX = 1_000_000
BLOCK_BYTES = 512
NS_IN_MS = 1_000_000
PATHS_CHARACTERS_MAX = 200_000  # In one plan, so that it fits into one message however long the names are.

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Wanted:
    """Which files are meant: those that match, unchanged since `before_ms` and there at `as_of_ms`, on disk `on`."""

    pattern: str
    before_ms: int
    as_of_ms: int
    bytes_max: int
    on: int | None = None


@dataclass(frozen=True)
class Deleted:
    """What was deleted, and what could not be, in words."""

    files: int
    bytes: int
    problems: tuple[str, ...]


def find_files(roots: Sequence[str], wanted: Wanted) -> tuple[PlannedFile, ...]:
    """The files to delete, oldest first, as many as fit into `bytes_max` and one plan; the same call finds the same."""
    oldest: list[tuple[int, str, PlannedFile]] = []
    for root in roots:
        for path, found in walk(root, wanted.on):
            if not _fits(path, found, wanted):
                continue
            file = PlannedFile(path, _freed(found), int(found.st_mtime), found.st_ino)
            entry = (-found.st_mtime_ns, path, file)
            if len(oldest) < FILES_MAX:
                heapq.heappush(oldest, entry)
            else:
                heapq.heappushpop(oldest, entry)
    chosen: dict[str, PlannedFile] = {}
    left, room = wanted.bytes_max, PATHS_CHARACTERS_MAX
    for _age, path, file in sorted(oldest, key=lambda each: (-each[0], each[1])):
        if file.bytes <= left and len(path) <= room and path not in chosen:
            chosen[path] = file
            left, room = left - file.bytes, room - len(path)
    return tuple(chosen.values())


def total_bytes(roots: Sequence[str], pattern: str) -> int:
    """How much the files below these folders take up on their disk."""
    return sum(
        _freed(found) for root in roots for path, found in walk(root) if fnmatch.fnmatchcase(_name(path), pattern)
    )


def delete_files(roots: Sequence[str], files: Sequence[PlannedFile]) -> Deleted:
    """Delete exactly these files, each only if it is still the one that was planned."""
    count, freed, problems = 0, 0, []
    for file in files:
        root = max((each for each in roots if file.path.startswith(each + "/")), key=len, default=None)
        problem = "is below no listed folder" if root is None else _delete(root, file)
        if problem:
            problems.append(f"{file.path} {problem}")
        else:
            count, freed = count + 1, freed + file.bytes
    return Deleted(count, freed, tuple(problems))


def missing_files(files: Sequence[PlannedFile]) -> int:
    """How many of these are no longer there."""
    return sum(not os.path.lexists(file.path) for file in files)


def walk(root: str, on: int | None = None) -> Iterator[tuple[str, os.stat_result]]:
    """Every plain file below a folder on the folder's own disk (and only if that is disk `on`), in no order.

    A root that is missing holds nothing; one that is a link, or lies behind one, raises Untrusted (`outside`).
    """
    try:
        with open_folder(root) as descriptor:
            disk = os.fstat(descriptor).st_dev
            if on is None or disk == on:
                yield from _walk(descriptor, root, disk, 0, [0])
    except FileNotFoundError:
        return


@contextmanager
def open_folder(path: str) -> Iterator[int]:
    """The folder, opened part by part from the root so that no part can be a link; raises Untrusted (`outside`)."""
    descriptor = os.open("/", _FOLDER)
    try:
        for part in path.strip("/").split("/"):
            inner = _open_inner(part, descriptor, path)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _open_inner(part: str, descriptor: int, path: str) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Untrusted(
            "outside", f"{path} is not a plain folder, or lies behind a link: list its real path"
        ) from error


def _walk(
    descriptor: int, folder: str, disk: int, depth: int, count: list[int]
) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(descriptor) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    count[0] += len(names)
    if depth > DEPTH_MAX or count[0] > ENTRIES_MAX:
        raise Untrusted("too_many", f"{folder} lies too deep, or too many files lie below its root")
    for name, is_folder in names:
        path = f"{folder}/{name}"
        if is_folder:
            yield from _walk_inner(descriptor, name, path, disk, depth, count)
            continue
        with suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_dev == disk:
                yield path, found


def _walk_inner(
    descriptor: int, name: str, path: str, disk: int, depth: int, count: list[int]
) -> Iterator[tuple[str, os.stat_result]]:
    try:
        inner = os.open(name, _FOLDER, dir_fd=descriptor)
    except OSError:
        return  # It went away, became a link, or is closed to us: then nothing below it is ours to delete.
    try:
        if os.fstat(inner).st_dev == disk:
            yield from _walk(inner, path, disk, depth + 1, count)
    finally:
        os.close(inner)


def _fits(path: str, found: os.stat_result, wanted: Wanted) -> bool:
    """A second name means that deleting frees nothing; a name that is no text cannot stand in a plan."""
    return (
        fnmatch.fnmatchcase(_name(path), wanted.pattern)
        and found.st_mtime_ns <= wanted.before_ms * NS_IN_MS
        and found.st_ctime_ns <= wanted.as_of_ms * NS_IN_MS
        and found.st_nlink == 1
        and path.isprintable()
    )


def _delete(root: str, file: PlannedFile) -> str:
    """Delete one file by its open parent folder; why not, or nothing."""
    folder, _, name = file.path.rpartition("/")
    try:
        with open_folder(root) as top, open_folder(folder) as descriptor:
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if os.fstat(top).st_dev != found.st_dev or os.fstat(descriptor).st_dev != found.st_dev:
                return "lies on another disk now"
            same = (found.st_ino, int(found.st_mtime), found.st_nlink) == (file.inode, file.modified, 1)
            if not stat.S_ISREG(found.st_mode) or not same:
                return "is not the file that was planned any more"
            os.unlink(name, dir_fd=descriptor)
    except FileNotFoundError:
        return "was gone already"
    except Untrusted:
        return "lies behind a link now"
    except OSError as error:
        return f"could not be deleted: {error.strerror}"
    return ""


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _freed(found: os.stat_result) -> int:
    return found.st_blocks * BLOCK_BYTES
