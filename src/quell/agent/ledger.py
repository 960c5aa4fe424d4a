"""What was ordered and what was done: one line an entry, each on the disk before the next thing happens, hash-chained.

The number and the nonce of an order stand here before anything of it runs, so that no restart makes an old order new
again. Numbers rise with the server's clock in milliseconds; orders signed at nearly the same time may overtake each
other on their way, so a number may be lower than the highest by as much as an order lives, but never come twice.
Each entry carries the hash of the one before it; the server hears the last hash with every message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from quell.agent.chain import Chain, Entry
from quell.agent.home import Unusable
from quell.wire.canonical import Json
from quell.wire.errors import Untrusted
from quell.wire.messages import Head
from quell.wire.orders import ORDER_SECONDS_MAX, Order, SignedOrder
from quell.wire.results import (
    ApplyResult,
    CheckResult,
    LookResult,
    Plan,
    PlanResult,
    Refusal,
    Result,
    StepDone,
    UndoResult,
)
from quell.wire.shape import from_json, to_json
from quell.wire.steps import RestartService, StartService, StopService

FILE_BYTES_MAX = 8 * 1024 * 1024
REMEMBERED_S = 7 * 24 * 3600
OVERTAKEN_MAX = ORDER_SECONDS_MAX * 1000
SEEN_MAX = 20_000
RESULTS: Mapping[str, type[Result]] = {
    "plan": PlanResult,
    "apply": ApplyResult,
    "undo": UndoResult,
    "check": CheckResult,
    "look": LookResult,
    "refusal": Refusal,
}


@dataclass
class Remembered:
    """An order as the ledger knows it; `steps` holds what came of each, `result` is kept until acknowledged."""

    id: str
    digest: str
    kind: str
    action: str
    fix: int | None
    plan_hash: str
    at: int
    signed: SignedOrder | None = None
    started: bool = False
    begun: int = 0
    steps: list[StepDone] = field(default_factory=list)
    child: tuple[int, int] | None = None
    result: Result | None = None
    finished: bool = False
    acknowledged: bool = False


@dataclass(frozen=True)
class PlanNote:
    """What must be remembered of a plan: as of when files were judged, and the state of each service before."""

    as_of_ms: int
    fix: int | None
    action: str
    states: Mapping[str, str]


class Ledger:
    """One file, appended to; everything else is folded from it at the start."""

    def __init__(self, path: Path, seen_max: int = SEEN_MAX) -> None:
        """Read and check the whole chain; Unusable when an entry was changed, removed or put in."""
        self._chain = Chain(path)
        self._seen_max = seen_max
        self.sequence = 0
        self._floor = 0
        self._seen: dict[int, str] = {}
        self._orders: dict[str, Remembered] = {}
        self._plans: dict[str, PlanNote] = {}
        for entry in self._chain.read():
            self._take(entry)

    @property
    def head(self) -> Head:
        """How many entries there are, and the hash of the last."""
        return self._chain.head

    def find(self, order_id: str) -> Remembered | None:
        """What is known of an order."""
        return self._orders.get(order_id)

    def find_plan(self, plan_hash: str) -> PlanNote | None:
        """What is remembered of a plan that this device made."""
        return self._plans.get(plan_hash)

    def read_plan(self, plan_hash: str) -> Plan | None:
        """The whole plan, read from the files again, newest first."""
        for entry in self._chain.newest_first():
            result = entry.get("result")
            if isinstance(result, Mapping) and result.get("hash") == plan_hash:
                return from_json(PlanResult, result, strict=False).plan
        return None

    def check_new(self, order: Order) -> None:
        """Raise Untrusted (`replayed`) unless the order's number and nonce are new, and the number is not too old."""
        if order.sequence <= self._floor or order.sequence in self._seen or order.nonce in self._seen.values():
            raise Untrusted("replayed", f"order number {order.sequence} came before, or long after later ones")

    def accept(self, order: Order, signed: SignedOrder, at: int) -> None:
        """Write down that the order came: from here on it can never come again."""
        entry: dict[str, Json] = {
            "what": "accepted",
            "at": at,
            "id": order.id,
            "digest": signed.digest,
            "kind": order.kind,
            "action": order.action,
            "fix": order.fix,
            "plan_hash": order.plan_hash,
            "sequence": order.sequence,
            "nonce": order.nonce,
            "order": to_json(signed),
        }
        self._append(entry)

    def start(self, order_id: str, at: int) -> None:
        """Write down that the first change is about to happen."""
        self._append({"what": "started", "at": at, "id": order_id})

    def begin_step(self, order_id: str, index: int) -> None:
        """Write down which step is about to happen."""
        self._append({"what": "begun", "id": order_id, "step": index})

    def note_child(self, order_id: str, pid: int, born: int) -> None:
        """Write down which process does it, to wait for it should we be killed meanwhile."""
        self._append({"what": "child", "id": order_id, "pid": pid, "born": born})

    def end_step(self, order_id: str, done: StepDone) -> None:
        """Write down what came of the step."""
        self._append({"what": "step", "id": order_id, "done": to_json(done)})

    def finish(self, order_id: str, result: Result, at: int) -> None:
        """Write down what came of the order; it is sent until the server has it."""
        self._append({"what": "finished", "at": at, "id": order_id, "result": to_json(result)})

    def refuse(self, digest: str, code: str, at: int) -> None:
        """Write down that something was refused that never became an order."""
        self._append({"what": "refused", "at": at, "digest": digest, "code": code})

    def acknowledge(self, order_ids: tuple[str, ...]) -> None:
        """Write down that the server has these results."""
        known = [each for each in order_ids if (found := self._orders.get(each)) and not found.acknowledged]
        if known:
            self._append({"what": "acknowledged", "ids": known})

    def unfinished(self) -> list[Remembered]:
        """Orders that came and have no result yet, oldest first."""
        return [each for each in self._orders.values() if not each.finished]

    def unsent(self) -> list[Result]:
        """Results that the server has not acknowledged, oldest first."""
        return [each.result for each in self._orders.values() if each.result is not None and not each.acknowledged]

    def applied(self, plan_hash: str) -> bool:
        """Whether an apply of this plan was ever started."""
        return any(
            each.kind == "apply" and each.plan_hash == plan_hash and each.started for each in self._orders.values()
        )

    def changed_for(self, fix: int | None) -> bool:
        """Whether anything was changed here for this fix; before that, there is nothing to wait for."""
        return any(each.fix == fix and each.started for each in self._orders.values())

    def applies(self, action: str, since: int) -> int:
        """How many applies of this action were started since then."""
        found = [each for each in self._orders.values() if each.kind == "apply" and each.started]
        return sum(each.action == action and each.at >= since for each in found)

    def rotate(self, now: int, bytes_max: int = FILE_BYTES_MAX) -> None:
        """Begin a new file when this one is long and nothing is under way; the chain goes on in it."""
        if self._chain.size <= bytes_max or self.unfinished():
            return
        since = now - REMEMBERED_S
        orders = [each for each in self._orders.values() if not each.acknowledged or _matters(each, since)]
        carried: dict[str, Json] = {
            "what": "carried",
            "at": now,
            "sequence": self.sequence,
            "floor": self._floor,
            "seen": [[sequence, nonce] for sequence, nonce in self._seen.items()],
            "orders": [_carry(each) for each in orders],
            "plans": {name: to_json(note) for name, note in self._plans.items() if note.as_of_ms > since * 1000},
        }
        self._chain.begin_anew()
        self._orders, self._plans = {}, {}
        self._append(carried)

    def _append(self, entry: Entry) -> None:
        self._chain.append(entry)
        self._take(entry)

    def _take(self, entry: Entry) -> None:
        """Fold one entry in."""
        what = entry["what"]
        if what == "carried":
            self._take_carried(entry)
        elif what == "accepted":
            self._take_accepted(entry)
        elif what == "acknowledged":
            for name in cast(list[str], entry["ids"]):
                self._orders[name].acknowledged = True
                self._orders[name].result = None
        elif what != "refused":
            self._take_progress(cast(str, what), entry)

    def _take_accepted(self, entry: Entry) -> None:
        self._see(cast(int, entry["sequence"]), cast(str, entry["nonce"]))
        self._orders[cast(str, entry["id"])] = Remembered(
            id=cast(str, entry["id"]),
            digest=cast(str, entry["digest"]),
            kind=cast(str, entry["kind"]),
            action=cast(str, entry["action"]),
            fix=cast("int | None", entry["fix"]),
            plan_hash=cast(str, entry["plan_hash"]),
            at=cast(int, entry["at"]),
            signed=from_json(SignedOrder, entry["order"]),
        )

    def _see(self, sequence: int, nonce: str) -> None:
        """Remember a number and its nonce; what lies too far back is below the floor and needs no memory."""
        self._seen[sequence] = nonce
        self.sequence = max(self.sequence, sequence)
        self._floor = max(self._floor, self.sequence - OVERTAKEN_MAX)
        if len(self._seen) > self._seen_max:
            self._floor = max(self._floor, sorted(self._seen)[-self._seen_max - 1])
        self._seen = {number: word for number, word in self._seen.items() if number > self._floor}

    def _take_progress(self, what: str, entry: Entry) -> None:
        order = self._orders[cast(str, entry["id"])]
        if what == "started":
            order.started = True
        elif what == "begun":
            order.begun, order.child = cast(int, entry["step"]) + 1, None
        elif what == "child":
            order.child = (cast(int, entry["pid"]), cast(int, entry["born"]))
        elif what == "step":
            order.steps.append(from_json(StepDone, entry["done"], strict=False))
        elif what == "finished":
            order.result = _result(entry["result"])
            order.finished, order.signed, order.child = True, None, None
            if isinstance(order.result, PlanResult):
                self._plans[order.result.hash] = _note(order.result.plan)
        else:
            raise Unusable(f"the ledger holds an entry {what!r} that this agent does not know; it is newer than we are")

    def _take_carried(self, entry: Entry) -> None:
        self.sequence = cast(int, entry["sequence"])
        self._floor = cast(int, entry["floor"])
        self._seen = {sequence: nonce for sequence, nonce in cast(list[tuple[int, str]], entry["seen"])}
        for each in cast(list[Mapping[str, Json]], entry["orders"]):
            order = Remembered(**{name: each[name] for name in _CARRIED})  # type: ignore[arg-type]
            order.result = None if each["result"] is None else _result(each["result"])
            self._orders[order.id] = order
        for name, note in cast(Mapping[str, Json], entry["plans"]).items():
            self._plans[name] = from_json(PlanNote, note)


_CARRIED = ("id", "digest", "kind", "action", "fix", "plan_hash", "at", "started", "finished", "acknowledged")


def _matters(order: Remembered, since: int) -> bool:
    """Whether an order that is over must still be known: a plan may be applied, an apply undone."""
    return order.kind in ("plan", "apply", "undo") and order.at > since


def _carry(order: Remembered) -> Json:
    kept: dict[str, Json] = {name: getattr(order, name) for name in _CARRIED}
    return {**kept, "result": None if order.result is None else to_json(order.result)}


def _note(plan: Plan) -> PlanNote:
    states = {
        step.step.service: step.state
        for step in plan.steps
        if isinstance(step.step, StartService | StopService | RestartService)
    }
    return PlanNote(plan.as_of_ms, plan.fix, plan.action, states)


def _result(value: Json) -> Result:
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or kind not in RESULTS:
        raise Unusable("the ledger holds a result that this agent does not know")
    return from_json(RESULTS[kind], value, strict=False)
