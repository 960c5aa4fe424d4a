"""An event's hash stands for all of it and for everything before it; its words stay outside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quell.core.errors import Broken
from quell.core.event import BODY_BYTES_MAX, START_HASH, Event, Json, body_text, canonical, content_digest, link

AT = datetime(2025, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
bodies = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts | st.lists(st.integers()), max_size=4)
events = st.builds(
    Event,
    stream=texts,
    seq=st.integers(1, 10**6),
    kind=texts,
    at=st.datetimes(timezones=st.just(UTC)),
    actor=texts,
    body=bodies,
)


@given(events, events, st.binary(min_size=32, max_size=32))
def test_two_events_have_one_hash_only_when_they_are_the_same(first: Event, second: Event, previous: bytes) -> None:
    same = (first.stream, first.seq, first.kind, first.at, first.actor, canonical(first.body)) == (
        (second.stream, second.seq, second.kind, second.at, second.actor, canonical(second.body))
    )
    assert (link(first, previous).hash == link(second, previous).hash) is same


@given(events, st.sampled_from(["stream", "seq", "kind", "at", "actor", "body"]), st.data())
def test_every_column_counts(event: Event, column: str, data: st.DataObject) -> None:
    other = getattr(data.draw(events), column)
    changed = replace(event, **{column: other})
    same = canonical(other) == canonical(event.body) if column == "body" else other == getattr(event, column)
    assert (link(changed, START_HASH).hash == link(event, START_HASH).hash) is same


@given(events)
def test_the_hash_before_counts(event: Event) -> None:
    assert link(event, START_HASH).hash != link(event, b"\1" * 32).hash


def test_the_same_instant_in_another_zone_is_the_same_event() -> None:
    event = Event("ticket:1", 1, "note_added", AT, "account:1", {})
    elsewhere = replace(event, at=AT.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert link(event, START_HASH).hash == link(elsewhere, START_HASH).hash


@given(bodies)
def test_a_body_has_one_spelling(body: dict[str, Json]) -> None:
    assert body_text(body) == body_text(dict(reversed(body.items())))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"share": number})


def test_long_texts_do_not_go_into_events() -> None:
    with pytest.raises(Broken, match="content rows"):
        body_text({"words": "x" * BODY_BYTES_MAX})


def test_without_the_salt_the_digest_tells_nothing_about_the_words() -> None:
    assert content_digest(b"a" * 16, b"yes") != content_digest(b"b" * 16, b"yes")
