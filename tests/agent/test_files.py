"""Deleting: only below listed folders, never through a link, only what was planned."""

import os
from pathlib import Path

import pytest

from quell.agent.files import Wanted, delete_files, find_files, missing_files, total_bytes
from quell.wire.errors import Untrusted

LATER = 2**44
ALL = Wanted("*", LATER, LATER, 2**30)


def write(path: Path, size: int = 5000, age_s: int = 0) -> Path:
    """A file of this size, last changed so long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    when = path.stat().st_mtime - age_s
    os.utime(path, (when, when))
    return path


def names(root: Path, wanted: Wanted = ALL) -> list[str]:
    """What would be deleted below a folder, as paths in it."""
    return [str(Path(each.path).relative_to(root)) for each in find_files([str(root)], wanted)]


def test_the_oldest_come_first_and_the_bound_holds(tmp_path: Path) -> None:
    """As many as fit, and the same call finds the same."""
    for age in (100, 300, 200):
        write(tmp_path / f"f{age}", 4096, age)
    block = (tmp_path / "f100").stat().st_blocks * 512
    assert names(tmp_path) == names(tmp_path) == ["f300", "f200", "f100"]
    assert names(tmp_path, Wanted("*", LATER, LATER, 2 * block)) == ["f300", "f200"]


def test_only_old_files_with_matching_names(tmp_path: Path) -> None:
    """Age by the time of the last change, the pattern by the name alone."""
    now_ms = write(tmp_path / "a" / "new.log").stat().st_mtime_ns // 10**6
    write(tmp_path / "a" / "old.log", age_s=7200)
    write(tmp_path / "a" / "old.txt", age_s=7200)
    assert names(tmp_path, Wanted("*.log", now_ms - 3_600_000, LATER, 2**30)) == ["a/old.log"]


def test_what_came_after_the_plan_is_not_in_it(tmp_path: Path) -> None:
    """A file that claims to be old but was put there later does not slip in."""
    write(tmp_path / "late", age_s=7200)
    created_ms = (tmp_path / "late").stat().st_ctime_ns // 10**6
    assert names(tmp_path, Wanted("*", LATER, created_ms - 1, 2**30)) == []


def test_links_are_never_followed_nor_deleted(tmp_path: Path) -> None:
    """Neither to a file outside, nor into a folder outside."""
    outside = write(tmp_path / "outside" / "precious")
    root = tmp_path / "root"
    write(root / "plain")
    (root / "to_file").symlink_to(outside)
    (root / "to_folder").symlink_to(outside.parent)
    assert names(root) == ["plain"]
    assert delete_files([str(root)], find_files([str(root)], ALL)).files == 1
    assert outside.exists() and (root / "to_file").is_symlink()


def test_a_root_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """The person who wrote the policy must name the real folder."""
    write(tmp_path / "real" / "f")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for root in (tmp_path / "link", tmp_path / "link" / "inner"):
        (tmp_path / "real" / "inner").mkdir(exist_ok=True)
        with pytest.raises(Untrusted) as refused:
            find_files([str(root)], ALL)
        assert refused.value.code == "outside"


def test_a_folder_that_became_a_link_after_the_plan_is_refused(tmp_path: Path) -> None:
    """The classic race: the plan saw a folder, the delete meets a link to somewhere precious."""
    outside = write(tmp_path / "outside" / "f")
    root = tmp_path / "root"
    write(root / "inner" / "f")
    files = find_files([str(root)], ALL)
    (root / "inner").rename(root / "gone")
    (root / "inner").symlink_to(outside.parent)
    deleted = delete_files([str(root)], files)
    assert deleted.files == 0 and "behind a link" in deleted.problems[0] and outside.exists()


def test_a_file_that_was_changed_or_replaced_stays(tmp_path: Path) -> None:
    """Only the very file that stood in the plan is deleted."""
    changed, replaced, gone, same = (
        write(tmp_path / name, age_s=100) for name in ("changed", "replaced", "gone", "same")
    )
    files = find_files([str(tmp_path)], ALL)
    changed.write_text("new words")
    write(tmp_path / "other", age_s=100).rename(replaced)
    gone.unlink()
    deleted = delete_files([str(tmp_path)], files)
    assert (deleted.files, len(deleted.problems)) == (1, 3)
    assert changed.exists() and replaced.exists() and not same.exists()
    assert missing_files(files) == 2


def test_a_file_with_a_second_name_stays(tmp_path: Path) -> None:
    """Deleting one of two names frees nothing."""
    os.link(write(tmp_path / "one"), tmp_path / "two")
    assert names(tmp_path) == []


def test_other_kinds_of_files_stay(tmp_path: Path) -> None:
    """A pipe is not a leftover."""
    os.mkfifo(tmp_path / "pipe")
    assert names(tmp_path) == []


def test_a_file_below_no_listed_folder_stays(tmp_path: Path) -> None:
    """Also when somebody hands a path in that was never found there."""
    inside = write(tmp_path / "root" / "f")
    files = find_files([str(inside.parent)], ALL)
    assert delete_files([str(tmp_path / "roo")], files).files == 0 and inside.exists()


def test_a_missing_root_holds_nothing(tmp_path: Path) -> None:
    """A cache that was never made is empty, not wrong."""
    assert find_files([str(tmp_path / "none")], Wanted("*", LATER, LATER, 1)) == ()
    assert total_bytes([str(tmp_path / "none")], "*") == 0


def test_sizes_are_those_on_the_disk(tmp_path: Path) -> None:
    """A file with a hole frees only what it takes up."""
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(2**20)
    assert total_bytes([str(tmp_path)], "*") < 2**20
