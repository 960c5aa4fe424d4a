"""Obeying: an order is checked, written down, carried out within the policy, and answered; once, whatever happens."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from quell.agent.applying import Hand
from quell.agent.commands import read_output
from quell.agent.home import Home, Identity
from quell.agent.ledger import Ledger, Remembered
from quell.agent.looking import Looker
from quell.agent.planning import Planner
from quell.agent.policy import Policy
from quell.agent.policy_file import load_policy
from quell.agent.probing import Prober
from quell.wire.canonical import sha256_hex
from quell.wire.errors import Malformed, Untrusted
from quell.wire.orders import Order, SignedOrder, check_time, open_order, read_order
from quell.wire.results import (
    ApplyResult,
    CheckResult,
    LookResult,
    Measured,
    Outcome,
    PlannedStep,
    PlanResult,
    Refusal,
    Result,
    StepDone,
    UndoResult,
    plan_hash,
)
from quell.wire.steps import Change, PutBackService, is_change, is_probe

HOUR_S = 3600
ORPHAN_S_MAX = 300
REFUSED_AN_HOUR_MAX = 100


@dataclass
class Duty:
    """Everything that obeys: who we are, where things lie, what is remembered; `clock` gives seconds since 1970."""

    identity: Identity
    home: Home
    ledger: Ledger
    clock: Callable[[], float] = time.time
    refused_since: int = 0
    refused: int = 0

    def obey(self, signed: SignedOrder) -> Result | None:
        """Carry one order out and give its result; None when its result is on the way already.

        Nothing is ever run twice: an order that came before, also before a restart, gives its stored result as long
        as the server has not acknowledged it, and a refusal (`replayed`) afterwards.
        """
        now = int(self.clock())
        try:
            order = open_order(signed, self.identity.order_key, self.identity.device_id, now)
            known = self.ledger.find(order.id)
            if known is not None and known.digest == signed.digest and not known.acknowledged:
                return known.result
            self.ledger.check_new(order)
            if known is not None:
                raise Untrusted("replayed", f"an order named {order.id} came before")
        except Untrusted as error:
            return self._refuse(signed, error, now)
        self.ledger.accept(order, signed, now)
        return self._carry_out(order)

    def recover(self) -> None:
        """After a start: bring every order that came but has no result to one, running nothing a second time."""
        for known in self.ledger.unfinished():
            assert known.signed is not None
            order = read_order(known.signed)
            if known.started:
                self._finish(order, self._interrupted(order, known))
            else:
                self._carry_out(order)

    def _carry_out(self, order: Order) -> Result:
        try:
            check_time(order, int(self.clock()))
            result = self._do(order, load_policy(self.home.policy))
        except Untrusted as error:
            result = Refusal(order.id, error.code, error.says)
        except Malformed as error:
            result = Refusal(order.id, "malformed", str(error))
        return self._finish(order, result)

    def _finish(self, order: Order, result: Result) -> Result:
        self.ledger.finish(order.id, result, int(self.clock()))
        return result

    def _do(self, order: Order, policy: Policy) -> Result:
        if policy.disabled:
            raise Untrusted("disabled", "the device's owner has switched orders off")
        if order.kind == "look":
            measured = _measure(Prober(self.home, policy), order, patient=False)
            return LookResult(order.id, Looker(self.home, policy).telemetry(), measured)
        if order.kind == "check":
            measured = _measure(Prober(self.home, policy), order, patient=self.ledger.changed_for(order.fix))
            return CheckResult(order.id, all(each.passed for each in measured), measured)
        planner = Planner(self.home, policy)
        if order.kind == "plan":
            plan = planner.plan(order, int(self.clock() * 1000))
            return PlanResult(order.id, plan, plan_hash(plan))
        return self._apply(order, planner) if order.kind == "apply" else self._undo(order, planner)

    def _apply(self, order: Order, planner: Planner) -> Result:
        """Plan again, as of the same moment: only if exactly the same comes out may it be done."""
        note = self.ledger.find_plan(order.plan_hash)
        if note is None or note.fix != order.fix or note.action != order.action:
            raise Untrusted("plan_unknown", "this device never made that plan for this fix")
        if self.ledger.applied(order.plan_hash):
            raise Untrusted("already_applied", "that plan was applied before; it takes a new plan to do it again")
        plan = planner.plan(order, note.as_of_ms)
        if plan_hash(plan) != order.plan_hash:
            raise Untrusted("plan_changed", "the device is not as it was when the plan was made; make a new plan")
        most = planner.policy.applies_per_hour_max
        if self.ledger.applies(order.action, int(self.clock()) - HOUR_S) >= most:
            raise Untrusted("too_often", f"the device's policy lets {order.action} run {most} times an hour")
        outcome, steps = self._change(order, planner, [(step, "") for step in plan.steps])
        return ApplyResult(order.id, outcome, steps)

    def _undo(self, order: Order, planner: Planner) -> Result:
        """Take back what was applied: the states to go back to stand in the plan that the order names."""
        note = self.ledger.find_plan(order.plan_hash)
        if note is None or note.fix != order.fix or not self.ledger.applied(order.plan_hash):
            raise Untrusted("nothing_applied", "that plan was never applied here, so there is nothing to take back")
        planner.policy.allow(order.action, [step.kind for step in order.steps])
        as_of_ms = int(self.clock() * 1000)
        was = [note.states.get(step.service, "") if isinstance(step, PutBackService) else "" for step in order.steps]
        steps = [
            (planner.plan_step(step, as_of_ms, state), state) for step, state in zip(order.steps, was, strict=True)
        ]
        outcome, done = self._change(order, planner, steps)
        return UndoResult(order.id, outcome, done)

    def _change(
        self, order: Order, planner: Planner, steps: list[tuple[PlannedStep, str]]
    ) -> tuple[Outcome, tuple[StepDone, ...]]:
        """One step after the other, each noted before and after; the first that fails ends it."""
        self.ledger.start(order.id, int(self.clock()))
        hand = Hand(planner, lambda pid: self.ledger.note_child(order.id, pid, _born(pid)))
        results: list[StepDone] = []
        for index, (planned, was) in enumerate(steps):
            self.ledger.begin_step(order.id, index)
            done = hand.do(planned, was)
            self.ledger.end_step(order.id, done)
            results.append(done)
            if not done.done:
                return "failed", tuple(results)
        return "done", tuple(results)

    def _interrupted(self, order: Order, known: Remembered) -> Result:
        """What came of an order during which we were stopped: the steps that ended, and what can be seen of the last.

        A process that the step had started may still be at work; it is waited for, never started again.
        """
        _wait_for(known.child)
        results = list(known.steps)
        failed = any(each.done is False for each in results)
        if not failed and len(results) == len(order.steps):
            return _told(order, "done", tuple(results))
        begun = [step for step in order.steps[len(results) : known.begun] if is_change(step)]
        if not failed and begun:
            results.append(self._observe(order, begun[0], len(results)))
        return _told(order, "failed" if failed else "interrupted", tuple(results))

    def _observe(self, order: Order, step: Change, index: int) -> StepDone:
        try:
            planner = Planner(self.home, load_policy(self.home.policy))
            plan = self.ledger.read_plan(order.plan_hash) if order.kind == "apply" else None
            planned = plan.steps[index] if plan is not None else PlannedStep(step, "")
            seen = Hand(planner, lambda pid: None).observe(planned)
        except Untrusted as error:
            return StepDone(step, None, f"Interrupted; {error.says}.")
        said = read_output(self.home.output)
        self.home.output.unlink(missing_ok=True)
        return StepDone(seen.step, None, seen.says, said, seen.bytes, seen.files)

    def _refuse(self, signed: SignedOrder, error: Untrusted, now: int) -> Refusal:
        """Answer under the name that the order claims; the ledger takes a bounded number of such entries an hour."""
        if now - self.refused_since >= HOUR_S:
            self.refused_since, self.refused = now, 0
        if self.refused < REFUSED_AN_HOUR_MAX:
            self.refused += 1
            self.ledger.refuse(signed.digest, error.code, now)
        return Refusal(claimed_id(signed), error.code, error.says)


def claimed_id(signed: SignedOrder) -> str:
    """The name that an order gives itself, or one made of its bytes when it has none; nothing is believed."""
    try:
        return read_order(signed).id
    except Malformed:
        return "unreadable-" + sha256_hex(signed.text.encode())[:16]


def _measure(prober: Prober, order: Order, patient: bool) -> tuple[Measured, ...]:
    probes = [step for step in order.steps if is_probe(step)]
    return tuple(prober.measure_until(each) if patient else prober.measure(each) for each in probes)


def _told(order: Order, outcome: Outcome, steps: tuple[StepDone, ...]) -> Result:
    if order.kind == "undo":
        return UndoResult(order.id, outcome, steps)
    return ApplyResult(order.id, outcome, steps)


def _born(pid: int) -> int:
    """When a process began, in hundredths of a second, which tells it from a later one of the same number."""
    try:
        return int(psutil.Process(pid).create_time() * 100)
    except psutil.Error:
        return 0


def _wait_for(child: tuple[int, int] | None) -> None:
    if child is None:
        return
    until = time.monotonic() + ORPHAN_S_MAX
    while time.monotonic() < until:
        try:
            process = psutil.Process(child[0])
            if int(process.create_time() * 100) != child[1] or process.status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.Error:
            return
        time.sleep(0.1)
