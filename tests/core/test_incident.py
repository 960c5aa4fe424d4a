"""Joining points and never copies: whatever was joined and undone in between, everyone is as if left alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from quell.core.errors import Refused
from quell.core.event import Event, Json
from quell.core.incident import Gathered, check_join, gather, root_of
from quell.core.priority import IMPACTS, LEVELS, URGENCIES, Crowd
from quell.core.ticket import OPEN_STATUSES, Status, Ticket, fold

START = datetime(2025, 5, 4, 8, tzinfo=UTC)
OVERLAY = {"ticket_joined", "ticket_left", "member_joined", "member_left", "ticket_stirred"}
TICKETS = 5


@dataclass
class Log:
    """Every ticket's events, as the verbs of the rooms write them, and nothing else: no state is kept beside them."""

    events: dict[int, list[Event]] = field(default_factory=dict)

    def say(self, number: int, kind: str, body: Mapping[str, Json]) -> None:
        """Write one event."""
        log = self.events.setdefault(number, [])
        at = START + timedelta(minutes=sum(map(len, self.events.values())))
        log.append(Event(f"ticket:{number}", len(log) + 1, kind, at, "account:1", body))

    def ticket(self, number: int) -> Ticket:
        """One ticket as it is now."""
        return fold(self.events[number])

    def alone(self, number: int) -> Ticket:
        """The ticket as it would be if nobody had ever joined anything."""
        own = [event for event in self.events[number] if event.kind not in OVERLAY]
        return fold(replace(event, seq=seq) for seq, event in enumerate(own, 1))

    def pointers(self) -> dict[int, int | None]:
        """Who is joined to whom."""
        return {number: self.ticket(number).joined_to for number in self.events}

    def members(self, root: int) -> list[Ticket]:
        """All that count to a root, without itself."""
        up = self.pointers()
        return [self.ticket(each) for each in self.events if each != root and root_of(each, up) == root]

    def above(self, number: int) -> list[int]:
        """What a ticket is joined to, the nearest first."""
        up, found = self.pointers(), []
        while (parent := up[number]) is not None:
            found.append(parent)
            number = parent
        return found

    def below(self, top: int) -> list[int]:
        """A ticket and all that is joined below it."""
        up = self.pointers()
        found = [top]
        for each in found:
            found += [number for number, parent in up.items() if parent == each]
        return found

    def shown(self, root: int) -> Gathered:
        """What a ticket shows with those who joined it: every ticket was reported by somebody else at another site."""
        members = self.members(root)
        real = [each for each in (self.ticket(root), *members) if not each.noise]
        return gather(self.ticket(root), members, Crowd(max(1, len(real)), len(real), 0, len(real)))

    def join(self, child: int, parent: int) -> None:
        """Point one ticket to another; Refused where that may not be."""
        child_now, parent_now = self.ticket(child), self.ticket(parent)
        check_join(child_now, parent_now)
        self.say(child, "ticket_joined", {"into": parent, "strength": 0.8})
        self.say(parent, "member_joined", {"ticket": child})
        if parent_now.status not in OPEN_STATUSES and child_now.is_open:
            self.say(parent, "ticket_stirred", {"by_ticket": child})

    def leave(self, child: int) -> None:
        """Undo a join: the whole subtree goes, and what it had stirred goes with it."""
        above, leaving = self.above(child), self.below(child)
        self.say(child, "ticket_left", {})
        for each in above:
            self.say(each, "member_left", {"ticket": child, "tickets": [*leaving]})

    def reply(self, number: int) -> None:
        """The reporter of one ticket writes again: on his own ticket first, and what ended above comes to life."""
        self.say(number, "reporter_replied", {"message": 1})
        if self.ticket(number).status not in OPEN_STATUSES:
            self.say(number, "ticket_reopened", {"why": "the reporter wrote again"})
        for each in self.above(number):
            if self.ticket(each).status not in OPEN_STATUSES:
                self.say(each, "ticket_stirred", {"by_ticket": number})


