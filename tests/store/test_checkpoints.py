"""Checkpoints come when they are due, see what has surely happened, and stand in the table and in the file alike."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from quell.core.errors import Broken, TryAgain
from quell.core.event import START_HASH
from quell.core.merkle import bucket_of, merkle_root
from quell.store import checkpoint_file, checkpoints
from quell.store.change import Store
from quell.store.checkpoint_form import from_line, to_line

Make = Callable[..., Awaitable[tuple[int, int]]]


async def happen(store: Store, stream: str, times: int = 1) -> None:
    """Let something happen to a stream, each time in a transaction of its own."""
    for _ in range(times):
        async with store.change() as change:
            await change.record(stream, "ceiling_set", "account:1", {})


async def heads(store: Store) -> list[tuple[str, int, bytes]]:
    async with store.read() as connection:
        rows = await connection.execute(text("SELECT stream, seq, hash FROM chain_head"))
        return [(row.stream, row.seq, row.hash) for row in rows]


async def test_the_first_takes_all_chains_and_the_next_only_those_that_moved(store: Store, witness: Any) -> None:
    for name in ("a", "b", "c"):
        await happen(store, name, 2)
    first = await witness.make()
    assert (first.number, first.previous, first.heads) == (1, START_HASH, 3)
    assert first.root == merkle_root(await heads(store))
    assert [(stream, seq) for stream, seq, _ in first.moved()] == [("a", 2), ("b", 2), ("c", 2)]
    await happen(store, "b")
    await happen(store, "d")
    second = await witness.make()
    assert (second.number, second.previous, second.heads) == (2, first.digest, 4)
    assert second.root == merkle_root(await heads(store))
    assert [(stream, seq) for stream, seq, _ in second.moved()] == [("b", 3), ("d", 1)]


async def test_where_nothing_happened_nothing_is_signed(store: Store, witness: Any) -> None:
    assert await witness.make() is None
    await happen(store, "a")
    assert await witness.make() is not None
    assert await witness.make() is None
    assert len(witness.file.read_text().splitlines()) == 1


async def test_one_is_due_a_minute_after_the_last_or_a_thousand_events(
    store: Store, witness: Any, clock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(checkpoints, "EVENTS_MAX", 5)
    await happen(store, "a")
    assert await witness.make(now=False) is not None, "the first waits for nothing"
    await happen(store, "a", 4)
    clock.turn(59)
    assert await witness.make(now=False) is None
    clock.turn(1)
    assert await witness.make(now=False) is not None
    await happen(store, "a", 5)
    assert await witness.make(now=False) is not None
    assert checkpoints.EVERY.total_seconds() == 60


async def test_what_still_runs_is_left_to_the_next(store: Store, witness: Any) -> None:
    await happen(store, "a")
    await happen(store, "slow")
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with store.change() as change:
            await change.record("slow", "ceiling_set", "account:1", {})
            await change.record("new", "ceiling_set", "account:1", {})
            started.set()
            await go_on.wait()

    running = asyncio.create_task(slow())
    await started.wait()
    await happen(store, "a")
    first = await witness.make()
    # The change of `a` began after the slow one, which nobody can see yet: both wait.
    assert [(stream, seq) for stream, seq, _ in first.moved()] == [("a", 1), ("slow", 1)]
    assert first.heads == 2
    go_on.set()
    await running
    second = await witness.make()
    assert [(stream, seq) for stream, seq, _ in second.moved()] == [("a", 2), ("new", 1), ("slow", 2)]
    assert second.root == merkle_root(await heads(store))
    assert await witness.findings() == []


async def test_a_change_that_began_early_and_was_appended_late_is_seen_once(store: Store, witness: Any) -> None:
    early = await store.engine.connect()
    await early.execute(text("SELECT pg_current_xact_id()"))
    await happen(store, "a")
    assert await witness.make() is None, "the transaction before it still runs"
    await early.rollback()
    await early.close()
    made = await witness.make()
    assert [(stream, seq) for stream, seq, _ in made.moved()] == [("a", 1)]


@pytest.mark.tampers
async def test_a_checkpoint_looks_only_at_the_buckets_that_moved(store: Store, witness: Any) -> None:
    names = [f"ticket:{each}" for each in range(300)]
    async with store.change() as change:
        for name in names:
            await change.record(name, "ceiling_set", "account:1", {})
    await witness.make()
    other = next(each for each in names if bucket_of(each) != bucket_of("ticket:7"))
    async with store.engine.begin() as connection:
        # A checkpoint that read this head would take another root from it, and the audit would see that.
        await connection.execute(text("UPDATE chain_head SET hash = '\\x00' WHERE stream = :s"), {"s": other})
    await happen(store, "ticket:7", 2)
    await witness.make()
    assert not [each for each in await witness.findings() if "checkpoint" in each]


async def test_trees_that_are_gone_are_made_anew(store: Store, witness: Any) -> None:
    await happen(store, "a")
    await happen(store, "b")
    await witness.make()
    async with store.engine.begin() as connection:
        await connection.execute(text("DELETE FROM checkpoint_bucket"))
    await happen(store, "b")
    assert (await witness.make()).root == merkle_root(await heads(store))
    assert await witness.findings() == []


async def test_of_two_makers_at_once_one_wins(store: Store, witness: Any) -> None:
    await happen(store, "a")
    made = await asyncio.gather(*(witness.make() for _ in range(4)))
    assert len([each for each in made if each is not None]) == 1
    assert await witness.findings() == []


async def test_a_signer_that_is_away_leaves_nothing_behind(store: Store, witness: Any) -> None:
    await happen(store, "a")

    async def away(payload: bytes) -> bytes:
        raise TryAgain("the signer does not answer")

    with pytest.raises(TryAgain):
        await checkpoints.make(store, away, witness.file, now=True)
    assert not witness.file.exists()
    assert (await witness.make()).number == 1


async def test_what_a_crash_kept_out_of_the_file_is_written_at_the_next_turn(store: Store, witness: Any) -> None:
    for _ in range(3):
        await happen(store, "a")
        await witness.make()
    lines = witness.file.read_text().splitlines(keepends=True)
    witness.file.write_text(lines[0] + lines[1][:50])
    assert await witness.make() is None
    assert witness.file.read_text() == lines[0] + lines[1][:50] + "\n" + lines[1] + lines[2]
    assert await witness.findings() == []


async def test_the_file_is_readable_by_us_only_and_holds_the_whole_checkpoint(store: Store, witness: Any) -> None:
    await happen(store, "a")
    made = await witness.make()
    assert witness.file.stat().st_mode & 0o777 == 0o600
    assert from_line(witness.file.read_text()) == made
    assert to_line(made) + "\n" == witness.file.read_text()


async def test_nothing_more_is_signed_when_the_table_was_cut(store: Store, witness: Any) -> None:
    for _ in range(2):
        await happen(store, "a")
        await witness.make()
    async with store.engine.begin() as connection:
        await connection.execute(text("DELETE FROM checkpoint WHERE id = 2"))
    await happen(store, "a")
    with pytest.raises(Broken, match="knows checkpoint 2"):
        await witness.make()


async def test_nothing_more_is_written_on_another_story(store: Store, witness: Any) -> None:
    await happen(store, "a")
    await witness.make()
    other = type(witness)(store, witness.file.with_name("other.jsonl"))

    await happen(store, "a")
    await witness.make()
    good = from_line(witness.file.read_text().splitlines()[0])
    assert good.heads == 1
    other.file.write_text(witness.file.read_text().splitlines()[0].replace(good.digest.hex(), "00" * 32) + "\n")
    with pytest.raises(Broken, match="does not follow"):
        await other.make()


def test_the_newest_line_is_found_from_the_end_however_long_it_is(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(checkpoint_file, "BLOCK_BYTES", 7)
    file = tmp_path / "checkpoints.jsonl"
    assert checkpoint_file.newest(file) is None
    row = '{"at":"2025-05-04T08:00:00+00:00","below_xid":"7","changed":"[]","digest":"aa","heads":0,"number":%d,'
    row += '"previous":"","root":"","signature":""}'
    file.write_text(row % 1 + "\n" + row % 2 + "\n" + row % 3)
    newest = checkpoint_file.newest(file)
    assert newest is not None and newest.number == 2, "the line that was not ended does not count"
    file.write_text("\n\n" + row % 4 + "\nnonsense\n")
    newest = checkpoint_file.newest(file)
    assert newest is not None and newest.number == 4
