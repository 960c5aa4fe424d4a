"""The guards around the pages: headers, form tokens, origins, sizes, addresses that lead away, signed links."""

import re

import pytest
from fastapi.routing import APIRoute

from quell.core.errors import Refused
from quell.core.permission import Role
from quell.web import app as application
from quell.web.csrf import check_token, csrf_token
from quell.web.pages.login import local_path
from tests.web.conftest import ORIGIN, House, form_token

SECRET = b"s" * 32


async def test_every_answer_carries_the_strict_headers(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    for path in ("/", "/login", "/portal", "/nowhere", "/tickets/9", "/first-run?token=x"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(house: House) -> None:
    await house.add(Role.OWNER)
    browser = house.browser()
    shown = await browser.get("/login")
    data = {"csrf": form_token(shown.text), "email": "owner@aldermoor.example", "password": "a calm short sentence"}
    answer = await browser.post("/login", data=data)
    session = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("quell_session="))
    assert "HttpOnly" in session and "SameSite=lax" in session


async def test_over_https_cookies_are_bound_to_this_host(house: House) -> None:
    await house.add(Role.OWNER)
    browser = house.browser()
    browser.base_url = "https://desk.test"  # type: ignore[assignment]
    shown = await browser.get("/login")
    data = {"csrf": form_token(shown.text), "email": "owner@aldermoor.example", "password": "a calm short sentence"}
    answer = await browser.post("/login", data=data)
    session = next(each for each in answer.headers.get_list("set-cookie") if "quell_session" in each)
    assert session.startswith("__Host-quell_session=") and "Secure" in session
    assert "strict-transport-security" in answer.headers


def _changing() -> list[tuple[str, str]]:
    found = []
    for module in application.PAGES:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            path = re.sub(r"\{[a-z]+\}", "1", route.path)
            found += [(method, path) for method in sorted(route.methods) if method not in ("GET", "HEAD")]
    return found


async def test_nothing_changes_without_a_form_token(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    assert len(_changing()) > 20
    for method, path in _changing():
        for token in ("", "AAAA", csrf_token(SECRET, b"somebody else")):
            data = {"csrf": token, "ticket": "7:1", "into": "3", "text": "x", "report": "1"}
            answer = await browser.request(method, path, data=data)
            assert answer.status_code == 403, (method, path)
    assert house.desk.called == []


async def test_nothing_changes_on_the_word_of_another_site(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    token = form_token((await browser.get("/portal")).text)
    others = ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.test"})
    for method, path in _changing():
        for headers in others:
            answer = await browser.request(method, path, data={"csrf": token}, headers=headers)
            assert answer.status_code == 403, (method, path, headers)
    assert house.desk.called == []


async def test_a_right_token_lets_the_verb_through_in_the_form_or_in_the_header(house: House) -> None:
    browser = await house.signed_in(Role.OWNER)
    token = form_token((await browser.get("/")).text)
    by_form = await browser.post("/acceptances", data={"csrf": token, "ticket": "7:3"}, headers={"origin": ORIGIN})
    by_script = await browser.post(
        "/acceptances", data={"ticket": "8:1"}, headers={"x-csrf-token": token, "hx-request": "true"}
    )
    assert (by_form.status_code, by_script.status_code) == (303, 200)
    assert "accept done." in by_script.text
    assert [verb for verb, *_ in house.desk.called] == ["accept", "accept"]


async def test_every_verb_reaches_the_desk_with_what_was_said(house: House) -> None:
    browser = await house.signed_in(Role.TECHNICIAN)
    headers = {"x-csrf-token": form_token((await browser.get("/")).text), "hx-request": "true"}
    sent = [
        ("POST", "/corrections", {"ticket": "7:3", "category": "network", "owner": ""}),
        ("POST", "/joins", {"ticket": ["7:3", "8:1"], "into": "4"}),
        ("POST", "/closures", {"ticket": "7:3", "solved_by": "a restart"}),
        ("POST", "/tickets/7/joins", {"report": "12"}),
        ("POST", "/tickets/7/joins", {"report": "12", "was": "ask"}),
        ("DELETE", "/tickets/7/joins/12", {}),
        ("POST", "/tickets/7/messages", {"kind": "reply", "text": "We are on it."}),
        ("POST", "/tickets/7/messages", {"kind": "one", "report": "12", "text": "Only you."}),
        ("POST", "/tickets/7/messages", {"kind": "note", "text": "Between us."}),
        ("POST", "/tickets/7/messages", {"text": "No word on who may see it."}),
        ("POST", "/tickets/7/reopening", {}),
        ("POST", "/tickets/7/fixes", {"device": "lds-1", "action": "free_disk_space", "param:mount": "/var"}),
        ("POST", "/fixes/3/consent", {"plan": "ab12", "ticket": "7"}),
        ("POST", "/fixes/3/refusal", {"ticket": "7"}),
        ("POST", "/undo", {"token": "undo-1"}),
    ]
    for method, path, data in sent:
        answer = await browser.request(method, path, data=data, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
    said = [(verb, *args[1:]) for verb, args, _ in house.desk.called]
    pairs = [(each[0], each[-1]) for each in said]
    assert pairs[0] == ("correct", {"category": "network"})
    assert said[1][0] == "join" and said[1][2] == 4 and [each.number for each in said[1][1]] == [7, 8]
    assert pairs[2] == ("close", "a restart")
    assert said[3:6] == [("put_back", 7, 12), ("keep", 7, 12), ("take_out", 7, 12)]
    assert said[6] == ("reply", 7, "We are on it.") and said[7] == ("reply", 7, "Only you.", (12,))
    assert said[8][0] == said[9][0] == "note"
    assert said[11] == ("plan_fix", 7, "lds-1", "free_disk_space", {"mount": "/var"})
    assert said[12] == ("consent", 3, "ab12")


async def test_a_refusal_of_the_desk_is_a_toast_for_the_script_and_a_page_without_it(house: House) -> None:
    browser = await house.signed_in(Role.TECHNICIAN)
    token = form_token((await browser.get("/")).text)
    house.desk.refuses = Refused("ticket 7 has changed since you saw it", 409, "changed_meanwhile")
    data = {"csrf": token, "ticket": "7:3"}
    script = await browser.post("/acceptances", data=data, headers={"hx-request": "true"})
    plain = await browser.post("/acceptances", data=data)
    assert script.status_code == plain.status_code == 409
    assert script.headers["hx-retarget"] == "#toasts" and "has changed" in script.text
    assert "Somebody was faster" in plain.text


def test_a_token_is_masked_anew_each_time_and_bound_to_its_visit() -> None:
    first, second = csrf_token(SECRET, b"visit"), csrf_token(SECRET, b"visit")
    assert first != second
    check_token(SECRET, b"visit", first)
    check_token(SECRET, b"visit", second)
    for binding, secret in ((b"other", SECRET), (b"visit", b"t" * 32)):
        with pytest.raises(Refused):
            check_token(secret, binding, first)


async def test_a_form_that_is_too_large_or_of_unknown_size_is_not_read(house: House) -> None:
    browser = await house.signed_in(Role.TECHNICIAN)

    async def endless():  # type: ignore[no-untyped-def]
        yield b"text=x"

    large = await browser.post("/tickets/7/messages", data={"text": "x" * (1024 * 1024 + 1)})
    unknown = await browser.post("/tickets/7/messages", content=endless())
    assert (large.status_code, unknown.status_code) == (413, 411)


@pytest.mark.parametrize(
    "path", ["//evil.test", "https://evil.test", "/\\evil.test", "evil", "", "/a\nb", "\\\\evil.test"]
)
def test_an_address_that_leads_away_is_not_followed(path: str) -> None:
    assert local_path(path) == "/"


def test_a_path_of_ours_is_followed() -> None:
    assert local_path("/tickets/7?view=yes") == "/tickets/7?view=yes"


async def test_files_come_as_downloads_that_no_browser_runs(house: House) -> None:
    browser = await house.signed_in(Role.TECHNICIAN)
    answer = await browser.get("/files/1")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_static_files_are_kept_for_ever_under_an_address_that_changes_with_them(house: House) -> None:
    browser = house.browser()
    html = (await browser.get("/login")).text
    address = re.search(r'href="(/static/[0-9a-f]{12}/quell\.css)"', html)
    assert address is not None
    fresh = await browser.get(address.group(1))
    assert fresh.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert fresh.headers["content-type"].startswith("text/css") and "@layer" in fresh.text
    old = await browser.get("/static/000000000000/quell.css")
    assert old.status_code == 200 and old.headers["cache-control"] == "no-cache"
    for path in ("/static/x/../app.py", "/static/x/%2e%2e/app.py", "/static/x/nothing.css"):
        assert (await browser.get(path)).status_code == 404
