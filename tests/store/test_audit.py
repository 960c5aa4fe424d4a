"""Whoever changes, deletes, adds, moves, cuts or rewrites a row of the log by SQL is found, with the place."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from quell.core.event import Event, link
from quell.core.incoming import Party
from quell.core.merkle import bucket_of
from quell.store import chain, people, tickets
from quell.store.change import Store
from quell.store.checkpoint_form import from_line, to_line

pytestmark = pytest.mark.tampers
Make = Callable[..., Awaitable[tuple[int, int]]]


@pytest.fixture
async def log(store: Store, report: Make, witness: Any, clock: Any) -> int:
    """Three reports with tickets, two checkpoints, and an event after them; the number of a ticket with six events."""
    await report("bob@brook.example", "printer jams")
    _, number = await report()
    await report("eve@brook.example", "vpn drops")
    await note(store, number, 3)
    await witness.make()
    clock.turn(60)
    await note(store, number, 1)
    await witness.make()
    await note(store, number, 1)
    return number


async def note(store: Store, number: int, times: int) -> None:
    """Let something happen to a ticket."""
    for _ in range(times):
        async with store.change() as change:
            await tickets.record(change, number, "note_added", "account:1", {"message": 1})


async def sql(store: Store, order: str, **values: object) -> None:
    """What an attacker with the database's password types."""
    async with store.engine.begin() as connection:
        assert (await connection.execute(text(order), values)).rowcount > 0


async def rewrite(store: Store, number: int, seq: int) -> None:
    """Change one event and write the whole chain behind it anew, with right hashes and a right end."""
    async with store.engine.begin() as connection:
        events = await chain.read_stream(connection, f"ticket:{number}")
        previous = b"\0" * 32
        for each in events:
            body = {**each.body, "message": 99} if each.seq == seq else each.body
            made = link(Event(each.stream, each.seq, each.kind, each.at, each.actor, body), previous)
            order = "UPDATE event SET body = :body, previous = :previous, hash = :hash WHERE stream = :s AND seq = :q"
            values = {"body": made.text, "previous": previous, "hash": made.hash, "s": each.stream, "q": each.seq}
            await connection.execute(text(order), values)
            previous = made.hash
        order = "UPDATE chain_head SET hash = :hash WHERE stream = :s"
        await connection.execute(text(order), {"hash": previous, "s": f"ticket:{number}"})


async def test_an_untouched_log_is_true(witness: Any, log: int) -> None:
    found = await witness.audit()
    assert found.findings == []
    # Three people, reports and tickets: known; made and one message; opened; and five notes.
    assert (found.events, found.streams, found.checkpoints, found.erased) == (3 + 6 + 3 + 5, 9, 2, 0)


async def test_one_changed_byte_names_the_ticket_and_the_event(store: Store, witness: Any, log: int) -> None:
    order = "UPDATE event SET body = overlay(body placing '2' from position('1' in body) for 1)"
    await sql(store, order + " WHERE stream = :s AND seq = 3", s=f"ticket:{log}")
    assert await witness.findings() == [f"ticket {log}, event 3: it was changed after it was written"]


@pytest.mark.parametrize("column", ["kind = 'answer_sent'", "actor = 'account:2'", "at = at + interval '1 s'"])
async def test_every_column_that_is_read_is_guarded(store: Store, witness: Any, log: int, column: str) -> None:
    await sql(store, f"UPDATE event SET {column} WHERE stream = :s AND seq = 6", s=f"ticket:{log}")
    assert await witness.findings() == [f"ticket {log}, event 6: it was changed after it was written"]


async def test_a_deleted_row_is_missed(store: Store, witness: Any, log: int) -> None:
    await sql(store, "DELETE FROM event WHERE stream = :s AND seq = 3", s=f"ticket:{log}")
    assert await witness.findings() == [f"ticket {log}: event 3 is missing"]