def without_version(ticket: Ticket) -> Ticket:
    """The ticket, however many events it took."""
    return replace(ticket, version=0)


class Joins(RuleBasedStateMachine):
    """Any interleaving of joins, joins of joins, undos, replies and work on single tickets."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        """Begin with an empty log."""
        super().__init__()
        self.log = Log()

    @initialize(
        target=tickets,
        made=st.lists(
            st.tuples(st.sampled_from(IMPACTS), st.sampled_from(URGENCIES), st.sampled_from(LEVELS)),
            min_size=TICKETS,
            max_size=TICKETS,
        ),
    )
    def open_tickets(self, made: list[tuple[str, str, str]]) -> object:
        """Open the tickets and let the model say how urgent each is."""
        for number, (impact, urgency, level) in enumerate(made, 1):
            self.log.say(number, "ticket_opened", {"ticket": number, "report": number, "organisation": "default"})
            self.log.say(number, "ticket_assessed", {"impact": impact, "urgency": urgency})
            self.log.say(number, "field_set", {"field": "priority", "value": level, "by": "model"})
        return multiple(*range(1, TICKETS + 1))

    @rule(child=tickets, parent=tickets)
    def join(self, child: int, parent: int) -> None:
        """Join where it may be."""
        try:
            self.log.join(child, parent)
        except Refused as refused:
            assert refused.status == 409

    @precondition(lambda self: any(self.log.pointers().values()))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Undo one join; what this ticket alone had raised goes with it."""
        up = self.log.pointers()
        child = data.draw(st.sampled_from([number for number, parent in up.items() if parent is not None]))
        root, above, leaving = root_of(child, up), self.log.above(child), set(self.log.below(child))
        before = [each.number for each in self.log.members(root)]
        self.log.leave(child)
        assert {each.number for each in self.log.members(root)} == set(before) - leaving
        assert not any(self.log.ticket(each).stirred_by & leaving for each in above)
        assert root_of(child, self.log.pointers()) == child

    @rule(number=tickets)
    def reply(self, number: int) -> None:
        """A later reply stands on the ticket of its own report, wherever that counts; the root comes to life."""
        before = {each: list(events) for each, events in self.log.events.items()}
        self.log.reply(number)
        above = self.log.above(number)
        root = root_of(number, self.log.pointers())
        grown = {each for each in before if before[each] != self.log.events[each]}
        assert number in grown and grown <= {number, *above}
        assert self.log.ticket(root).status_shown in OPEN_STATUSES

    @rule(number=tickets, level=st.sampled_from(LEVELS), by=st.sampled_from(["model", "rule", "person"]))
    def set_priority(self, number: int, level: str, by: str) -> None:
        """Somebody works on one ticket."""
        self.log.say(number, "field_set", {"field": "priority", "value": level, "by": by})

    @rule(number=tickets, noise=st.booleans())
    def set_noise(self, number: int, noise: bool) -> None:
        """Somebody says that it is nothing, or something after all."""
        self.log.say(number, "noise_set", {"noise": noise})

    @precondition(lambda self: self.log.events)
    @rule(number=tickets)
    def end(self, number: int) -> None:
        """It is resolved."""
        if self.log.ticket(number).status_shown in OPEN_STATUSES:
            self.log.say(number, "ticket_resolved", {"proof": "assumed"})

    @invariant()
    def nobody_is_lost_or_counted_twice(self) -> None:
        """Every ticket counts to exactly one root, and a root is joined to nobody."""
        up = self.log.pointers()
        counted = [each for number in up if up[number] is None for each in (number, *self._numbers(number))]
        assert sorted(counted) == sorted(self.log.events)

    @invariant()
    def joining_only_ever_raises(self) -> None:
        """With its members a ticket is as urgent as alone or more so, and a person's word stays."""
        for number, parent in self.log.pointers().items():
            if parent is not None:
                continue
            own, shown = self.log.ticket(number), self.log.shown(number)
            mine = own.value("priority")
            if mine is not None and shown.fields["priority"].value != mine:
                assert own.fields["priority"].by.name != "PERSON"
                assert str(shown.fields["priority"].value) < mine

    def teardown(self) -> None:
        """Undoing all joins, in whatever order they stand, gives each ticket back as it would have been alone."""
        while joined := [number for number, parent in self.log.pointers().items() if parent is not None]:
            self.log.leave(joined[len(self.log.events[joined[0]]) % len(joined)])
        for number in self.log.events:
            alone = self.log.alone(number)
            assert without_version(self.log.ticket(number)) == without_version(alone)
            assert self.log.shown(number) == gather(
                alone, (), Crowd(1, 0 if alone.noise else 1, 0, int(not alone.noise))
            )

    def _numbers(self, root: int) -> list[int]:
        return [each.number for each in self.log.members(root)]


