"""A company is loaded whole or not at all, read back as it was, and loaded again without losing anybody."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from quell.core.company_file import read_company
from quell.core.errors import Refused
from quell.store import companies
from quell.store.change import Store

SMALL: Mapping[str, Any] = {
    "name": "Brook & Sons",
    "timezone": "Europe/Lisbon",
    "business_hours": {"mon": [["08:00", "17:30"]]},
    "teams": [{"key": "desk", "name": "Desk", "handles": "the first call"}],
    "sites": [{"key": "quay", "name": "Quay house", "aliases": ["the quay"]}],
    "services": [{"key": "mail", "name": "Mail", "criticality": 2, "owner": "desk"}],
    "categories": [{"key": "mail", "name": "Mail", "team": "desk"}],
    "people": [{"email": "ada@brook.example", "name": "Ada", "site": "quay"}],
    "devices": [{"hostname": "qh-1", "owner_email": "Ada@brook.example", "site": "quay"}],
    "motto": {"en": "onward"},
}


async def save(store: Store, document: object) -> tuple[str, ...]:
    async with store.change() as change:
        return (await companies.save(change, json.dumps(document).encode(), "account:1"))[1]


async def ask(store: Store, question: str) -> Any:
    async with store.read() as connection:
        return (await connection.execute(text(question))).scalar_one()


async def test_what_was_loaded_is_read_back_with_its_unknown_keys(store: Store) -> None:
    assert await save(store, SMALL) == ("$: kept but not used: motto",)
    async with store.read() as connection:
        found = await companies.required(connection)
        timing = await companies.timing(connection)
    assert found == read_company(json.dumps(SMALL).encode())[0]
    assert found.extra == {"motto": {"en": "onward"}}
    assert (timing.calendar.timezone, timing.calendar.hours["mon"]) == ("Europe/Lisbon", (("08:00", "17:30"),))
    question = "SELECT device.hostname FROM device JOIN person ON person.id = device.owner WHERE person.name = 'Ada'"
    assert await ask(store, question) == "qh-1"


async def test_a_bad_file_changes_nothing(store: Store) -> None:
    await save(store, SMALL)
    with pytest.raises(Refused) as refused:
        await save(store, {**SMALL, "name": "Other", "timezone": "nowhere", "people": [{"email": 1}]})
    assert {fault.place for fault in refused.value.faults} == {"$.timezone", "people[0].email", "people[0].name"} | {
        "devices[0].owner_email"
    }
    assert await ask(store, "SELECT document ->> 'name' FROM company") == "Brook & Sons"
    assert await ask(store, "SELECT count(*) FROM event") == 1


async def test_loading_again_renews_what_the_file_says_and_keeps_everyone(store: Store) -> None:
    await save(store, SMALL)
    number = await ask(store, "SELECT id FROM person")
    people = [
        {"email": "ADA@brook.example", "name": "Ada L.", "vip": True},
        {"email": "bob@brook.example", "name": "Bob"},
    ]
    await save(store, {**SMALL, "people": people})
    assert await ask(store, "SELECT id FROM person WHERE name = 'Ada L.' AND vip") == number
    assert await ask(store, "SELECT count(*) FROM person") == 2
    assert await ask(store, "SELECT count(*) FROM event WHERE kind = 'company_loaded'") == 2


async def test_before_the_first_time_clocks_run_around_the_clock(store: Store) -> None:
    async with store.read() as connection:
        assert await companies.current(connection) is None
        assert (await companies.timing(connection)).calendar.always
        with pytest.raises(Refused, match="quell company load"):
            await companies.required(connection)


@pytest.mark.parametrize("name", ["northwind-hospital", "fernhill-group"])
async def test_a_sample_company_is_kept_whole(store: Store, shared_data: Path, name: str) -> None:
    raw = (shared_data / "scenarios" / name / "company.json").read_bytes()
    async with store.change() as change:
        loaded, _ = await companies.save(change, raw, "account:1")
    async with store.read() as connection:
        assert await companies.required(connection) == loaded
    for noun, table in (("people", "person"), ("devices", "device"), ("categories", "category"), ("sites", "site")):
        assert await ask(store, f"SELECT count(*) FROM {table}") == len(getattr(loaded, noun))
