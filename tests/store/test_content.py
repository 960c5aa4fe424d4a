"""Words live outside the chain, so that they can be erased for good while the chain stays whole."""

from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from quell.core.event import content_digest
from quell.core.incoming import Party
from quell.store import content, people, reports
from quell.store.change import Store

Make = Callable[..., Awaitable[tuple[int, int]]]


@given(words=st.text(max_size=50) | st.binary(max_size=50))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_was_said_is_read_back_under_its_digest(store: Store, words: str | bytes) -> None:
    async with store.engine.begin() as connection:
        kept = await content.keep(connection, words, None)
        row = (await connection.execute(text("SELECT * FROM content WHERE id = :i"), {"i": kept.id})).one()
        raw = words.encode("utf-8", "replace") if isinstance(words, str) else words
        assert (row.body, row.digest) == (raw, content_digest(row.salt, raw))
        assert kept.mention() == {"content": kept.id, "digest": row.digest.hex()}
        assert await content.text_of(connection, kept.id) == raw.decode("utf-8", "replace")


async def test_the_same_words_twice_have_two_digests(store: Store) -> None:
    async with store.engine.begin() as connection:
        first, second = [await content.keep(connection, "yes", None) for _ in range(2)]
    assert first.digest != second.digest


async def test_erasing_takes_a_persons_words_name_and_addresses_and_nobody_elses(
    store: Store, report: Make, witness: Any
) -> None:
    mine, number = await report("ada@brook.example", "my mail is down")
    other, _ = await report("bob@brook.example", "printer jams")
    await witness.make()
    async with store.change() as change:
        ada = await people.find(change.connection, "portal", Party("ada@brook.example"))
        assert ada is not None
        assert await people.erase(change, ada.id, "account:1") == 3
    async with store.read() as connection:
        said = {
            each.report: (each.subject, each.text) for each in await reports.conversation(connection, [mine, other])
        }
        assert said == {mine: ("", ""), other: ("help", "printer jams")}
        assert await people.find(connection, "portal", Party("ada@brook.example")) is None
        dump = [str(row) for table in await _tables(connection) for row in await connection.execute(text(table))]
    assert not [row for row in dump if "ada@" in row or "my mail" in row or "'ada'" in row]
    audited = await witness.audit()
    assert (audited.findings, audited.erased) == ([], 3)
    assert number


async def test_erasing_twice_erases_once(store: Store, report: Make) -> None:
    await report()
    async with store.change() as change:
        ada = await people.find(change.connection, "portal", Party("ada@brook.example"))
        assert ada is not None
        counts = [await people.erase(change, ada.id, "account:1") for _ in range(2)]
    assert counts == [3, 0]


async def _tables(connection: Any) -> list[str]:
    rows = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    return [f'SELECT * FROM "{row.tablename}"' for row in rows.all()]
