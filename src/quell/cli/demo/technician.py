"""The demo's technician: a little after each message he does over the API what the sample says that one would do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from quell.cli.demo.day import Spoken
from quell.cli.demo.watcher import INDENT, Watcher, effect

ACTS_AFTER_S = 6.0
AGREES_AFTER_S = 4.0
CLOSES_AFTER_S = 12.0
GIVES_UP_AFTER_S = 60.0
FIELDS = ("category", "owner", "priority")
PEOPLES = frozenset({"email", "slack", "portal", "whatsapp"})


@dataclass
class Waiting:
    """A message that he will look at, from `due` on."""

    spoken: Spoken
    due: float
    until: float


@dataclass
class Technician:
    """`last` tells for each problem the id of its last message that is played: then it is solved.

    `problems` maps a problem to the ticket that gathers it and `causes` to what it was, in the sample's words;
    `expected` maps a device that is really there to the problem that its agent is about to report.
    """

    api: httpx.AsyncClient
    watcher: Watcher
    say: Callable[[str], None]
    last: dict[str, str]
    waiting: list[Waiting] = field(default_factory=list)
    problems: dict[str, int] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)
    closing: list[tuple[float, str]] = field(default_factory=list)
    agreeing: dict[int, float] = field(default_factory=dict)
    homes: dict[int, dict[str, Any]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    def heard(self, spoken: Spoken, now: float) -> None:
        """A message was played."""
        truth = spoken.truth
        if truth["kind"] not in ("followup", "noise", "resolved"):
            self.waiting.append(Waiting(spoken, now + ACTS_AFTER_S, now + GIVES_UP_AFTER_S))
        problem = truth.get("problem")
        if problem:
            self.causes.setdefault(problem, str(truth.get("why") or ""))
        if problem and self.last.get(problem) == spoken.id:
            self.closing.append((now + CLOSES_AFTER_S, problem))

    def adopt(self, hostname: str, number: int) -> None:
        """A device's own agent has reported: its ticket gathers what people say about the same."""
        if problem := self.expected.pop(hostname, None):
            self.problems.setdefault(problem, number)

    async def work(self, now: float) -> None:
        """Do what is due."""
        for each in [one for one in self.waiting if one.due <= now]:
            if await self._sort(each.spoken) or now > each.until:
                self.waiting.remove(each)
        for due in [one for one in self.closing if one[0] <= now]:
            self.closing.remove(due)
            await self._close(due[1])

    async def mind_fixes(self, number: int, now: float) -> None:
        """Agree to a plan, after one could have read it."""
        for fix in self.watcher.fixes.values():
            if fix["ticket"] != number or fix["state"] != "planned":
                continue
            due = self.agreeing.setdefault(fix["id"], now + AGREES_AFTER_S)
            if now >= due:
                self.say(f"{INDENT}the demo's technician agrees to: {effect(fix)} (plan {fix['plan_hash'][:8]})")
                path = f"/api/v1/tickets/{number}/fixes/{fix['id']}/consent"
                await self.api.post(path, json={"plan_hash": fix["plan_hash"]})
                self.agreeing[fix["id"]] = now + GIVES_UP_AFTER_S

    async def _sort(self, spoken: Spoken) -> bool:
        """Put one message's ticket right; False when it is not there or not sorted yet."""
        number = await self._ticket_of(spoken)
        ticket = self.watcher.tickets.get(number) if number is not None else None
        if number is None or ticket is None or ticket["sure"] is None:
            return False
        self.taken.add(number)
        problem = spoken.truth.get("problem")
        root = self.problems.get(problem) if problem else None
        if root is not None and root != number:
            await self.api.post(f"/api/v1/tickets/{root}/joins", json={"ticket": number})
            return True
        if problem:
            self.problems[problem] = number
        if ticket["maybe_into"] is not None:
            await self.api.delete(f"/api/v1/tickets/{ticket['maybe_into']}/joins/{self.homes[number]['number']}")
        await self._correct(number, ticket, spoken)
        return True

    async def _correct(self, number: int, ticket: dict[str, Any], spoken: Spoken) -> None:
        for name in FIELDS:
            true = spoken.truth.get(name)
            if true and ticket[name]["value"] != true:
                await self.api.put(f"/api/v1/tickets/{number}/{name}", json={"value": true})
        await self.api.post(f"/api/v1/tickets/{number}/acceptance", json={})

    async def _close(self, problem: str) -> None:
        number = self.problems.get(problem)
        if number is None:
            return
        answer = await self.api.post(f"/api/v1/tickets/{number}/closure", json={"solved_by": self.causes[problem]})
        if answer.status_code < 300:
            self.say(f"{INDENT}the demo's technician has solved ticket {number}; everyone who reported it is told")

    async def _ticket_of(self, spoken: Spoken) -> int | None:
        """The ticket that this message opened, by who says it on which channel, or by the alert's fingerprint."""
        for number in sorted(self.watcher.tickets):
            if number not in self.homes:
                await self._learn_home(number)
        open_ones = [number for number in sorted(self.homes) if number not in self.taken]
        return next((number for number in open_ones if is_of(spoken, self.homes[number])), None)

    async def _learn_home(self, number: int) -> None:
        answer = await self.api.get(f"/api/v1/tickets/{number}/reports")
        items: Sequence[dict[str, Any]] = answer.json()["items"] if answer.status_code == 200 else []
        own = next((each for each in items if each["ticket"] == number), None)
        if own is not None:
            self.homes[number] = own


def is_of(spoken: Spoken, report: dict[str, Any]) -> bool:
    """Whether this report is what the message became."""
    fingerprint = spoken.labels.get("fingerprint")
    if fingerprint:
        return bool(report["labels"].get("fingerprint") == fingerprint)
    email = (report["reporter"] or {}).get("email")
    channel = "portal" if spoken.channel == "whatsapp" else spoken.channel
    return bool(email == spoken.row.get("sender") and report["channel"] == channel)
