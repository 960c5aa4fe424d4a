"""One measured figure with its yardstick and the command that measures it anew."""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil
from statistics import median

import psutil

LOOK_S = 1.0


@dataclass(frozen=True)
class Figure:
    """`value` is in `unit`; `yardstick` says what it is held against, `against` its value in the same unit.

    `holds` says whether a promise was kept, None where none was made; `notes` say how it was measured.
    """

    name: str
    value: float
    unit: str
    command: str
    yardstick: str = ""
    against: float | None = None
    holds: bool | None = None
    notes: str = ""

    def line(self) -> str:
        """For a person at a screen."""
        beside = f"  ({self.yardstick}: {shown(self.against)} {self.unit})" if self.against is not None else ""
        beside = beside or (f"  ({self.yardstick})" if self.yardstick else "")
        verdict = {True: "", False: "  NOT KEPT", None: ""}[self.holds]
        return f"{self.name}: {shown(self.value)} {self.unit}{beside}{verdict}"


def shown(value: float | None) -> str:
    """Three figures are enough, and whole numbers stay whole."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of all values does not exceed (nearest rank); 0 of none."""
    ranked = sorted(values)
    return ranked[max(0, ceil(len(ranked) * part) - 1)] if ranked else 0.0


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def machine() -> dict[str, object]:
    """Where figures were measured, and how much of its processors was busy with other things just before."""
    return {
        "cores": psutil.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "busy_percent": round(psutil.cpu_percent(LOOK_S)),
    }


def as_json(figures: Sequence[Figure], at: datetime, where: dict[str, object]) -> dict[str, object]:
    """What `--json` writes."""
    return {"at": at.isoformat(timespec="seconds"), "machine": where, "figures": [asdict(each) for each in figures]}
