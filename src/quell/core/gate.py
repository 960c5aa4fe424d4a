"""The gate's statistics: from checked decisions to the confidence from which on a model may act by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

TARGET_DEFAULT = 0.95
CHANCE_OF_ERROR = 0.05
OWN_DECISIONS_MAX = 500
# Weight and margins were chosen on replays of companies left out of training: with 8 and .015 a third was sorted at
# 94.9 %, a hair below the promise; with 4 and .02 it is 30 % at 95.5 %.
OWN_WEIGHT, FOREIGN_WEIGHT = 4.0, 1.0
MARGIN_START, MARGIN_END = 0.03, 0.02
OWN_DECISIONS_FOR_END = 150
OWN_DECISIONS_MIN = 10
BISECTIONS = 60
FRACTION_STEPS_MAX = 300
TINY = 1e-300


@dataclass(frozen=True)
class Checked:
    """One decision that a person really checked: the confidence that was shown before, and whether it was right.

    `foreign` marks a case from another company's replay, shipped with the model: a prior that fades.
    """

    confidence: float
    right: bool
    foreign: bool = False


@dataclass(frozen=True)
class GateVerdict:
    """`threshold`: the confidence from which on the model may act (1.01 when closed); `lower_bound` of its precision.

    `sample` is the effective number of checked decisions above the threshold; `why` says it for a person.
    """

    open: bool
    threshold: float
    lower_bound: float
    sample: float
    precision: float
    why: str


CLOSED_THRESHOLD = 1.01


def decide(evidence: Sequence[Checked], target: float = TARGET_DEFAULT) -> GateVerdict:
    """Search the lowest confidence that keeps the promise; `evidence` oldest first, own decisions beyond 500 drop out.

    Own cases weigh 4, foreign ones 1, and nothing opens before ten own ones. The running precision must exceed the
    target by a margin that corrects for the search and falls from .03 to .02 as 150 own decisions come in; the
    effective sample must be large enough that a faultless one would prove the target at all: 59 for 95 %, 149 for 98 %.
    The one-sided 95 % Clopper-Pearson bound of that sample is given with the verdict.
    """
    own = [c for c in evidence if not c.foreign][-OWN_DECISIONS_MAX:]
    if len(own) < OWN_DECISIONS_MIN:
        why = f"{len(own)} decisions of its own were checked, {OWN_DECISIONS_MIN} are needed before others' cases count"
        return GateVerdict(False, CLOSED_THRESHOLD, 0.0, float(len(own)), 0.0, why)
    cases = sorted([*own, *(c for c in evidence if c.foreign)], key=lambda c: -c.confidence)
    wanted = target + margin(len(own))
    best: tuple[float, float, float] | None = None
    weight = right = squares = 0.0
    for index, case in enumerate(cases):
        own_weight = FOREIGN_WEIGHT if case.foreign else OWN_WEIGHT
        weight += own_weight
        squares += own_weight * own_weight
        right += own_weight * case.right
        ends_run = index + 1 == len(cases) or cases[index + 1].confidence < case.confidence
        if ends_run and right / weight >= wanted - 1e-12:
            best = (case.confidence, right / weight, weight * weight / squares)
    return _verdict(best, target, wanted)


def margin(own_decisions: int) -> float:
    """How far the measured precision must exceed the target: .03 at first, .02 from 150 own decisions on."""
    share = min(1.0, own_decisions / OWN_DECISIONS_FOR_END)
    return MARGIN_START + (MARGIN_END - MARGIN_START) * share


def sample_min(target: float) -> int:
    """The fewest decisions of which all being right proves the target: 59 for 95 %, 149 for 98 %."""
    return int(log(CHANCE_OF_ERROR) / log(target)) + 1


def lower_bound(right: float, sample: float, chance_of_error: float = CHANCE_OF_ERROR) -> float:
    """The one-sided Clopper-Pearson bound of a share; weighted counts may be fractions. Zero for an empty sample."""
    if sample <= 0 or right <= 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if incomplete_beta(middle, right, sample - right + 1) < chance_of_error:
            low = middle
        else:
            high = middle
    return low


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function by its continued fraction (Lentz); x in 0..1, a and b above 0."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, FRACTION_STEPS_MAX):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        d, c = 1 / _away(1 + even * d), _away(1 + even / c)
        value *= d * c
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        d, c = 1 / _away(1 + odd * d), _away(1 + odd / c)
        value *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > TINY else TINY


def _verdict(best: tuple[float, float, float] | None, target: float, wanted: float) -> GateVerdict:
    if best is None:
        return GateVerdict(
            False, CLOSED_THRESHOLD, 0.0, 0.0, 0.0, f"no confidence reached {wanted:.1%} among checked decisions"
        )
    threshold, precision, sample = best
    bound = lower_bound(precision * sample, sample)
    if sample < sample_min(target):
        why = f"{sample:.0f} checked decisions above {threshold:.3f}, {sample_min(target)} are needed for {target:.0%}"
        return GateVerdict(False, CLOSED_THRESHOLD, bound, sample, precision, why)
    why = f"{precision:.1%} right of {sample:.0f} checked decisions above {threshold:.3f}, target {target:.0%}"
    return GateVerdict(True, threshold, bound, sample, precision, why)
