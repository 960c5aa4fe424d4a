"""Accounts and sessions: the first-run link, signing in and out, what ends a session, how often one may try."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from quell.core.errors import Refused
from quell.core.permission import Role
from quell.store import accounts, sessions
from quell.store.accounts import FIRST_RUN_VALID_FOR, renew_first_run
from quell.store.sessions import SESSION_IDLE_MAX, SESSION_LASTS
from quell.store.tables import account, sign_in_failure, web_session
from quell.web.session import hash_token
from tests.web.conftest import PASSWORD, House, form_token, sign_in


async def _first_link(house: House, token: str = "first") -> bool:
    async with house.store.change() as change:
        return await renew_first_run(change, hash_token(token))


async def test_the_first_run_link_makes_the_owner_signs_him_in_and_works_once(house: House) -> None:
    assert await _first_link(house)
    browser = house.browser()
    form = await browser.get("/first-run?token=first")
    data = {
        "csrf": form_token(form.text),
        "token": "first",
        "name": "Mara Lindqvist",
        "email": "Mara@Aldermoor.example",
        "password": PASSWORD,
    }
    made = await browser.post("/first-run", data=data)
    assert (made.status_code, made.headers["location"]) == (303, "/setup")
    assert (await browser.get("/setup")).status_code == 200
    async with house.store.read() as connection:
        found = (await connection.execute(select(account))).one()
    assert (found.email, found.role) == ("mara@aldermoor.example", "owner")
    assert found.password.startswith("$argon2id$")
    assert (await house.browser().get("/first-run?token=first")).status_code == 410
    assert not await _first_link(house, "second")


async def test_a_newer_first_run_link_ends_the_older_one_and_each_ends_after_a_day(house: House) -> None:
    await _first_link(house, "old")
    await _first_link(house, "new")
    assert (await house.browser().get("/first-run?token=old")).status_code == 410
    assert (await house.browser().get("/first-run?token=new")).status_code == 200
    house.clock.move(FIRST_RUN_VALID_FOR)
    assert (await house.browser().get("/first-run?token=new")).status_code == 410


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "short"}, "At least 10 characters"),
        ({"password": "mara@aldermoor.example"}, "Your address is no password"),
        ({"email": "mara"}, "not an email address"),
        ({"name": "  "}, "tell us your name"),
    ],
)
async def test_a_wrong_first_form_is_shown_again_and_the_link_stays(
    house: House, wrong: dict[str, str], says: str
) -> None:
    await _first_link(house)
    browser = house.browser()
    form = await browser.get("/first-run?token=first")
    data = {"csrf": form_token(form.text), "token": "first", "name": "Mara", "email": "mara@aldermoor.example"}
    answer = await browser.post("/first-run", data={**data, "password": PASSWORD, **wrong})
    assert answer.status_code == 400 and says in answer.text
    assert (await browser.get("/first-run?token=first")).status_code == 200


async def test_signing_in_opens_a_session_of_which_the_database_knows_only_the_digest(house: House) -> None:
    browser = house.browser()
    await sign_in(browser, await house.add(Role.OWNER))
    token = browser.cookies["quell_session"]
    async with house.store.read() as connection:
        digests = [row.digest for row in await connection.execute(select(web_session))]
    assert digests == [hash_token(token)]
    assert (await browser.get("/")).status_code == 200


async def test_a_new_sign_in_gives_a_new_token_and_ends_the_old_session(house: House) -> None:
    browser = house.browser()
    await sign_in(browser, await house.add(Role.OWNER))
    old = browser.cookies["quell_session"]
    browser.cookies.delete("quell_session")
    await sign_in(browser, "owner@aldermoor.example")
    assert browser.cookies["quell_session"] != old
    fixed = house.browser()
    fixed.cookies.set("quell_session", old)
    shown = await fixed.get("/portal")
    data = {"csrf": form_token(shown.text), "email": "owner@aldermoor.example", "password": PASSWORD, "next": "/"}
    assert (await fixed.post("/login", data=data)).status_code == 303
    again = house.browser()
    again.cookies.set("quell_session", old)
    assert (await again.get("/")).status_code == 303


async def test_signing_out_ends_the_session_in_the_database(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    token = browser.cookies["quell_session"]
    answer = await browser.post("/logout", data={"csrf": form_token((await browser.get("/")).text)})
    assert answer.headers["location"] == "/login"
    thief = house.browser()
    thief.cookies.set("quell_session", token)
    assert (await thief.get("/")).headers["location"].startswith("/login")


async def test_a_session_ends_when_nobody_uses_it_and_at_its_full_length_all_the_same(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    house.clock.move(SESSION_IDLE_MAX - timedelta(minutes=1))
    assert (await browser.get("/")).status_code == 200
    house.clock.move(SESSION_IDLE_MAX + timedelta(seconds=1))
    assert (await browser.get("/")).status_code == 303
    browser.cookies.clear()
    await sign_in(browser, "owner@aldermoor.example")
    for _ in range(int(SESSION_LASTS / timedelta(hours=8)) - 1):
        house.clock.move(timedelta(hours=8))
        assert (await browser.get("/")).status_code == 200
    house.clock.move(timedelta(hours=8))
    assert (await browser.get("/")).status_code == 303


async def test_a_blocked_account_is_out_at_once_and_the_last_owner_cannot_be_blocked(house: House) -> None:
    browser = await house.signed_in(Role.TECHNICIAN)
    await house.add(Role.OWNER)
    async with house.store.read() as connection:
        people = {each.role: each.id for each in await accounts.all_accounts(connection)}
    async with house.store.change() as change:
        await accounts.block(change, people["technician"], "account:1")
    assert (await browser.get("/")).status_code == 303
    assert (await sign_in(house.browser(), "technician@aldermoor.example")).status_code == 401
    with pytest.raises(Refused, match="last owner"):
        async with house.store.change() as change:
            await accounts.block(change, people["owner"], "account:1")


async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(house: House) -> None:
    await house.add(Role.OWNER)
    known = await sign_in(house.browser(), "owner@aldermoor.example", "wrong wrong wrong")
    unknown = await sign_in(house.browser(), "nobody@aldermoor.example", "wrong wrong wrong")
    assert known.status_code == unknown.status_code == 401
    for answer in (known, unknown):
        assert "That address and password do not fit together." in answer.text


async def test_after_ten_wrong_tries_even_the_right_password_must_wait(house: House) -> None:
    await house.add(Role.OWNER)
    browser = house.browser()
    for _ in range(10):
        assert (await sign_in(browser, "owner@aldermoor.example", "wrong wrong wrong")).status_code == 401
    late = await sign_in(browser, "owner@aldermoor.example")
    assert late.status_code == 429 and int(late.headers["retry-after"]) > 0
    house.clock.move(timedelta(minutes=16))
    assert (await sign_in(browser, "owner@aldermoor.example")).status_code == 303


async def test_a_colleague_is_invited_by_a_link_for_his_address_and_role(house: House) -> None:
    owner = await house.signed_in(Role.OWNER)
    token = form_token((await owner.get("/setup")).text)
    made = await owner.post("/setup/invitations", data={"csrf": token, "email": "jun@a.example", "role": "technician"})
    link = made.text.split('id="invited">')[1].split("<")[0]
    browser = house.browser()
    form = await browser.get(link)
    assert 'value="jun@a.example" readonly' in form.text
    data = {"csrf": form_token(form.text), "token": link.split("token=")[1], "name": "Jun Park", "password": PASSWORD}
    assert (await browser.post("/first-run", data={**data, "email": "else@a.example"})).headers["location"] == "/"
    async with house.store.read() as connection:
        found = await accounts.account_by_email(connection, "jun@a.example")
    assert found is not None and found.role == "technician"


async def test_an_admin_cannot_make_an_owner(house: House) -> None:
    admin = await house.signed_in(Role.ADMIN)
    token = form_token((await admin.get("/setup")).text)
    answer = await admin.post("/setup/invitations", data={"csrf": token, "email": "x@a.example", "role": "owner"})
    assert answer.status_code == 403


async def test_before_the_first_account_the_sign_in_page_says_where_to_go(house: House) -> None:
    assert "Open the first-run link" in (await house.browser().get("/login")).text
    await house.add(Role.OWNER)
    assert "Open the first-run link" not in (await house.browser().get("/login")).text


async def test_the_theme_is_kept_in_a_cookie_and_rendered_by_the_server(house: House) -> None:
    browser = house.browser()
    token = form_token((await browser.get("/portal")).text)
    referer = {"referer": "http://desk.test/portal?x=1"}
    answer = await browser.post("/me/theme", data={"csrf": token, "theme": "dark"}, headers=referer)
    assert answer.headers["location"] == "/portal?x=1"
    assert '<html lang="en" data-theme="dark">' in (await browser.get("/portal")).text


async def test_the_sweep_removes_what_has_ended_and_nothing_else(house: House) -> None:
    await house.signed_in(Role.OWNER)
    await sign_in(house.browser(), "owner@aldermoor.example", "wrong wrong wrong")
    house.clock.move(SESSION_IDLE_MAX + timedelta(seconds=1))
    fresh = house.browser()
    await sign_in(fresh, "owner@aldermoor.example")
    async with house.store.engine.begin() as connection:
        await sessions.sweep(connection, house.clock())
        left = [row.digest for row in await connection.execute(select(web_session))]
        failures = (await connection.execute(select(sign_in_failure))).all()
    assert left == [hash_token(fresh.cookies["quell_session"])] and failures == []
