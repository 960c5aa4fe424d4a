"""The five rooms in order, and which verb of theirs does each piece of work that waits in the queue.

intake     Who says what, and have we heard it already?
triage     What is it, how urgent, whose, and is it the same as something open?
diagnose   Why does it happen?
fix        Make it right, with leave.
close      Did it stay right? Tell them, and learn.
"""

from collections.abc import Awaitable, Callable, Mapping

from quell.journey import tasks
from quell.journey.close import room as close
from quell.journey.diagnose import room as diagnose
from quell.journey.fix import room as fix
from quell.journey.house import House
from quell.journey.intake import room as intake
from quell.journey.triage import gatekeeper
from quell.journey.triage import room as triage

ROOMS = ("intake", "triage", "diagnose", "fix", "close")

Verb = Callable[..., Awaitable[object]]

WORK: Mapping[str, Verb] = {
    tasks.READ_DELIVERY: intake.read,
    tasks.SORT_REPORT: triage.sort,
    tasks.HEAR_REPLY: triage.hear_reply,
    tasks.REVIEW_GATE: gatekeeper.review,
    tasks.EXAMINE: diagnose.examine,
    tasks.TAKE_LOOK: diagnose.take_look,
    tasks.OFFER_FIX: fix.offer_fix,
    tasks.ORDER: fix.give_order,
    tasks.GO_ON: fix.go_on,
    tasks.MIND_ORDERS: fix.mind_orders,
    tasks.ALERT_OVER: close.alert_over,
    tasks.FIX_HELD: close.fix_held,
    tasks.TELL: close.send,
}

# What is said of work that was tried for the last time, so that it stays visible and can be tried again by hand.
GIVEN_UP: Mapping[str, Verb] = {tasks.READ_DELIVERY: intake.set_aside, tasks.TELL: close.give_up}


async def do(house: House, task: str, args: Mapping[str, object]) -> object:
    """Do one piece of work; every one of them is safe to do twice."""
    return await WORK[task](house, **args)


async def give_up(house: House, task: str, args: Mapping[str, object], says: str) -> None:
    """Set a piece of work aside after its last try."""
    await GIVEN_UP[task](house, **args, says=says)