async def test_a_row_deleted_and_the_rest_moved_up_is_found(store: Store, witness: Any, log: int) -> None:
    await sql(store, "DELETE FROM event WHERE stream = :s AND seq = 2", s=f"ticket:{log}")
    for seq in (3, 4, 5, 6):
        await sql(store, "UPDATE event SET seq = seq - 1 WHERE stream = :s AND seq = :q", s=f"ticket:{log}", q=seq)
    await sql(store, "UPDATE chain_head SET seq = 5 WHERE stream = :s", s=f"ticket:{log}")
    found = await witness.findings()
    assert (
        f"ticket {log}, event 2: it does not follow the event before it: one of the two was exchanged or moved" in found
    )


async def test_an_inserted_row_is_found(store: Store, witness: Any, log: int) -> None:
    order = (
        "INSERT INTO event (stream, seq, kind, at, actor, body, previous, hash)"
        " SELECT stream, 7, kind, at, actor, body, hash, :hash FROM event WHERE stream = :s AND seq = 6"
    )
    await sql(store, order, s=f"ticket:{log}", hash=b"\1" * 32)
    assert await witness.findings() == [
        f"ticket {log}, event 7: it was changed after it was written",
        f"ticket {log}, event 7: it was added: the chain ends at event 6",
    ]


async def test_an_inserted_row_with_a_right_hash_is_found(store: Store, witness: Any, log: int) -> None:
    async with store.engine.begin() as connection:
        last = (await chain.read_stream(connection, f"ticket:{log}"))[-1]
        query = text("SELECT hash FROM event WHERE stream = :s AND seq = 6")
        previous = (await connection.execute(query, {"s": last.stream})).scalar_one()
    made = link(Event(last.stream, 7, "ticket_closed", last.at, "account:1", {}), previous)
    order = (
        "INSERT INTO event (stream, seq, kind, at, actor, body, previous, hash)"
        " VALUES (:s, 7, 'ticket_closed', :at, 'account:1', '{}', :previous, :hash)"
    )
    await sql(store, order, s=last.stream, at=last.at, previous=previous, hash=made.hash)
    assert await witness.findings() == [f"ticket {log}, event 7: it was added: the chain ends at event 6"]


async def test_two_rows_that_changed_places_are_found(store: Store, witness: Any, log: int) -> None:
    for before, after in ((2, 100), (3, 2), (100, 3)):
        order = "UPDATE event SET seq = :after WHERE stream = :s AND seq = :before"
        await sql(store, order, s=f"ticket:{log}", before=before, after=after)
    found = await witness.findings()
    assert f"ticket {log}, event 2: it was changed after it was written" in found
    assert f"ticket {log}, event 3: it was written before the event that it follows: the rows were reordered" in found


async def test_rows_that_a_reader_meets_in_another_order_are_found(store: Store, witness: Any, log: int) -> None:
    order = "SELECT id FROM event WHERE stream = :s AND seq = :q"
    async with store.read() as connection:
        ids = [(await connection.execute(text(order), {"s": f"ticket:{log}", "q": seq})).scalar_one() for seq in (2, 3)]
    for before, after in ((ids[0], 9999), (ids[1], ids[0]), (9999, ids[1])):
        await sql(store, "UPDATE event SET id = :after WHERE id = :before", before=before, after=after)
    says = "it was written before the event that it follows: the rows were reordered"
    assert await witness.findings() == [f"ticket {log}, event 3: {says}"]


async def test_a_chain_cut_at_its_end_is_found(store: Store, witness: Any, log: int) -> None:
    await sql(store, "DELETE FROM event WHERE stream = :s AND seq = 6", s=f"ticket:{log}")
    says = "it is cut at its end: 6 events were written, 5 are left"
    assert await witness.findings() == [f"ticket {log}: {says}"]


async def test_a_chain_cut_at_its_end_together_with_its_head_is_found_below_a_checkpoint(
    store: Store, witness: Any, log: int
) -> None:
    await sql(store, "DELETE FROM event WHERE stream = :s AND seq >= 5", s=f"ticket:{log}")
    order = "UPDATE chain_head SET (seq, hash) = (SELECT seq, hash FROM event WHERE stream = :s AND seq = 4)"
    await sql(store, order + " WHERE stream = :s", s=f"ticket:{log}")
    assert await witness.findings() == [f"ticket {log}, event 5: it is gone; checkpoint 2 saw it"]


