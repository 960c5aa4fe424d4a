"""What the pages ask of the rooms: every verb once, as a Protocol that the wiring fulfils."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from quell.core.incoming import Attachment
from quell.journey.spoken import Address, Done, Enrolment, Loaded, Reported, Reporter, Seen, Who

__all__ = ["Address", "Desk", "Done", "Enrolment", "Loaded", "Reported", "Reporter", "Seen", "Who"]


class Desk(Protocol):
    """Every verb is one transaction. It raises Refused: 403 not allowed, 404 unknown, 409 somebody was faster."""

    async def accept(self, who: Who, tickets: Sequence[Seen]) -> Done:
        """Say yes to all open proposals of these tickets; one undo takes all of it back."""

    async def correct(self, who: Who, tickets: Sequence[Seen], values: Mapping[str, str | None], why: str = "") -> Done:
        """Set `category`, `owner` or `priority` (keys of the live lists, None clears) by a person's word; one undo."""

    async def join(self, who: Who, tickets: Sequence[Seen], into: int) -> Done:
        """Let every report of these tickets point to the ticket `into`; one undo."""

    async def take_out(self, who: Who, ticket: int, report: int) -> Done:
        """Not this one: the report leaves and stands alone again; `Done.ticket` is where it is now."""

    async def put_back(self, who: Who, ticket: int, report: int) -> Done:
        """The report that was taken out of this ticket points to it again."""

    async def keep(self, who: Who, ticket: int, report: int) -> Done:
        """Same: a join that waited for a person's word is right."""

    async def reply(self, who: Who, ticket: int, text: str, reports: Sequence[int] = ()) -> Done:
        """Answer these reports (none named: all of the ticket), each reporter once, on the channel where he wrote."""

    async def note(self, who: Who, ticket: int, text: str) -> Done:
        """Write a private note that only technicians see."""

    async def close(self, who: Who, tickets: Sequence[Seen], solved_by: str = "") -> Done:
        """Record what solved it and tell every reporter once."""

    async def reopen(self, who: Who, ticket: int, why: str = "") -> Done:
        """Take the closure back."""

    async def undo(self, who: Who, token: str) -> Done:
        """Take back what `Done.undo` named; refused (409) when later work stands on it."""

    async def plan_fix(self, who: Who, ticket: int, device: str, action: str, params: Mapping[str, str]) -> Done:
        """Ask the device what this action would do there; the plan appears on the ticket."""

    async def consent(self, who: Who, fix: int, plan_hash: str) -> Done:
        """Approve exactly the plan with this hash."""

    async def refuse(self, who: Who, fix: int, why: str = "") -> Done:
        """Refuse the plan; nothing runs."""

    async def report(
        self, reporter: Reporter, text: str, subject: str = "", device: str = "", files: Sequence[Attachment] = ()
    ) -> Reported:
        """Take a report from the portal; stored before this returns, triaged by the queue."""

    async def answer(self, report: int, text: str, solved: bool | None = None) -> Done:
        """The reporter writes again on his own report; `solved` answers "is it solved?"."""

    async def load_company(self, who: Who, raw: bytes) -> Loaded:
        """Read `company.json`; Refused carries every fault with its place, and nothing was loaded."""

    async def add_channel(self, who: Who, name: str, settings: Mapping[str, str]) -> Address:
        """Switch a channel on with these settings."""

    async def enrol(self, who: Who) -> Enrolment:
        """Make a single-use token for one device."""
