"""Free disk space: old files below the roots that the device's policy lists are deleted until a bound is reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quell.actions._parameters import MIB, Parameters
from quell.wire.steps import DeleteOldFiles, DiskFree, Step

HOURS_DEFAULT = 24
HOURS_MOST = 24 * 365
MIB_DEFAULT = 10_240
MIB_MOST = 204_800
PERCENT_DEFAULT = 10

PARAMETERS: Mapping[str, str] = {
    "mount": "where the full file system hangs, such as `/var`; needed",
    "free_percent": f"the check passes when so many per cent are free: 1 to 90, default {PERCENT_DEFAULT}",
    "older_than_h": f"only files that nobody changed for so many hours: 0 to {HOURS_MOST}, default {HOURS_DEFAULT}",
    "mib_max": f"delete at most so many MiB: 1 to {MIB_MOST}, default {MIB_DEFAULT}",
    "pattern": "only files with such names, such as `*.log`; default `*`",
    "below": "only files in this folder of the listed roots; default all of them",
}


@dataclass(frozen=True)
class FreeDiskSpace:
    """What is deleted is gone for good, so the plan lists every file with its size before anybody agrees."""

    name: str = "free_disk_space"
    risk: str = "high"
    parameters: Mapping[str, str] = field(default_factory=lambda: PARAMETERS)

    def plan(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """Delete old files, oldest first, up to the bound."""
        given = Parameters(self.name, params, self.parameters)
        mount, pattern, below = given.needed("mount"), given.text("pattern", "*"), given.text("below")
        hours = given.number("older_than_h", HOURS_DEFAULT, 0, HOURS_MOST)
        mib = given.number("mib_max", MIB_DEFAULT, 1, MIB_MOST)
        planned = given.steps(lambda: DeleteOldFiles(mount, hours * 3600, mib * MIB, pattern, below))
        self.check(params)
        return planned

    def check(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """Enough of the file system is free again: the same signal that failed."""
        given = Parameters(self.name, params, self.parameters)
        mount, percent = given.needed("mount"), given.number("free_percent", PERCENT_DEFAULT, 1, 90)
        return given.steps(lambda: DiskFree(mount, percent=percent))

    def undo(self, params: Mapping[str, str]) -> tuple[Step, ...] | None:
        """No way back: deleted is deleted."""
        return None


ACTION = FreeDiskSpace()
