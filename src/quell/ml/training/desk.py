"""An in-memory desk: open tickets with their members, moved by answers and by corrections."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quell.core.reading import Message, OpenTicket

QUIET_MAX = timedelta(hours=120)


@dataclass
class _Ticket:
    number: int
    members: list[Message]
    category: str | None = None
    owner: str | None = None
    priority: str | None = None
    over: bool = False
    said: set[str] = field(default_factory=set)


class Desk:
    """Keeps tickets by number; a ticket without a member for five days is no longer offered."""

    def __init__(self) -> None:
        """No ticket yet."""
        self._tickets: dict[int, _Ticket] = {}
        self._place: dict[str, int] = {}
        self._next = 1

    def open_tickets(self, at: datetime) -> list[OpenTicket]:
        """What may be joined at that time, by number."""
        return [self._shown(t) for t in self._tickets.values() if t.members and at - t.members[-1].at <= QUIET_MAX]

    def place_of(self, message_id: str) -> int | None:
        """The ticket in which a message now is."""
        return self._place.get(message_id)

    def size(self, number: int) -> int:
        """How many messages a ticket holds."""
        return len(self._tickets[number].members)

    def put(self, message: Message, number: int | None) -> int:
        """Put a message into a ticket, or into a new one (None); gives the ticket's number."""
        self.take_out(message.id)
        if number is None:
            number, self._next = self._next, self._next + 1
            self._tickets[number] = _Ticket(number, [])
        ticket = self._tickets[number]
        ticket.members.append(message)
        ticket.members.sort(key=lambda m: m.at)
        self._place[message.id] = number
        if message.labels:
            ticket.over = message.resolved
        return number

    def merge(self, number: int, into: int) -> None:
        """Move every member of one ticket into another; nothing happens when either is gone."""
        if number in self._tickets and into in self._tickets:
            for message in list(self._tickets[number].members):
                self.put(message, into)

    def take_out(self, message_id: str) -> None:
        """Remove a message from where it is; an emptied ticket is gone."""
        number = self._place.pop(message_id, None)
        if number is not None:
            ticket = self._tickets[number]
            ticket.members = [m for m in ticket.members if m.id != message_id]
            if not ticket.members:
                del self._tickets[number]

    def set_fields(
        self, number: int, category: str | None, owner: str | None, priority: str | None, by_person: bool
    ) -> None:
        """Set what is given; a person's value is marked as such."""
        ticket = self._tickets[number]
        for name, value in (("category", category), ("owner", owner), ("priority", priority)):
            if value is not None and (by_person or name not in ticket.said):
                setattr(ticket, name, value)
                ticket.said |= {name} if by_person else set()

    def _shown(self, ticket: _Ticket) -> OpenTicket:
        believed = {name: name not in ticket.said for name in ("category", "owner", "priority")}
        return OpenTicket(
            ticket.number,
            ticket.members[0].at,
            tuple(ticket.members),
            ticket.category,
            ticket.owner,
            ticket.priority,
            ticket.over,
            believed,
        )
