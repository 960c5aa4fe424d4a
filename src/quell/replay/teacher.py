"""The technician of a replay: after each answer he says what was true, in the way a real one would."""

from collections.abc import Mapping

from quell.core.reading import Correction
from quell.journey import tasks
from quell.journey.house import House
from quell.journey.triage import hand, joins
from quell.store import incidents, proposals, reports, tickets
from quell.store.change import Change
from quell.store.jobs import Job

ACTOR = "account:0"
FIELDS = ("category", "owner", "priority")


class Teacher:
    """Remembers which ticket holds which problem, as somebody who worked there would know."""

    def __init__(self, house: House) -> None:
        """Know nothing yet."""
        self._house = house
        self._tickets: dict[str, int] = {}

    async def correct(self, report: int, message: int, truth: Mapping[str, object]) -> None:
        """Put a report where it belongs and its ticket's fields right, and let the model learn it."""
        async with self._house.store.change() as change:
            known = await reports.load(change.connection, report)
            if known.ticket is None:
                return
            noise = truth.get("kind") == "noise"
            await self._set_noise(change, known.ticket, noise)
            root = known.ticket if noise else await self._place(change, known.ticket, truth)
            if not noise:
                await self._set_fields(change, root, truth)
            word = _word(change, truth, root, known.ticket)
            await proposals.teach(change, message, report, word, ACTOR)
            await _check(change, report, truth, root if root != known.ticket else None)
            change.later(Job(tasks.REVIEW_GATE, {}, only_once=tasks.REVIEW_GATE))

    async def _set_noise(self, change: Change, number: int, noise: bool) -> None:
        state = await tickets.load(change.connection, number)
        if state.noise != noise:
            await tickets.record(change, number, "noise_set", ACTOR, {"noise": noise})
            await incidents.regather(change, number)

    async def _place(self, change: Change, number: int, truth: Mapping[str, object]) -> int:
        problem = truth.get("problem")
        await joins.maybe(change, number, None)
        here = await incidents.root_of(change.connection, number)
        right = self._tickets.setdefault(str(problem), number) if problem else number
        right = await incidents.root_of(change.connection, right)
        if here == right:
            return here
        if here != number:
            await joins.leave(change, number, ACTOR)
        if right != number:
            await joins.join(change, number, right, ACTOR, 1.0)
        return await incidents.root_of(change.connection, number)

    async def _set_fields(self, change: Change, root: int, truth: Mapping[str, object]) -> None:
        state = await tickets.load(change.connection, root)
        for name in FIELDS:
            value = truth.get(name)
            if isinstance(value, str) and state.value(name) != value:
                await hand.set_field(change, root, name, value, ACTOR)
        await tickets.update(change.connection, root, needs_yes=False)
        await incidents.regather(change, root)


def _word(change: Change, truth: Mapping[str, object], root: int, own: int) -> Correction:
    def said(name: str) -> str | None:
        value = truth.get(name)
        return value if isinstance(value, str) else None

    alone = root == own and not truth.get("problem")
    return Correction(
        at=change.at,
        kind=said("kind"),
        category=said("category"),
        owner=said("owner"),
        priority=said("priority"),
        ticket=root,
        standing_alone=alone,
    )


async def _check(change: Change, report: int, truth: Mapping[str, object], joined: int | None) -> None:
    for name in FIELDS:
        value = truth.get(name)
        if isinstance(value, str):
            await proposals.check(change, report, name, value)
        else:
            await proposals.forget(change, report, name)
    await proposals.check(change, report, "place", str(joined) if joined is not None else None)
    await proposals.check_joint(change, report)
