"""Which known fix fits, with which bounds, and what comes next after each answer of the device; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quell.core.reading import Reason

DISK_LOW_PERCENT = 15
AUTOMATIC_RISKS = frozenset({"low", "medium"})
MODEL_SURE = 0.5

_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("free_disk_space", re.compile(r"disk|storage|filesystem|file_system|volume.*(full|space)", re.I)),
    ("flush_dns", re.compile(r"\bdns|name_?resol|resolv(er|e_)", re.I)),
    ("clear_cache", re.compile(r"cache|browser|webapp", re.I)),
    ("restart_service", re.compile(r"service|daemon|heartbeat|unit_failed|process_down|\bdown\b", re.I)),
)


@dataclass(frozen=True)
class Offer:
    """A fix that fits: the action, its bounded parameters and why."""

    action: str
    params: Mapping[str, str]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Signs:
    """What the fixing room knows: the labels of the machine that spoke, the device's telemetry, the model's word."""

    labels: Mapping[str, str]
    telemetry: Mapping[str, object]
    likely_action: str | None = None
    likely_chance: float = 0.0


def offer(signs: Signs, allowed: frozenset[str]) -> Offer | None:
    """The fix to offer, or None: only an allowed one, only with parameters that the evidence itself names."""
    named = _named_action(signs)
    for action, reason in named:
        if action not in allowed:
            continue
        params = _PARAMETERS[action](signs) if action in _PARAMETERS else None
        if params is not None:
            return Offer(action, params, (reason,))
    return None


def _named_action(signs: Signs) -> list[tuple[str, Reason]]:
    found: list[tuple[str, Reason]] = []
    if signs.likely_action and signs.likely_chance >= MODEL_SURE:
        says = f"this has usually been solved by {signs.likely_action}"
        found.append((signs.likely_action, Reason(says, signs.likely_chance * 100, "model")))
    sign = " ".join(signs.labels.get(each, "") for each in ("check", "alertname"))
    for action, pattern in _SIGNS:
        if sign.strip() and pattern.search(sign):
            found.append((action, Reason(f"the failed check is {sign.strip()}", 100.0, "rule")))
    return found


def _disk(signs: Signs) -> Mapping[str, str] | None:
    mount = signs.labels.get("mount") or signs.labels.get("mountpoint")
    if mount is None:
        low = [each for each in _rows(signs.telemetry, "disks") if _percent(each) < DISK_LOW_PERCENT]
        mount = str(min(low, key=_percent)["mount"]) if low else None
    return {"mount": mount} if mount and mount.startswith("/") else None


def _service(signs: Signs) -> Mapping[str, str] | None:
    known = {str(each.get("name")): str(each.get("state")) for each in _rows(signs.telemetry, "services")}
    named = signs.labels.get("service") or signs.labels.get("unit", "").removesuffix(".service")
    stopped = [name for name, state in known.items() if state == "stopped"]
    service = named if named in known else stopped[0] if len(stopped) == 1 else None
    if service is None:
        return None
    url, port = signs.labels.get("url"), signs.labels.get("port")
    return {"service": service} | ({"url": url} if url else {}) | ({"port": port} if port else {})


def _dns(signs: Signs) -> Mapping[str, str] | None:
    name = signs.labels.get("name") or signs.labels.get("host_name") or signs.labels.get("target")
    address = signs.labels.get("address")
    return ({"name": name} | ({"address": address} if address else {})) if name else None


def _cache(signs: Signs) -> Mapping[str, str] | None:
    cache = signs.labels.get("cache") or signs.labels.get("browser")
    return {"cache": cache} if cache else None


_PARAMETERS = {"free_disk_space": _disk, "restart_service": _service, "flush_dns": _dns, "clear_cache": _cache}


@dataclass(frozen=True)
class Next:
    """The state a fix goes to and the order that follows, None for none; `says` is for people."""

    state: str
    order: str | None
    says: str


def after_apply(outcome: str | None, refused: str | None) -> Next:
    """After the device has applied, or refused to: only the check tells whether it worked."""
    if refused is not None:
        return Next("failed", None, f"the device refused: {refused}")
    words = {"done": "applied", "failed": "a step failed", "interrupted": "it was interrupted"}
    return Next("checking", "check", words.get(outcome or "", "applied"))


def after_check(passed: bool, says: str, can_undo: bool) -> Next:
    """After the check: held, or taken back, or handed to a person as it is."""
    if passed:
        return Next("held", None, says)
    if can_undo:
        return Next("undoing", "undo", f"the check failed: {says}")
    return Next("failed", None, f"the check failed and there is no way back: {says}")


def after_undo(outcome: str | None, refused: str | None) -> Next:
    """After it was taken back."""
    if refused is None and outcome == "done":
        return Next("undone", None, "it did not help and was put back")
    return Next("failed", None, f"it did not help, and putting it back failed: {refused or outcome}")


def runs_alone(risk: str, ceiling: str) -> bool:
    """Whether a fix may run without a person's yes: only where the category's owner said so, never a risky one."""
    return ceiling == "fix" and risk in AUTOMATIC_RISKS


def _rows(telemetry: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    value = telemetry.get(key)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def _percent(disk: Mapping[str, object]) -> int:
    value = disk.get("free_percent")
    return value if isinstance(value, int) else 100
