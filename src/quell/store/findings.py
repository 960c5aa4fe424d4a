"""What an audit found: how much was looked at, and each thing that is not as it was written, with its place."""

from dataclasses import dataclass, field

FINDINGS_MAX = 1000


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was written, with its place."""

    place: str
    says: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.place}: {self.says}"


@dataclass
class Audited:
    """What was looked at and what was found; `erased` contents are gone by right, which is no fault."""

    events: int = 0
    streams: int = 0
    checkpoints: int = 0
    erased: int = 0
    findings: list[Finding] = field(default_factory=list)
    unsaid: int = 0

    def add(self, place: str, says: str) -> None:
        """Note a finding; beyond the first thousand they are only counted."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(place, says))
        else:
            self.unsaid += 1


def place_of(stream: str, seq: int | None = None) -> str:
    """How a person calls a place in the log: `ticket 12, event 5`."""
    name = stream.replace(":", " ", 1)
    return name if seq is None else f"{name}, event {seq}"
