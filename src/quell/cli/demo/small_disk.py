"""Becomes an agent that sees a small disk, nearly full of old files: a tmpfs that no other process sees and that dies
with it.

`python -m quell.cli.demo.small_disk DISK AGENT_HOME` (`try` as DISK only says by its status whether that is possible).
It takes a mount namespace of its own, and a user namespace too where we are not root.
"""

import ctypes
import os
import sys
import time
from pathlib import Path

SIZE_MIB, OLD_MIB, KEPT_MIB = 48, 36, 10
MIB = 1024 * 1024
OLD_S = 3 * 24 * 3600
NEW_USER, NEW_MOUNT = 0x10000000, 0x00020000
PRIVATE_BELOW = 0x00040000 | 0x00004000  # MS_PRIVATE | MS_REC
TRY = "try"

_libc = ctypes.CDLL(None, use_errno=True)


def apart() -> None:
    """Leave the mounts that others see; OSError when the system does not let us."""
    uid, gid = os.geteuid(), os.getegid()
    _need(_libc.unshare(NEW_MOUNT if uid == 0 else NEW_MOUNT | NEW_USER))
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    _need(_libc.mount(b"none", b"/", None, PRIVATE_BELOW, None))


def hang(disk: Path) -> None:
    """Hang the small disk at this folder."""
    _need(_libc.mount(b"tmpfs", str(disk).encode(), b"tmpfs", 0, f"size={SIZE_MIB}m,mode=700".encode()))


def fill(disk: Path) -> None:
    """What somebody has worked on, and below `temp` what nobody has touched for days."""
    (disk / "documents").mkdir()
    (disk / "documents" / "thesis.bin").write_bytes(b"\1" * KEPT_MIB * MIB)
    temp = disk / "temp"
    temp.mkdir()
    then = time.time() - OLD_S
    for number in range(OLD_MIB // 2):
        file = temp / f"update-leftover-{number:02}.tmp"
        file.write_bytes(b"\0" * 2 * MIB)
        os.utime(file, (then + number, then + number))


def possible() -> bool:
    """Whether this system lets us hang a disk of our own; asked in a child, since it cannot be taken back."""
    child = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-m", "quell.cli.demo.small_disk", TRY, TRY])
    return child == 0


def main(disk: str, agent_home: str) -> None:
    """Become the agent."""
    try:
        apart()
        if disk == TRY:
            hang(Path("/tmp"))
            return
        hang(Path(disk))
    except OSError as error:
        sys.exit(f"no disk of its own here: {error.strerror}" if disk != TRY else 1)
    fill(Path(disk))
    os.execv(sys.executable, [sys.executable, "-m", "quell.agent", "--home", agent_home, "run"])


def _need(returned: int) -> None:
    if returned != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
