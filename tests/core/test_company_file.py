"""A company file is read whole or refused with every fault at its place; nothing that it says is lost."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quell.core import company_file
from quell.core.company import Company
from quell.core.company_file import FAULTS_MAX, FILE_BYTES_MAX, read_company
from quell.core.errors import Refused

SCENARIOS = (
    "alderholt-council",
    "bhavani-institute",
    "fernhill-group",
    "lumen-ledger",
    "marrow-vine",
    "northwind-hospital",
    "pont-neuf-colis",
    "redshank-games",
    "solveig-kraft",
    "tiga-trust",
)
Document = dict[str, object]


def small() -> Document:
    """A company that is right in everything and uses every key."""
    return {
        "name": "Brook & Sons",
        "timezone": "Europe/Lisbon",
        "business_hours": {"mon": [["08:00", "12:00"], ["13:00", "17:30"]], "sat": [["22:00", "24:00"]]},
        "sites": [{"key": "quay", "name": "Quay house", "aliases": ["the quay"]}],
        "services": [{"key": "mail", "name": "Mail", "aliases": ["outlook"], "criticality": 2, "owner": "desk"}],
        "teams": [{"key": "desk", "name": "Desk", "handles": "the first call"}],
        "categories": [{"key": "mail", "name": "Mail", "description": "post", "team": "desk"}],
        "people": [{"email": "Ada@Brook.example", "name": "Ada", "site": "quay", "vip": True}],
        "devices": [{"hostname": "qh-1", "owner_email": "ada@brook.example", "kind": "laptop", "site": "quay"}],
        "priorities": {"P1": "all stands still"},
        "actions": [{"key": "flush_dns", "description": "forget names"}],
        "repo_files": ["src/a.py"],
    }


def read(document: object) -> tuple[Company, tuple[str, ...]]:
    return read_company(json.dumps(document).encode())


def faults(document: object) -> dict[str, str]:
    """What is wrong with a document, by place."""
    with pytest.raises(Refused) as refused:
        read(document)
    assert refused.value.status == 422 and refused.value.code == "bad_company_file"
    return {fault.place: fault.says for fault in refused.value.faults}


def with_value(path: tuple[str | int, ...], value: object) -> Document:
    """The small company with one value changed."""
    document = copy.deepcopy(small())
    at: object = document
    for step in path[:-1]:
        at = at[step]  # type: ignore[index]
    at[path[-1]] = value  # type: ignore[index]
    return document


def nested(depth: int) -> list[object]:
    """Lists in lists."""
    return [nested(depth - 1)] if depth else []


def test_everything_that_the_file_says_is_read() -> None:
    company, warnings = read(small())
    assert warnings == ()
    assert (company.name, company.timezone) == ("Brook & Sons", "Europe/Lisbon")
    assert company.business_hours["mon"] == (("08:00", "12:00"), ("13:00", "17:30"))
    assert company.business_hours["sun"] == ()
    assert company.people[0].email == "ada@brook.example" and company.people[0].vip
    assert company.devices[0].owner_email == "ada@brook.example"
    assert company.services[0].owner == company.categories[0].team == "desk"
    assert company.priorities == {"P1": "all stands still"}
    assert company.actions[0].key == "flush_dns" and company.repo_files == ("src/a.py",)


def test_unknown_keys_are_kept_and_said() -> None:
    document = with_value(("services", 0, "colour"), "blue")
    document["motto"] = {"en": "onward"}
    company, warnings = read(document)
    assert company.extra == {"motto": {"en": "onward"}}
    assert "$: kept but not used: motto" in warnings
    assert "services[0]: kept but not used: colour" in warnings


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_sample_companies_load(shared_data: Path, name: str) -> None:
    raw = (shared_data / "scenarios" / name / "company.json").read_bytes()
    company, _ = read_company(raw)
    document = json.loads(raw)
    for noun in ("sites", "services", "teams", "categories", "people", "devices", "actions"):
        assert len(getattr(company, noun)) == len(document.get(noun, []))


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("name",), "", "$.name"),
        (("name",), 7, "$.name"),
        (("name",), "x" * 5000, "$.name"),
        (("timezone",), "Europe/Atlantis", "$.timezone"),
        (("timezone",), "Europe", "$.timezone"),
        (("timezone",), "../../etc/passwd", "$.timezone"),
        (("timezone",), "x" * 3000, "$.timezone"),
        (("business_hours",), [], "$.business_hours"),
        (("business_hours", "mo"), [], "$.business_hours.mo"),
        (("business_hours", "mon"), "all day", "$.business_hours.mon"),
        (("business_hours", "mon"), [["08:00"]], "$.business_hours.mon[0]"),
        (("business_hours", "mon"), [["8:00", "9:00"]], "$.business_hours.mon[0]"),
        (("business_hours", "mon"), [["08:00", "25:00"]], "$.business_hours.mon[0]"),
        (("business_hours", "mon"), [["0800Z", "12:00"]], "$.business_hours.mon[0]"),
        (("business_hours", "mon"), [["T0800", "T1200"]], "$.business_hours.mon[0]"),
        (("business_hours", "mon"), [["24:00", "24:00"]], "$.business_hours.mon[0]"),
        (("business_hours", "mon"), [["12:00", "08:00"]], "$.business_hours.mon[0]"),
        (("business_hours", "mon"), [["08:00", "12:00"], ["11:00", "13:00"]], "$.business_hours.mon[1]"),
        (("sites",), {}, "sites"),
        (("sites", 0), "quay", "sites[0]"),
        (("sites", 0, "key"), None, "sites[0].key"),
        (("sites", 0, "name"), "  ", "sites[0].name"),
        (("sites", 0, "aliases"), "the quay", "sites[0].aliases"),
        (("sites", 0, "aliases"), [1], "sites[0].aliases"),
        (("sites", 0, "aliases"), [""], "sites[0].aliases"),
        (("services", 0, "criticality"), 5, "services[0].criticality"),
        (("services", 0, "criticality"), True, "services[0].criticality"),
        (("services", 0, "owner"), "nobody", "services[0].owner"),
        (("categories", 0, "team"), "nobody", "categories[0].team"),
        (("people", 0, "email"), "ada", "people[0].email"),
        (("people", 0, "site"), "moon", "people[0].site"),
        (("people", 0, "vip"), "yes", "people[0].vip"),
        (("devices", 0, "kind"), "toaster", "devices[0].kind"),
        (("devices", 0, "owner_email"), "bob@brook.example", "devices[0].owner_email"),
        (("devices", 0, "hostname"), "", "devices[0].hostname"),
        (("priorities",), [], "$.priorities"),
        (("priorities", "P5"), "never", "$.priorities.P5"),
        (("priorities", "P1"), 1, "$.priorities.P1"),
        (("actions", 0, "key"), "", "actions[0].key"),
        (("repo_files",), "src", "$.repo_files"),
        (("name",), "half \ud800 a character", "$.name"),
        (("sites", 0, "aliases"), ["\udfff"], "sites[0].aliases[0]"),
        (("motto",), {"deep": ["a \0 b"]}, "$.motto.deep[0]"),
        (("motto \0",), 1, "$"),
        (("sites", 0, "colour"), "\0", "sites[0].colour"),
        (("motto",), nested(40), "$.motto" + "[0]" * 32),
        (("motto",), float("nan"), "$"),
        (("motto",), float("inf"), "$"),
    ],
)
def test_each_fault_is_named_with_its_place(path: tuple[str | int, ...], value: object, place: str) -> None:
    assert place in faults(with_value(path, value))


def test_all_faults_are_listed_at_once() -> None:
    document = with_value(("people", 0, "vip"), 3)
    document["timezone"] = "nowhere"
    document["devices"] = ["a", {"hostname": 4}]
    assert set(faults(document)) == {"people[0].vip", "$.timezone", "devices[0]", "devices[1].hostname"}


def test_a_right_file_with_one_fault_has_one_fault() -> None:
    assert list(faults(with_value(("people", 0, "vip"), "yes"))) == ["people[0].vip"]


def test_a_key_that_stands_twice_is_a_fault_that_names_the_first() -> None:
    document = small()
    document["teams"] = [{"key": "desk", "name": "Desk"}, {"key": "desk", "name": "Other desk"}]
    document["people"] = [{"email": "a@b.example", "name": "A"}, {"email": "A@B.example", "name": "B"}]
    document["devices"] = [{"hostname": "qh-1"}, {"hostname": "QH-1"}]
    found = faults(document)
    assert "teams[0]" in found["teams[1]"] and "people[0]" in found["people[1]"]
    assert "devices[0]" in found["devices[1]"]


def test_the_list_of_faults_has_an_end() -> None:
    document = small()
    document["teams"] = [1] * (FAULTS_MAX + 50)
    with pytest.raises(Refused) as refused:
        read(document)
    assert len(refused.value.faults) == FAULTS_MAX


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[]", b"7", b"[" * 100_000, b'{"name": 1e999}'])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_company(raw)
    assert refused.value.status == 422 and refused.value.faults


def test_a_key_written_twice_in_one_object_is_refused() -> None:
    raw = json.dumps(small())[:-1].encode() + b', "name": "Other"}'
    with pytest.raises(Refused, match="not JSON"):
        read_company(raw)


def test_too_large_a_file_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company_file, "FILE_BYTES_MAX", 10)
    with pytest.raises(Refused) as refused:
        read(small())
    assert refused.value.status == 413
    assert FILE_BYTES_MAX == 20 * 1024 * 1024


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
paths = st.sampled_from(
    [
        (key, *rest)
        for key, value in small().items()
        for rest in (
            [()]
            + ([(0,)] if isinstance(value, list) else [])
            + ([(0, inner) for inner in value[0]] if isinstance(value, list) and isinstance(value[0], dict) else [])
            + ([(inner,) for inner in value] if isinstance(value, dict) else [])
        )
    ]
)


@given(path=paths, value=anything)
@settings(max_examples=300, deadline=None)
def test_any_value_at_any_place_is_read_or_refused(path: tuple[str | int, ...], value: object) -> None:
    try:
        company, _ = read(with_value(path, value))
    except Refused as refused:
        assert refused.status == 422 and refused.faults
    else:
        json.dumps(company.extra, allow_nan=False).encode()
        assert "\\u0000" not in json.dumps(company.extra)
