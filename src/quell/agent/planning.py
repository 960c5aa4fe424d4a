"""A dry run: what each step would do here and now, exactly, without doing it."""

import os
from dataclasses import dataclass

from quell.agent.files import Wanted, find_files
from quell.agent.home import Home
from quell.agent.names import find_caches
from quell.agent.policy import Policy
from quell.agent.services import Services
from quell.wire.errors import Untrusted
from quell.wire.orders import Order
from quell.wire.results import Plan, PlannedFile, PlannedStep
from quell.wire.steps import (
    Change,
    ClearCache,
    DeleteOldFiles,
    FlushNames,
    PutBackService,
    RestartService,
    StartService,
    Step,
    StopService,
)

UNITS = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))


@dataclass(frozen=True)
class Planner:
    """Plans within a policy; the same state of the device gives the same plan, byte for byte."""

    home: Home
    policy: Policy

    def plan(self, order: Order, as_of_ms: int) -> Plan:
        """The effect of all steps of an order; raises Untrusted when the policy or the device stands against one."""
        self.policy.allow(order.action, [step.kind for step in order.steps])
        steps = tuple(self.plan_step(step, as_of_ms) for step in order.steps)
        return Plan(order.device_id, order.action, order.fix, as_of_ms, steps)

    def plan_step(self, step: Step, as_of_ms: int, was: str = "") -> PlannedStep:
        """The effect of one step; `was` is the state to which a service is put back."""
        if isinstance(step, FlushNames):
            return self._flush(step)
        if isinstance(step, ClearCache):
            return self._clear(step, as_of_ms)
        if isinstance(step, DeleteOldFiles):
            return self._delete(step, as_of_ms)
        if isinstance(step, PutBackService):
            return self._put_back(step, was)
        if isinstance(step, StartService | StopService | RestartService):
            return self._service(step)
        raise Untrusted("malformed", f"{step.kind} changes nothing, so there is nothing to plan")

    def _flush(self, step: FlushNames) -> PlannedStep:
        caches = find_caches(self.policy.dnsmasq_pid_file)
        if not caches:
            raise Untrusted("not_possible", "no cache of names runs on this device")
        says = f"Throw away the names that {' and '.join(each.name for each in caches)} remember; they fill again."
        return PlannedStep(step, says, tuple(each.command for each in caches))

    def _clear(self, step: ClearCache, as_of_ms: int) -> PlannedStep:
        cache = self.policy.cache(step.cache)
        files = find_files(cache.roots, Wanted(cache.pattern, as_of_ms, as_of_ms, step.bytes_max))
        return _deletion(step, files, f"from the cache {step.cache}")

    def _delete(self, step: DeleteOldFiles, as_of_ms: int) -> PlannedStep:
        rules = self.policy.deletion
        age_s = max(step.older_than_s, rules.older_than_s_min)
        disk = mounted_disk(step.mount)
        roots = [root for root in self.roots(step) if disk_of(root) == disk]
        if not roots:
            raise Untrusted("not_listed", f"the device's policy lists no folder on {step.mount}")
        most = min(step.bytes_max, rules.bytes_max)
        files = find_files(roots, Wanted(step.pattern, as_of_ms - age_s * 1000, as_of_ms, most, disk))
        return _deletion(step, files, f"on {step.mount}, unchanged for {_age(age_s)}")

    def roots(self, step: ClearCache | DeleteOldFiles) -> tuple[str, ...]:
        """The folders below which a step may delete; Untrusted (`not_listed`) when there are none."""
        if isinstance(step, ClearCache):
            return self.policy.cache(step.cache).roots
        listed = self.policy.deletion.roots
        if not step.below:
            if not listed:
                raise Untrusted("not_listed", "the device's policy lists no folder for deleting")
            return listed
        if any(step.below == root or step.below.startswith(root + "/") for root in listed):
            return (step.below,)
        raise Untrusted("not_listed", f"{step.below} is below no folder that the device's policy lists")

    def _service(self, step: StartService | StopService | RestartService) -> PlannedStep:
        services = Services(self.policy, self.home.folder)
        verb = step.kind.removesuffix("_service")
        state = services.state(step.service)
        commands = services.commands(verb, step.service, state)
        says = f"{verb.capitalize()} {step.service}, which is {state} now." if commands else _stays(step.service, state)
        return PlannedStep(step, says, commands, state=state, reversible=True)

    def _put_back(self, step: PutBackService, was: str) -> PlannedStep:
        if was not in ("running", "stopped"):
            raise Untrusted("nothing_applied", f"it is not known how {step.service} was before")
        services = Services(self.policy, self.home.folder)
        state = services.state(step.service)
        commands = services.commands("start" if was == "running" else "stop", step.service, state)
        says = f"Bring {step.service} back to {was}; it is {state} now." if commands else _stays(step.service, state)
        return PlannedStep(step, says, commands, state=state, reversible=True)


def mounted_disk(mount: str) -> int:
    """The number of the file system that hangs at `mount`; Untrusted (`not_possible`) when none hangs there."""
    if not os.path.ismount(mount):
        raise Untrusted("not_possible", f"no file system hangs at {mount}")
    return os.stat(mount).st_dev


def disk_of(folder: str) -> int | None:
    """The number of the file system that a folder lies on, None when there is no such folder."""
    try:
        return os.stat(folder).st_dev
    except OSError:
        return None


def in_words(size: int) -> str:
    """A number of bytes for a person."""
    for unit, name in UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _deletion(step: Change, files: tuple[PlannedFile, ...], where: str) -> PlannedStep:
    size = sum(each.bytes for each in files)
    if not files:
        return PlannedStep(step, f"Nothing to delete {where}.")
    noun = "file" if len(files) == 1 else "files"
    says = f"Delete {len(files)} {noun}, {in_words(size)}, {where}. This cannot be undone."
    return PlannedStep(step, says, files=files, bytes=size)


def _stays(service: str, state: str) -> str:
    return f"Nothing to do: {service} is {state} already."


def _age(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds} s"