async def test_a_whole_stream_that_is_gone_is_found(store: Store, witness: Any, log: int) -> None:
    await sql(store, "DELETE FROM event WHERE stream = :s", s=f"ticket:{log}")
    assert f"ticket {log}: all of its 6 events are gone" in await witness.findings()
    await sql(store, "DELETE FROM chain_head WHERE stream = :s", s=f"ticket:{log}")
    assert await witness.findings() == [f"ticket {log}, event 4: it is gone; checkpoint 1 saw it"]


async def test_a_chain_made_anew_with_right_hashes_is_found_below_a_checkpoint(
    store: Store, witness: Any, log: int
) -> None:
    await rewrite(store, log, 3)
    says = "checkpoint 1 saw another event here: the chain was written anew up to it"
    assert await witness.findings() == [f"ticket {log}, event 4: {says}"]


async def test_a_chain_made_anew_after_one_checkpoint_is_found_by_the_next(
    store: Store, witness: Any, log: int
) -> None:
    await rewrite(store, log, 5)
    says = "checkpoint 2 saw another event here: the chain was written anew up to it"
    assert await witness.findings() == [f"ticket {log}, event 5: {says}"]


async def test_changed_words_are_found_by_the_event_that_names_them(store: Store, witness: Any, log: int) -> None:
    await sql(store, "UPDATE content SET body = 'mail is up' WHERE body = 'mail is down'")
    assert await witness.findings() == ["report 2, event 2: the content 4 was changed after it was written"]


async def test_words_changed_together_with_their_digest_are_found(store: Store, witness: Any, log: int) -> None:
    order = "UPDATE content SET body = 'fine', digest = sha256(salt || 'fine'::bytea) WHERE body = 'mail is down'"
    await sql(store, order)
    says = "the content 4 is another than the one that it names"
    assert await witness.findings() == [f"report 2, event 2: {says}"]


async def test_a_deleted_content_row_is_found(store: Store, witness: Any, log: int) -> None:
    await sql(store, "DELETE FROM attachment")
    await sql(store, "DELETE FROM content WHERE body = 'line 1'")
    says = "that it names is gone, and nobody erased it"
    assert [each.split(" ", 6)[-1] for each in await witness.findings()] == [f"{each} {says}" for each in (3, 6, 9)]


async def test_erasing_a_person_leaves_the_log_true(store: Store, witness: Any, log: int) -> None:
    async with store.change() as change:
        ada = await people.find(change.connection, "portal", Party("ada@brook.example"))
        assert ada is not None
        assert await people.erase(change, ada.id, "account:1") == 3
    found = await witness.audit()
    assert (found.findings, found.erased) == ([], 3)


@pytest.mark.parametrize("values", ["body = NULL, salt = NULL", "body = NULL, salt = NULL, erased_at = at_time"])
async def test_words_that_vanish_without_an_erasure_are_no_erasure(
    store: Store, witness: Any, log: int, values: str
) -> None:
    values = values.replace("at_time", "'2025-05-04 08:00+00'")
    await sql(store, f"UPDATE content SET {values} WHERE body = 'mail is down'")
    says = "the content 4 was taken away, and no event says that it was erased"
    assert await witness.findings() == [f"report 2, event 2: {says}"]


async def test_a_removed_checkpoint_is_found_by_the_file(store: Store, witness: Any, log: int) -> None:
    await sql(store, "DELETE FROM checkpoint WHERE id = 2")
    assert await witness.findings() == ["checkpoint 2: it was removed from the table; the file still has it"]


async def test_a_line_removed_from_the_file_is_found_by_the_table(store: Store, witness: Any, log: int) -> None:
    lines = witness.file.read_text().splitlines(keepends=True)
    witness.file.write_text(lines[1])
    assert await witness.findings() == ["checkpoint 1: it was removed from the file; the table still has it"]
    witness.file.unlink()
    assert await witness.findings() == ["checkpoints.jsonl: it is gone or empty; the table has 2 checkpoints"]


async def test_a_checkpoint_removed_from_both_leaves_a_gap(store: Store, witness: Any, log: int) -> None:
    await sql(store, "DELETE FROM checkpoint WHERE id = 1")
    witness.file.write_text(witness.file.read_text().splitlines(keepends=True)[1])
    assert await witness.findings() == ["checkpoint 2: what was between it and checkpoint 0 was removed"]


