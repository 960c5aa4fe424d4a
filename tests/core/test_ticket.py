"""A ticket is what its events make of it: the moves it may make, who may set a field, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quell.core.errors import Broken, Refused
from quell.core.event import Event, Json
from quell.core.ticket import MOVES, OPEN_STATUSES, FieldValue, SetBy, Status, Ticket, apply, check_move, fold, may_set

START = datetime(2025, 5, 4, 8, tzinfo=UTC)
OPENED: tuple[str, dict[str, Json]] = ("ticket_opened", {"ticket": 1, "report": 7, "organisation": "default"})
Said = tuple[str, dict[str, Json]]


def events(*said: Said, actor: str = "account:1") -> list[Event]:
    """An opening and what follows it, a minute apart."""
    return [
        Event("ticket:1", number, kind, START + timedelta(minutes=number), actor, body)
        for number, (kind, body) in enumerate((OPENED, *said), 1)
    ]


def ticket(*said: Said) -> Ticket:
    return fold(events(*said))


def set_by(by: str, value: str | None, name: str = "category") -> Said:
    return "field_set", {"field": name, "value": value, "by": by}


some_value = st.none() | st.sampled_from(["mail", "vpn", "printer"])
some_field = st.sampled_from(["category", "owner", "assignee", "priority"])
some_said = st.one_of(
    st.builds(
        lambda by, value, name: set_by(by, value, name),
        st.sampled_from(["model", "rule", "person"]),
        some_value,
        some_field,
    ),
    st.builds(
        lambda name, value: ("proposal_made", {"field": name, "value": value, "by": "model"}), some_field, some_value
    ),
    st.builds(lambda name: ("proposal_rejected", {"field": name}), some_field),
    st.builds(lambda name: ("field_released", {"field": name}), some_field),
    st.builds(lambda status: ("ticket_moved", {"status": status}), st.sampled_from(["open", "waiting"])),
    st.just(("ticket_resolved", {"proof": "verified"})),
    st.just(("ticket_closed", {})),
    st.just(("ticket_reopened", {})),
    st.just(("reporter_replied", {"message": 3})),
    st.just(("answer_sent", {"message": 3})),
    st.builds(lambda number: ("ticket_stirred", {"by_ticket": number}), st.integers(2, 4)),
    st.builds(lambda number: ("member_left", {"tickets": [number]}), st.integers(2, 4)),
    st.builds(lambda into: ("ticket_joined", {"into": into, "strength": 0.9}), st.integers(2, 4)),
    st.just(("ticket_left", {})),
    st.builds(lambda noise: ("noise_set", {"noise": noise}), st.booleans()),
    st.just(("note_added", {"message": 3})),
)


@given(st.lists(some_said, max_size=25), st.data())
def test_folding_in_two_steps_is_folding_in_one(said: list[Said], data: st.DataObject) -> None:
    log = events(*said)
    cut = data.draw(st.integers(1, len(log)))
    whole = fold(log)
    assert fold(log[cut:], fold(log[:cut])) == whole
    assert whole.version == len(log)


@given(st.lists(some_said, max_size=25))
def test_a_greater_word_is_never_overwritten_by_a_lesser(said: list[Said]) -> None:
    state: Ticket | None = None
    for event in events(*said):
        before, state = state, apply(state, event)
        if before is None or event.kind == "field_released":
            continue
        for name, value in before.fields.items():
            assert state.fields[name] == value or state.fields[name].by >= value.by


@given(st.lists(some_said, max_size=25))
def test_only_an_ended_ticket_is_stirred_and_then_it_counts_as_open(said: list[Said]) -> None:
    state = ticket(*said)
    assert not state.stirred_by or state.status not in OPEN_STATUSES
    assert state.status_shown == (Status.OPEN if state.stirred_by else state.status)
    assert state.is_open == (state.status_shown in OPEN_STATUSES and not state.noise)
    assert (state.closure is None) or state.status not in OPEN_STATUSES


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_a_move_that_is_not_in_the_table_is_refused(before: Status, after: Status) -> None:
    state = replace(ticket(), status=before)
    if after in MOVES[before]:
        check_move(state, after)
    else:
        with pytest.raises(Refused, match=f"{before} cannot become {after}") as refused:
            check_move(state, after)
        assert refused.value.status == 409


def test_every_status_has_a_way_out_and_nothing_becomes_what_it_is() -> None:
    assert set(MOVES) == set(Status)
    assert all(MOVES[status] and status not in MOVES[status] for status in Status)
    assert Status.NEW not in set().union(*MOVES.values())


def test_the_model_fills_the_rule_corrects_and_the_person_has_the_last_word() -> None:
    said = [set_by("model", "mail"), set_by("rule", "vpn"), set_by("model", "printer"), set_by("person", "mail")]
    values = [ticket(*said[:count]).value("category") for count in range(1, 5)]
    assert values == ["mail", "vpn", "vpn", "mail"]
    again = ticket(*said, set_by("rule", "printer"))
    assert again.value("category") == "mail" and again.fields["category"].by is SetBy.PERSON
    assert again.opinions["category"].value == "printer", "the other opinion is shown, not lost"


def test_a_person_may_change_the_mind_and_may_empty_a_field() -> None:
    assert ticket(set_by("person", "mail"), set_by("person", None)).value("category") is None
    kept = ticket(set_by("person", None), set_by("model", "mail"))
    assert kept.value("category") is None and kept.fields["category"].by is SetBy.PERSON


def test_a_released_field_may_be_filled_by_the_model_again() -> None:
    state = ticket(set_by("person", "mail"), ("field_released", {"field": "category"}), set_by("model", "vpn"))
    assert state.value("category") == "vpn" and may_set(state, "category", SetBy.MODEL)


def test_a_guess_is_believed_only_while_nothing_is_in_force() -> None:
    guess: Said = ("proposal_made", {"field": "owner", "value": "desk", "by": "model", "confidence": 0.6})
    alone = ticket(guess)
    assert alone.value("owner") is None
    believed = alone.believed("owner")
    assert believed is not None and (believed.value, believed.confidence) == ("desk", 0.6)
    over = ticket(guess, set_by("person", "network", "owner")).believed("owner")
    assert isinstance(over, FieldValue) and over.value == "network"
    assert ticket(guess, ("proposal_rejected", {"field": "owner"})).believed("owner") is None
    assert "owner" not in ticket(set_by("person", "desk", "owner"), guess).opinions, "agreeing is no other opinion"


def test_an_ended_ticket_knows_what_ended_it_until_it_is_reopened() -> None:
    ended = ticket(("ticket_resolved", {"proof": "verified", "fix": 12}))
    assert ended.status is Status.RESOLVED and ended.closure is not None
    assert (ended.closure.by, ended.closure.proof, ended.closure.fix) == ("account:1", "verified", 12)
    closed = ticket(("ticket_resolved", {"proof": "assumed"}), ("ticket_closed", {}))
    assert closed.status is Status.CLOSED and closed.closure is not None and not closed.is_open
    again = ticket(("ticket_resolved", {"proof": "assumed"}), ("ticket_reopened", {}))
    assert again.status is Status.OPEN and again.closure is None


def test_a_reply_ends_the_wait_for_the_reporter() -> None:
    waiting = ticket(("ticket_moved", {"status": "waiting"}))
    assert waiting.waiting_since == START + timedelta(minutes=2)
    heard = ticket(("ticket_moved", {"status": "waiting"}), ("reporter_replied", {"message": 1}))
    assert heard.status is Status.OPEN and heard.waiting_since is None


def test_only_the_first_answer_is_the_first() -> None:
    said: Said = ("answer_sent", {"message": 1})
    assert ticket(said, said).first_answer == START + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ([], "no event"),
        (events(("note_added", {}))[1:], "before it was opened"),
        ([*events(), events()[0]], "opened twice"),
        (events(("note_added", {}), ("note_added", {}))[::2], "lacks the event 2"),
        (events(("sold", {})), "unknown kind 'sold'"),
    ],
)
def test_a_log_that_cannot_be_read_is_loud(log: list[Event], says: str) -> None:
    with pytest.raises(Broken, match=says):
        fold(log)
