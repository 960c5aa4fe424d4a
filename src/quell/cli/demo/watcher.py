"""Watches the queue over the API and says what happened in it, in one calm line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

PAGE = 200
SHOWN_CHARACTERS = 64
INDENT = "        "
FIX_WORDS = {
    "planned": "the device says what {action} would do there: {effect}",
    "agreed": "somebody has agreed to exactly this plan",
    "applying": "the signed order is on its way to the device",
    "checking": "done; the device checks the signal that had failed",
    "held": "the check has passed: {says}",
    "undone": "it did not help and was put back",
    "failed": "{says}",
    "refused": "refused; nothing ran",
}
FINAL = frozenset({"held", "undone", "failed", "refused"})


@dataclass
class Seen:
    """What was said of a ticket already."""

    sorted: bool = False
    reports: int = 1
    maybe: int | None = None
    status: str = "new"


@dataclass
class Watcher:
    """`tickets` holds the newest tickets that stand alone, as the API shows them."""

    api: httpx.AsyncClient
    say: Callable[[str], None]
    names: Mapping[str, str]
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    fixes: dict[int, dict[str, Any]] = field(default_factory=dict)
    _seen: dict[int, Seen] = field(default_factory=dict)

    async def look(self) -> None:
        """Read the queue once, and say what is new."""
        answer = await self.api.get("/api/v1/tickets", params={"state": "all", "limit": PAGE})
        answer.raise_for_status()
        self.tickets = {each["number"]: each for each in answer.json()["items"]}
        for number in sorted(self.tickets):
            ticket = self.tickets[number]
            self._tell(ticket, self._seen.setdefault(number, Seen()))

    async def look_at_fixes(self, number: int) -> None:
        """Read the fixes of one ticket, and say how they went on."""
        answer = await self.api.get(f"/api/v1/tickets/{number}/fixes")
        answer.raise_for_status()
        for fix in answer.json()["items"]:
            before = self.fixes.get(fix["id"], {}).get("state")
            self.fixes[fix["id"]] = fix
            words = FIX_WORDS.get(fix["state"])
            if fix["state"] != before and words:
                says = words.format(action=fix["action"], effect=effect(fix), says=fix.get("says") or "")
                self.say(f"{INDENT}ticket {number}: {says}")

    @property
    def fixing(self) -> bool:
        """Whether a fix is still under way."""
        return any(each["state"] not in FINAL for each in self.fixes.values())

    def _tell(self, ticket: Mapping[str, Any], seen: Seen) -> None:
        number = ticket["number"]
        if not seen.sorted and ticket["sure"] is not None:
            seen.sorted = True
            self.say(f"{INDENT}ticket {number} “{short(ticket['title'])}”: {self._sorted(ticket)}")
        if ticket["maybe_into"] and ticket["maybe_into"] != seen.maybe:
            self.say(f"{INDENT}ticket {number} looks like ticket {ticket['maybe_into']}: one problem?")
        if ticket["reports"] > seen.reports and not ticket["noise"]:
            self.say(f"{INDENT}ticket {number} “{short(ticket['title'])}” gathers {ticket['reports']} reports now")
        if ticket["status"] != seen.status and ticket["status"] in ("resolved", "closed"):
            self.say(f"{INDENT}ticket {number} “{short(ticket['title'])}” is {ticket['status']}")
        seen.maybe, seen.reports, seen.status = ticket["maybe_into"], ticket["reports"], ticket["status"]

    def _sorted(self, ticket: Mapping[str, Any]) -> str:
        if ticket["noise"]:
            return "nothing to do, put aside"
        words = []
        for name in ("category", "priority", "owner"):
            field_ = ticket[name]
            value = self.names.get(f"{name}:{field_['value']}", field_["value"] or "?")
            sure = f" {field_['confidence']:.0%}" if field_["confidence"] is not None else ""
            words.append(f"{value}{sure}")
        return ", ".join(words) + ("; it asks" if ticket["needs_yes"] else "")


def effect(fix: Mapping[str, Any]) -> str:
    """What a plan would do, in its own words."""
    steps = ((fix.get("plan") or {}).get("plan") or {}).get("steps") or []
    return " ".join(str(each.get("says", "")) for each in steps if isinstance(each, Mapping)) or "nothing"


def short(text: str) -> str:
    """A title that fits into a line."""
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1].rstrip() + "…"
