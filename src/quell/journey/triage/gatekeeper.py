"""Opens and closes the gate by evidence: the decisions that a person really checked, and nothing else."""

from quell.core.event import Json
from quell.core.gate import Checked, decide
from quell.journey.house import House
from quell.store import gates, proposals

DECISIONS_MAX = 500
ACTOR = "gate"


async def review(house: House) -> None:
    """Judge the gate anew; opening, closing and a moved threshold are events with their evidence. Safe to run twice."""
    version = house.mind.model.version
    async with house.store.change() as change:
        was_open, threshold = await gates.now(change.connection, version)
        checked = await proposals.checked(change.connection, gates.JOINT, DECISIONS_MAX)
        own = [Checked(confidence, right) for confidence, right, _, _ in checked]
        verdict = decide([*house.mind.model.prior, *own], house.gate_target)
        if (verdict.open, round(verdict.threshold, 6)) == (was_open, round(threshold, 6)):
            return
        evidence: dict[str, Json] = {
            "threshold": round(verdict.threshold, 6),
            "precision": round(verdict.precision, 6),
            "lower_bound": round(verdict.lower_bound, 6),
            "sample": round(verdict.sample, 3),
            "target": house.gate_target,
            "why": verdict.why,
            "version": version,
        }
        if verdict.open != was_open:
            kind = "gate_opened" if verdict.open else "gate_closed"
            await change.record("gate:all", kind, ACTOR, evidence)
        await gates.move(change, verdict.open, verdict.threshold if verdict.open else None, evidence, version)
