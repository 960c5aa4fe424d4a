"""Doing what was planned, one step at a time, and telling honestly what came of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from quell.agent.commands import Ran, run_command
from quell.agent.files import delete_files, missing_files
from quell.agent.names import hang_up, is_signal
from quell.agent.planning import Planner, in_words
from quell.agent.services import Services
from quell.wire.results import OUTPUT_CHARACTERS_MAX, PlannedStep, StepDone
from quell.wire.steps import (
    ClearCache,
    DeleteOldFiles,
    PutBackService,
    RestartService,
    StartService,
    StopService,
)

COMMAND_S_MAX = 60
PROBLEMS_SHOWN = 5


@dataclass(frozen=True)
class Hand:
    """Does planned steps; `started` hears the number of each process before anybody waits for it."""

    planner: Planner
    started: Callable[[int], None]

    def do(self, planned: PlannedStep, was: str = "") -> StepDone:
        """Do one step; what goes wrong stands in the result. `was` is the state to which a service is put back."""
        began = time.monotonic()
        if isinstance(planned.step, ClearCache | DeleteOldFiles):
            return self._delete(planned, planned.step, began)
        if isinstance(planned.step, StartService | StopService | RestartService | PutBackService):
            return self._service(planned, planned.step.service, _wanted(planned, was), began)
        return self._flush(planned, began)

    def observe(self, planned: PlannedStep) -> StepDone:
        """After an interruption: what can be seen of a step that was begun, without doing anything."""
        if isinstance(planned.step, ClearCache | DeleteOldFiles):
            gone = missing_files(planned.files)
            says = f"Interrupted; {gone} of {len(planned.files)} files are gone."
            return StepDone(planned.step, None, says, files=gone)
        if isinstance(planned.step, StartService | StopService | RestartService | PutBackService):
            state = Services(self.planner.policy, self.planner.home.folder).state(planned.step.service)
            return StepDone(planned.step, None, f"Interrupted; {planned.step.service} is {state} now.")
        return StepDone(planned.step, None, "Interrupted; it cannot be seen how far it came.")

    def _delete(self, planned: PlannedStep, step: ClearCache | DeleteOldFiles, began: float) -> StepDone:
        deleted = delete_files(self.planner.roots(step), planned.files)
        says = f"Deleted {deleted.files} of {len(planned.files)} files, {in_words(deleted.bytes)}."
        shown = "\n".join(deleted.problems[:PROBLEMS_SHOWN])[:OUTPUT_CHARACTERS_MAX]
        done = deleted.files > 0 or not planned.files
        return StepDone(step, done, says, shown, deleted.bytes, deleted.files, _ms(began))

    def _service(self, planned: PlannedStep, service: str, wanted: str, began: float) -> StepDone:
        services = Services(self.planner.policy, self.planner.home.folder)
        timeout_s = self.planner.policy.service(service).timeout_s
        said = []
        for index, command in enumerate(planned.commands):
            ran = run_command(command, timeout_s, self.planner.home.output, self.started)
            said.append(ran.output)
            if not ran.ok:
                return _failed(planned, ran, "\n".join(said), began)
            # Between stop and start the old one must be gone, or the new one finds its place taken.
            if index + 1 < len(planned.commands):
                services.settle(service, "stopped")
        state = services.settle(service, wanted)
        done = state == wanted
        says = f"{service} is {state} now." if done else f"{service} is {state}, and should be {wanted}."
        return StepDone(planned.step, done, says, "\n".join(said)[:OUTPUT_CHARACTERS_MAX], took_ms=_ms(began))

    def _flush(self, planned: PlannedStep, began: float) -> StepDone:
        said = []
        for command in planned.commands:
            if is_signal(command):
                problem = hang_up(command[1], command[2])
                if problem:
                    return StepDone(planned.step, False, problem, took_ms=_ms(began))
                continue
            ran = run_command(command, COMMAND_S_MAX, self.planner.home.output, self.started)
            said.append(ran.output)
            if not ran.ok:
                return _failed(planned, ran, "\n".join(said), began)
        return StepDone(planned.step, True, "The remembered names are gone.", "\n".join(said), took_ms=_ms(began))


def _failed(planned: PlannedStep, ran: Ran, output: str, began: float) -> StepDone:
    says = f"The command {ran.problem}." if ran.problem else f"The command ended with status {ran.code}."
    return StepDone(planned.step, False, says, output[:OUTPUT_CHARACTERS_MAX], took_ms=_ms(began))


def _wanted(planned: PlannedStep, was: str) -> str:
    if isinstance(planned.step, PutBackService):
        return was
    return "stopped" if isinstance(planned.step, StopService) else "running"


def _ms(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