TestJoins = Joins.TestCase
TestJoins.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def three() -> Log:
    """Three tickets of P3 that one person each reported."""
    log = Log()
    for number in (1, 2, 3):
        log.say(number, "ticket_opened", {"ticket": number, "report": number, "organisation": "default"})
        log.say(number, "field_set", {"field": "priority", "value": "P3", "by": "model"})
    return log


def test_leaving_takes_back_what_that_report_alone_had_raised() -> None:
    log = three()
    log.say(2, "field_set", {"field": "priority", "value": "P1", "by": "rule"})
    log.join(3, 1)
    with_three = log.shown(1)
    log.join(2, 1)
    raised = log.shown(1).fields["priority"]
    assert raised.value == "P1" and raised.reasons[0].says == "ticket 2, joined here, is P1"
    log.leave(2)
    assert log.shown(1).fields["priority"].value == with_three.fields["priority"].value
    assert log.ticket(2).value("priority") == "P1"


def test_a_persons_priority_stays_and_the_other_is_shown_beside_it() -> None:
    log = three()
    log.say(1, "field_set", {"field": "priority", "value": "P4", "by": "person"})
    log.say(2, "ticket_assessed", {"impact": "company", "urgency": "high"})
    log.join(2, 1)
    shown = log.shown(1)
    assert shown.fields["priority"].value == "P4"
    assert shown.other is not None and shown.other.value == "P1"


def test_a_reply_below_brings_the_ended_root_to_life_until_that_ticket_leaves() -> None:
    log = three()
    log.join(3, 2)
    log.join(2, 1)
    log.say(1, "ticket_resolved", {"proof": "assumed"})
    log.reply(3)
    assert log.ticket(1).status_shown is Status.OPEN and log.ticket(1).closure is not None
    assert log.ticket(2).status is Status.NEW
    log.leave(2)
    assert log.ticket(1).status_shown is Status.RESOLVED
    assert root_of(3, log.pointers()) == 2


def test_noise_that_was_joined_raises_nothing() -> None:
    log = three()
    log.say(2, "field_set", {"field": "priority", "value": "P1", "by": "rule"})
    log.say(2, "noise_set", {"noise": True})
    log.join(2, 1)
    assert log.shown(1).fields["priority"].value == "P3"


@pytest.mark.parametrize(
    ("child", "parent", "code"),
    [
        ({"number": 1}, {"number": 1}, "join_to_itself"),
        ({"number": 1, "joined_to": 3}, {"number": 2}, "joined_already"),
        ({"number": 1}, {"number": 2, "joined_to": 3}, "joined_already"),
        ({"number": 1}, {"number": 2, "organisation": "other"}, "other_organisation"),
    ],
)
def test_what_may_not_be_joined_is_refused(child: dict[str, object], parent: dict[str, object], code: str) -> None:
    plain = Ticket(0, "default", 1, START)
    with pytest.raises(Refused) as refused:
        check_join(replace(plain, **child), replace(plain, **parent))  # type: ignore[arg-type]
    assert refused.value.code == code


@given(st.dictionaries(st.integers(1, 6), st.none() | st.integers(1, 6), max_size=6), st.integers(1, 6))
def test_a_ring_of_pointers_never_hangs(up: dict[int, int | None], number: int) -> None:
    assert root_of(number, up) in {number, *up.values()}
