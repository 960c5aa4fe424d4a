"""What was found out about a ticket: the device as it was, what solved it before, what is open beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from quell.store.evidence import Evidence
from quell.web.reading.names import Names
from quell.web.reading.rows import percent
from quell.web.views.ticket import Alike, Reading, Snapshot
from quell.web.words import age, moment, several, size, span

FULL_PERCENT, NEARLY_FULL_PERCENT = 90, 80
SLOW_MS = 500
LINES_MAX = 6


def snapshots(found: Sequence[Evidence], names: Names) -> tuple[Snapshot, ...]:
    """One for each device that was looked at."""
    return tuple(_snapshot(each, names) for each in found if each.kind == "telemetry")


def _snapshot(each: Evidence, names: Names) -> Snapshot:
    telemetry = each.body.get("telemetry")
    at, href = moment(each.observed_at, names.now, names.zone), f"/devices/{each.title}"
    if not isinstance(telemetry, Mapping):
        return Snapshot(each.title, href, at, missing=str(each.body.get("says") or "It did not answer."))
    seen = f"Read {age(each.observed_at, names.now)}."
    foot = " ".join(part for part in (str(telemetry.get("os") or ""), _up(telemetry), seen) if part)
    return Snapshot(each.title, href, at, readings(telemetry), lists(telemetry, each.body.get("findings")), foot)


def _up(telemetry: Mapping[str, Any]) -> str:
    up = telemetry.get("uptime_s")
    return f"Up for {span(up)}." if isinstance(up, int) else ""


def readings(telemetry: Mapping[str, Any]) -> tuple[Reading, ...]:
    """Disk, memory, processor and name servers as bars and values."""
    made = [fullest_disk(telemetry), _memory(telemetry), _cpu(telemetry), *_resolvers(telemetry)]
    return tuple(each for each in made if each is not None)


def fullest_disk(picture: Mapping[str, Any]) -> Reading | None:
    """The disk with the least room."""
    disks = [each for each in _rows(picture.get("disks")) if isinstance(each.get("free_percent"), int)]
    if not disks:
        return None
    least = min(disks, key=lambda each: int(each["free_percent"]))
    used = 100 - int(least["free_percent"])
    state = "bad" if used >= FULL_PERCENT else "warn" if used >= NEARLY_FULL_PERCENT else ""
    title = f"{least.get('mount')}, {size(int(least.get('free') or 0))} of {size(int(least.get('size') or 0))} free"
    return Reading("Fullest disk", f"{used}%", used, state, title)


def _memory(telemetry: Mapping[str, Any]) -> Reading | None:
    memory = telemetry.get("memory")
    if isinstance(memory, Mapping) and memory.get("total"):
        used = 100 - int(memory.get("available") or 0) * 100 // int(memory["total"])
        title = f"{size(int(memory.get('available') or 0))} of {size(int(memory['total']))} free"
        return Reading("Memory", f"{used}%", used, "bad" if used >= 95 else "", title)
    share = telemetry.get("memory_permille")
    return Reading("Memory", f"{share // 10}%", share // 10) if isinstance(share, int) else None


def _cpu(telemetry: Mapping[str, Any]) -> Reading | None:
    cpu = telemetry.get("cpu")
    if isinstance(cpu, Mapping) and isinstance(cpu.get("used_permille"), int):
        used = int(cpu["used_permille"]) // 10
        load = int(cpu.get("load_5_permille") or 0) / 1000
        return Reading(
            "CPU", f"{used}%", min(100, used), "", f"{cpu.get('cores')} cores, load {load:.1f} over 5 minutes"
        )
    share = telemetry.get("cpu_permille")
    return Reading("CPU", f"{share // 10}%", min(100, share // 10)) if isinstance(share, int) else None


def _resolvers(telemetry: Mapping[str, Any]) -> list[Reading]:
    made = []
    for each in _rows(telemetry.get("resolvers"))[:2]:
        took = each.get("took_ms")
        slow = not isinstance(took, int) or took > SLOW_MS
        value = f"{took} ms" if isinstance(took, int) else "no answer"
        made.append(Reading(f"DNS {each.get('address')}", value, None, "warn" if slow else ""))
    return made


def lists(telemetry: Mapping[str, Any], findings: object = None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What stands out, the busiest processes, what is stopped, the last warnings."""
    found = [str(each) for each in findings] if isinstance(findings, list) else []
    busy = [_process(each) for each in _rows(telemetry.get("top_cpu"))[:LINES_MAX]]
    services = [f"{each.get('name')} {each.get('state')}" for each in _rows(telemetry.get("services"))]
    failed = [f"{each} failed" for each in telemetry.get("failed") or []]
    warnings = [str(each) for each in telemetry.get("warnings") or []][-LINES_MAX:]
    made = (
        ("What stands out", found),
        ("Busiest", busy),
        ("Services", [*services, *failed]),
        ("Last warnings", warnings),
    )
    return tuple((heading, tuple(lines)) for heading, lines in made if lines)


def _process(each: Mapping[str, Any]) -> str:
    cpu, memory = each.get("cpu_permille"), each.get("memory")
    shares = [f"{cpu // 10}%" if isinstance(cpu, int) else "", size(memory) if isinstance(memory, int) else ""]
    return " ".join(part for part in (str(each.get("name")), *shares) if part)


def solved_before(found: Sequence[Evidence], names: Names) -> tuple[Alike, ...]:
    """Solved tickets that are alike, with what solved them."""
    made: dict[int, Alike] = {}
    for each in found:
        number = each.body.get("ticket")
        if each.kind == "similar" and isinstance(number, int) and number not in made:
            share = each.body.get("share")
            by = str(each.body.get("solved_by") or "")
            says = f"{by or 'solved'}, {age(each.observed_at, names.now)}"
            made[number] = Alike(
                number, each.title, says, percent(float(share)) if isinstance(share, int | float) else None
            )
    return tuple(made.values())


def open_beside(found: Sequence[Evidence], names: Names) -> tuple[Alike, ...]:
    """Open tickets on the same service or at the same site."""
    made: dict[int, Alike] = {}
    for each in found:
        number = each.body.get("ticket")
        if each.kind == "nearby" and isinstance(number, int) and number not in made:
            kind, _, key = str(each.body.get("same") or "").partition(" ")
            named = {"service": names.services, "site": names.sites}.get(kind, {}).get(key, key)
            count = each.body.get("reports")
            many = f", {several(count, 'report')}" if isinstance(count, int) and count > 1 else ""
            made[number] = Alike(number, each.title, f"same {kind}, {named}{many}, {age(each.observed_at, names.now)}")
    return tuple(made.values())


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []
