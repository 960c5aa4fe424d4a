"""Results: what a device answers to an order; a plan with its hash, what was done, what was measured, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from quell.wire.bounds import check_hex
from quell.wire.canonical import canonical_bytes, sha256_hex
from quell.wire.orders import HASH_DIGITS
from quell.wire.shape import to_json
from quell.wire.steps import Change, Probe
from quell.wire.telemetry import Telemetry

FILES_MAX = 2_000  # In one plan, so that a person's consent stays a list that fits into one message.
OUTPUT_CHARACTERS_MAX = 4_000

Outcome = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True)
class PlannedFile:
    """A file that would be deleted; `bytes` is the space that this frees, `modified` is in seconds since 1970."""

    path: str
    bytes: int
    modified: int
    inode: int


@dataclass(frozen=True)
class PlannedStep:
    """What one step would do here and now: in words, as argument vectors, as files; `state` is how it is before."""

    step: Change
    says: str
    commands: tuple[tuple[str, ...], ...] = ()
    files: tuple[PlannedFile, ...] = ()
    bytes: int = 0
    state: str = ""
    reversible: bool = False


@dataclass(frozen=True)
class Plan:
    """The exact effect of a fix on one device; files are judged as of `as_of_ms`, so that a plan holds still."""

    device_id: str
    action: str
    fix: int | None
    as_of_ms: int
    steps: tuple[PlannedStep, ...]


def plan_hash(plan: Plan) -> str:
    """The name by which a person agrees to a plan and an `apply` order calls it: SHA-256 of its canonical bytes."""
    return sha256_hex(canonical_bytes(to_json(plan)))


@dataclass(frozen=True)
class PlanResult:
    """The plan that was asked for, and its hash (the server computes it again before it shows it)."""

    order_id: str
    plan: Plan
    hash: str
    kind: ClassVar[str] = "plan"

    def __post_init__(self) -> None:
        """Refuse a hash that is none."""
        check_hex("hash", self.hash, HASH_DIGITS)


@dataclass(frozen=True)
class StepDone:
    """What came of one step; `done` is false when it failed, None when nobody can know (the device was stopped)."""

    step: Change
    done: bool | None
    says: str
    output: str = ""
    bytes: int = 0
    files: int = 0
    took_ms: int = 0


@dataclass(frozen=True)
class ApplyResult:
    """What was done, step by step; after an interruption `steps` tells how far it came and what was found then."""

    order_id: str
    outcome: Outcome
    steps: tuple[StepDone, ...]
    kind: ClassVar[str] = "apply"


@dataclass(frozen=True)
class UndoResult:
    """What was taken back, step by step."""

    order_id: str
    outcome: Outcome
    steps: tuple[StepDone, ...]
    kind: ClassVar[str] = "undo"


@dataclass(frozen=True)
class Measured:
    """One probe: whether it found what it expected, in words and as measured values; `tries` counts from 1."""

    step: Probe
    passed: bool
    says: str
    values: Mapping[str, int | str] = field(default_factory=dict)
    tries: int = 1


@dataclass(frozen=True)
class CheckResult:
    """Whether every probe passed."""

    order_id: str
    passed: bool
    measured: tuple[Measured, ...]
    kind: ClassVar[str] = "check"


@dataclass(frozen=True)
class LookResult:
    """The device as it is now, with the probes that were asked for."""

    order_id: str
    telemetry: Telemetry
    measured: tuple[Measured, ...] = ()
    kind: ClassVar[str] = "look"


@dataclass(frozen=True)
class Refusal:
    """The device did nothing, and says why; `code` is one of the words in docs/guides/agent.md."""

    order_id: str
    code: str
    says: str
    kind: ClassVar[str] = "refusal"


Result: TypeAlias = PlanResult | ApplyResult | UndoResult | CheckResult | LookResult | Refusal
