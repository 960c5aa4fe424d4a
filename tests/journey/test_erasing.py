"""Erasing a person takes words, files, addresses and raw deliveries from every table, and the log stays true."""

from sqlalchemy import text

from quell.journey.intake import room as intake
from quell.journey.spoken import Seen, Who
from quell.store import companies
from tests.conftest import untrue

OWNER = Who(9, "Olga", "olga@aldermoor.example", "owner")


async def everything(scene) -> str:
    """Every row of every table, as text; bytes as they are."""
    found = []
    async with scene.house.store.read() as connection:
        names = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for name in [row.tablename for row in names.all()]:
            rows = await connection.execute(text(f'SELECT * FROM "{name}"'))
            found += [f"{name}: {tuple(row)}" for row in rows.all()]
    return "\n".join(found)


async def person_of(scene, email: str) -> int:
    async with scene.house.store.read() as connection:
        query = text("SELECT id FROM person WHERE email = :e")
        return (await connection.execute(query, {"e": email})).scalar_one()


async def test_nothing_that_a_person_said_or_is_called_is_left(scene, mara, database_url) -> None:
    number = await scene.tell(1, "My quokka printer ate the wombat labels", subject="Quokka trouble")
    other = await scene.tell(2, "The label printer at bay two is dead")
    await scene.desk.correct(mara, [Seen(number)], {"category": "laptops"})
    await scene.desk.join(mara, [Seen(number)], other)
    await scene.desk.reply(mara, other, "We are looking at it.")
    await scene.drain()
    before = await everything(scene)
    assert all(word in before for word in ("quokka", "wombat", "p1@aldermoor.example", "'Person 1'"))
    ada = await person_of(scene, "p1@aldermoor.example")
    await scene.desk.erase(OWNER, ada)
    after = await everything(scene)
    for word in ("quokka", "wombat", "Quokka", "p1@aldermoor", "'Person 1'", '"Person 1"'):
        assert word not in after, [line for line in after.splitlines() if word in line]
    assert "The label printer at bay two" in after and "p2@aldermoor.example" in after
    assert await untrue(database_url) == []


async def test_a_raw_delivery_is_empty_and_is_not_read_again(scene) -> None:
    await scene.tell(1, "first words")
    await scene.desk.erase(OWNER, await person_of(scene, "p1@aldermoor.example"))
    async with scene.house.store.read() as connection:
        row = (await connection.execute(text("SELECT id, body, says, state FROM delivery"))).one()
    assert (row.body, row.says, row.state) == (b"", "erased", "read")
    await intake.read(scene.house, row.id)
    await scene.drain()
    async with scene.house.store.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM report"))).scalar_one() == 1


async def test_the_company_forgets_a_person_and_keeps_the_rest(scene) -> None:
    await scene.desk.erase(OWNER, await person_of(scene, "p1@aldermoor.example"))
    async with scene.house.store.read() as connection:
        company = await companies.required(connection)
    assert len(company.people) == 19 and "p1@aldermoor.example" not in {each.email for each in company.people}
