"""The table of whole companies: one row a company, their mean, and the pooled precision of what was sorted."""

from collections.abc import Mapping, Sequence
from typing import Any

HEAD = (
    "| company | all four | people's new work | category | owner | priority (off) | kind | ticket "
    "| sorted @ precision, second half | the same, people's new work | B-cubed arrival / end "
    "| wrong joins (automatic) | by report 3 | tickets per outage, arrival / end | noise opened |"
)
RULE = "|---" * 15 + "|"


def markdown(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The table as Markdown; in per cent unless a column says otherwise."""
    rows = [HEAD, RULE, *(_row(name, numbers) for name, numbers in measured.items())]
    if len(measured) > 1:
        rows.append(_row("**mean**", mean(list(measured.values()))))
    return "\n".join(rows)


def mean(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean over companies, each weighing the same; the precision of the sorted is pooled over all messages."""
    result: dict[str, Any] = {}
    for key, value in measured[0].items():
        if isinstance(value, Mapping):
            result[key] = mean([each[key] for each in measured])
            continue
        numbers = [each[key] for each in measured if each[key] is not None]
        result[key] = sum(numbers) / len(numbers) if numbers else None
    if "sorted" in measured[0]:
        counts = [(each["sorted"] or 0) * each["count"] for each in measured]
        right = [(each["sorted_precision"] or 0) * count for each, count in zip(measured, counts, strict=True)]
        result["sorted_precision"] = sum(right) / sum(counts) if sum(counts) else None
    return result


def _row(name: str, numbers: Mapping[str, Any]) -> str:
    slices = numbers["slices"]
    whole, people = slices["all"], slices["people, new work"]
    half, people_half = slices["second half"], slices["people, new work, second half"]
    cells = [
        name,
        _percent(whole["all_four"]),
        _percent(people["all_four"]),
        *(_percent(whole[field]) for field in ("category", "owner")),
        f"{_percent(whole['priority'])} ({_plain(whole['levels_off'])})",
        *(_percent(whole[field]) for field in ("kind", "ticket")),
        *(f"{_percent(part['sorted'])} @ {_percent(part['sorted_precision'])}" for part in (half, people_half)),
        f"{_percent(numbers['bcubed_arrival'])} / {_percent(numbers['bcubed_end'])}",
        f"{_percent(numbers['wrong_joins'])} ({_percent(numbers['wrong_joins_automatic'])})",
        _percent(numbers["outages_joined_by_third"]),
        f"{_plain(numbers['tickets_per_outage_arrival'], 1)} / {_plain(numbers['tickets_per_outage_end'], 1)}",
        _percent(numbers["noise_opened"]),
    ]
    return "| " + " | ".join(cells) + " |"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _plain(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
