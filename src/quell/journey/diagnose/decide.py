"""Which evidence is worth showing, and in what words; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SIMILAR_MIN = 0.45
SIMILAR_SHOWN_MAX = 3
OTHERS_SHOWN_MAX = 5
DISK_LOW_PERCENT = 10
MEMORY_LOW_PERMILLE = 50
RESOLVER_SLOW_MS = 500


@dataclass(frozen=True)
class Similar:
    """A solved ticket and how alike it is, 0 to 1."""

    ticket: int
    share: float


def worth_showing(shares: Mapping[int, float]) -> list[Similar]:
    """The solved tickets that are alike enough, the most alike first."""
    ranked = sorted(shares.items(), key=lambda each: (-each[1], -each[0]))
    return [Similar(number, share) for number, share in ranked if share >= SIMILAR_MIN][:SIMILAR_SHOWN_MAX]


def findings(telemetry: Mapping[str, object]) -> list[str]:
    """What stands out in a device's telemetry, in words; nothing stands out in a healthy one."""
    said: list[str] = []
    for disk in _rows(telemetry.get("disks")):
        percent = disk.get("free_percent")
        if isinstance(percent, int) and percent < DISK_LOW_PERCENT:
            said.append(f"{disk.get('mount')} has {percent} % free")
    memory = telemetry.get("memory")
    if isinstance(memory, Mapping):
        total, available = memory.get("total"), memory.get("available")
        if isinstance(total, int) and isinstance(available, int) and available * 1000 < total * MEMORY_LOW_PERMILLE:
            said.append(f"{available * 100 // max(total, 1)} % of memory is free")
    for resolver in _rows(telemetry.get("resolvers")):
        took = resolver.get("took_ms")
        if took is None:
            said.append(f"the name server {resolver.get('address')} does not answer")
        elif isinstance(took, int) and took > RESOLVER_SLOW_MS:
            said.append(f"the name server {resolver.get('address')} takes {took} ms")
    said += [
        f"{each.get('name')} is stopped" for each in _rows(telemetry.get("services")) if each.get("state") == "stopped"
    ]
    failed = telemetry.get("failed")
    said += [f"{each} has failed" for each in failed if isinstance(each, str)] if isinstance(failed, list) else []
    return said


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