async def test_the_file_alone_still_bears_witness(store: Store, witness: Any, log: int) -> None:
    await rewrite(store, log, 3)
    await sql(store, "DELETE FROM checkpoint")
    found = await witness.findings()
    assert f"ticket {log}, event 4: checkpoint 1 saw another event here: the chain was written anew up to it" in found


async def test_a_changed_checkpoint_is_found_and_its_true_copy_still_counts(
    store: Store, witness: Any, log: int
) -> None:
    await rewrite(store, log, 3)
    async with store.read() as connection:
        query = text("SELECT encode(hash, 'hex') FROM event WHERE stream = :s AND seq = 4")
        anew = (await connection.execute(query, {"s": f"ticket:{log}"})).scalar_one()
    order = "UPDATE checkpoint SET changed = regexp_replace(changed, :old, :new) WHERE id = 1"
    await sql(store, order, old=f'"ticket:{log}",4,"[0-9a-f]*"', new=f'"ticket:{log}",4,"{anew}"')
    assert await witness.findings() == [
        "checkpoint 1: in the table it is forged or changed: the signature does not fit",
        f"ticket {log}, event 4: checkpoint 1 saw another event here: the chain was written anew up to it",
    ]


async def test_a_checkpoint_signed_by_another_key_is_forged(store: Store, witness: Any, log: int) -> None:
    other = type(witness)(store, witness.file)
    async with store.engine.begin() as connection:
        found = from_line(witness.file.read_text().splitlines()[-1])
        signature = await other.sign(found.payload())
        await connection.execute(text("UPDATE checkpoint SET signature = :s WHERE id = 2"), {"s": signature})
    assert await witness.findings() == [
        "checkpoint 2: in the table it is forged or changed: the signature does not fit"
    ]


async def test_two_signed_checkpoints_of_one_number_are_found(store: Store, witness: Any, log: int) -> None:
    lines = witness.file.read_text().splitlines()
    other = replace(from_line(lines[1]), changed="[]")
    digest = hashlib.sha256(other.payload()).digest()
    other = replace(other, digest=digest, signature=await witness.sign(other.payload()))
    witness.file.write_text("\n".join([lines[0], to_line(other), ""]))
    found = await witness.findings()
    assert found == ["checkpoint 2: two of this number were signed: the table has one, the file the other"]


async def test_a_root_that_does_not_fit_the_heads_is_found(store: Store, witness: Any, log: int, clock: Any) -> None:
    await sql(
        store, "UPDATE checkpoint_bucket SET root = :r WHERE number <> :n", r=b"\1" * 32, n=bucket_of(f"ticket:{log}")
    )
    clock.turn(60)
    await witness.make()
    assert await witness.findings() == ["checkpoint 3: its root is not that of the heads which the checkpoints name"]


async def test_an_end_that_was_changed_is_found(store: Store, witness: Any, log: int) -> None:
    await sql(store, "UPDATE chain_head SET hash = :h WHERE stream = :s", h=b"\1" * 32, s=f"ticket:{log - 1}")
    assert await witness.findings() == [f"ticket {log - 1}, event 1: it is not the event with which the chain ended"]


async def test_what_is_no_checkpoint_in_the_file_is_found(witness: Any, log: int) -> None:
    good = witness.file.read_text()
    witness.file.write_text('{"number": 1}\n' + good)
    assert await witness.findings() == ["checkpoints.jsonl, line 1: it is no checkpoint"]
    lines = good.splitlines(keepends=True)
    witness.file.write_text(lines[0] + lines[1][:40] + "\n" + lines[1])
    assert await witness.findings() == [], "a line that a crash cut short and that stands whole below is no fault"
    witness.file.write_text(lines[1] + lines[0])
    assert "checkpoints.jsonl, line 2: checkpoint 1 comes after checkpoint 2" in await witness.findings()


async def test_a_flood_of_findings_is_counted(store: Store, witness: Any, log: int, monkeypatch: Any) -> None:
    monkeypatch.setattr("quell.store.findings.FINDINGS_MAX", 2)
    await sql(store, "UPDATE event SET actor = 'nobody'")
    found = await witness.audit()
    assert len(found.findings) == 2 and found.unsaid == 15
