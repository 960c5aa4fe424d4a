"""Reads `company.json`: every fault is listed with its place, nothing is guessed, unknown keys are kept and said."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from quell.core.company import (
    DEFAULT_ORGANISATION,
    LEVELS,
    WEEKDAYS,
    AllowedAction,
    Category,
    Company,
    Device,
    Person,
    Service,
    Site,
    Team,
)
from quell.core.errors import Fault, Refused

FILE_BYTES_MAX = 20 * 1024 * 1024
FAULTS_MAX = 200
TEXT_CHARACTERS_MAX = 4000
DEPTH_MAX = 32
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
DEVICE_KINDS = ("laptop", "desktop", "server", "printer", "network", "phone", "kiosk")
KNOWN_KEYS = frozenset(
    "name timezone business_hours sites services teams categories people devices priorities actions repo_files".split()
)

Row = Mapping[str, object]
Made = TypeVar("Made")


@dataclass
class _Faults:
    """What was found wrong so far, and what is only worth a warning."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, place: str, says: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(place, says))

    def text(self, row: Row, key: str, place: str, needed: bool = True) -> str:
        value = row.get(key)
        if value is None and not needed:
            return ""
        if not isinstance(value, str) or (needed and not value.strip()):
            self.add(f"{place}.{key}", "must be a text" + (" that is not empty" if needed else ""))
            return ""
        if len(value) > TEXT_CHARACTERS_MAX:
            self.add(f"{place}.{key}", f"must be at most {TEXT_CHARACTERS_MAX} characters")
            return ""
        return value

    def texts(self, row: Row, key: str, place: str) -> tuple[str, ...]:
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self.add(f"{place}.{key}", "must be a list of texts that are not empty")
            return ()
        return tuple(value)

    def flag(self, row: Row, key: str, place: str) -> bool:
        value = row.get(key, False)
        if not isinstance(value, bool):
            self.add(f"{place}.{key}", "must be true or false")
        return value is True

    def known(self, value: str | None, among: frozenset[str], place: str, noun: str) -> str | None:
        if value and value not in among:
            self.add(place, f"names the {noun} {value!r}, which is not in this file")
        return value or None

    def unknown(self, row: Row, keys: str, place: str) -> None:
        extra = sorted(set(row) - set(keys.split()))
        if extra:
            self.warnings.append(f"{place}: kept but not used: {', '.join(extra)}")


def read_company(raw: bytes) -> tuple[Company, tuple[str, ...]]:
    """The company of a file and the warnings about it; Refused (422) carries every fault, each with its place."""
    document = _parse(raw)
    found = _Faults()
    company = _company(document, found)
    if found.faults:
        count = len(found.faults)
        says = f"the company file has {count} fault{'s' if count != 1 else ''}; nothing was loaded"
        raise Refused(says, 422, "bad_company_file", tuple(found.faults))
    return company, tuple(found.warnings)


def _parse(raw: bytes) -> Row:
    if len(raw) > FILE_BYTES_MAX:
        raise Refused(f"the company file has more than {FILE_BYTES_MAX} bytes", 413, "too_large")
    try:
        document = json.loads(raw, object_pairs_hook=_once_each, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise Refused("the company file is not JSON", 422, "bad_company_file", (Fault("$", str(error)),)) from error
    if not isinstance(document, dict):
        fault = Fault("$", "must be an object")
        raise Refused("the company file is not an object", 422, "bad_company_file", (fault,))
    return document


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return made


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:20]} is no number")
    return number


def _storable(value: object, place: str, found: _Faults, depth: int = 1) -> None:
    """Find what the database cannot keep, wherever it stands: unknown keys are kept too."""
    if depth > DEPTH_MAX:
        found.add(place, f"is nested deeper than {DEPTH_MAX}")
    elif isinstance(value, str):
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            found.add(place, "holds a null character or half a character")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _storable(each, f"{place}[{index}]", found, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            _storable(key, place, found)
            _storable(each, f"{place}.{key}", found, depth + 1)


def _company(document: Row, found: _Faults) -> Company:
    for key, value in document.items():
        _storable(key, "$", found)
        _storable(value, key if isinstance(value, list) and key in KNOWN_KEYS else f"$.{key}", found)
    sites = _rows(document, "sites", found, _site)
    teams = _rows(document, "teams", found, _team)
    site_keys, team_keys = frozenset(each.key for each in sites), frozenset(each.key for each in teams)
    services = _rows(document, "services", found, lambda row, at, f: _service(row, at, f, team_keys))
    categories = _rows(document, "categories", found, lambda row, at, f: _category(row, at, f, team_keys))
    people = _rows(document, "people", found, lambda row, at, f: _person(row, at, f, site_keys))
    emails = frozenset(each.email for each in people)
    devices = _rows(document, "devices", found, lambda row, at, f: _device(row, at, f, site_keys, emails))
    actions = _rows(document, "actions", found, _action)
    for noun, keys in (
        ("sites", [each.key for each in sites]),
        ("teams", [each.key for each in teams]),
        ("services", [each.key for each in services]),
        ("categories", [each.key for each in categories]),
        ("people", [each.email for each in people]),
        ("devices", [each.hostname.lower() for each in devices]),
        ("actions", [each.key for each in actions]),
    ):
        _once(noun, keys, found)
    extra = {key: document[key] for key in sorted(set(document) - KNOWN_KEYS)}
    if extra:
        found.warnings.append(f"$: kept but not used: {', '.join(extra)}")
    return Company(
        name=found.text(document, "name", "$"),
        timezone=_timezone(document, found),
        business_hours=_hours(document, found),
        sites=sites,
        services=services,
        teams=teams,
        categories=categories,
        people=people,
        devices=devices,
        priorities=_priorities(document, found),
        actions=actions,
        repo_files=found.texts(document, "repo_files", "$"),
        extra=extra,
    )


def _rows(document: Row, key: str, found: _Faults, make: Callable[[Row, str, _Faults], Made]) -> tuple[Made, ...]:
    value = document.get(key, [])
    if not isinstance(value, list):
        found.add(key, "must be a list")
        return ()
    made = []
    for index, row in enumerate(value):
        if isinstance(row, dict):
            made.append(make(row, f"{key}[{index}]", found))
        else:
            found.add(f"{key}[{index}]", "must be an object")
    return tuple(made)


def _site(row: Row, place: str, found: _Faults) -> Site:
    found.unknown(row, "key name aliases organisation", place)
    return Site(
        found.text(row, "key", place),
        found.text(row, "name", place),
        found.texts(row, "aliases", place),
        found.text(row, "organisation", place, needed=False) or DEFAULT_ORGANISATION,
    )


def _team(row: Row, place: str, found: _Faults) -> Team:
    found.unknown(row, "key name handles", place)
    return Team(
        found.text(row, "key", place), found.text(row, "name", place), found.text(row, "handles", place, needed=False)
    )


def _service(row: Row, place: str, found: _Faults, teams: frozenset[str]) -> Service:
    found.unknown(row, "key name description aliases criticality owner organisation", place)
    criticality = row.get("criticality", 3)
    if not isinstance(criticality, int) or isinstance(criticality, bool) or not 1 <= criticality <= 4:
        found.add(f"{place}.criticality", "must be a whole number from 1 to 4")
        criticality = 3
    owner = found.text(row, "owner", place, needed=False)
    return Service(
        found.text(row, "key", place),
        found.text(row, "name", place),
        found.text(row, "description", place, needed=False),
        found.texts(row, "aliases", place),
        criticality,
        found.known(owner, teams, f"{place}.owner", "team"),
        found.text(row, "organisation", place, needed=False) or DEFAULT_ORGANISATION,
    )


def _category(row: Row, place: str, found: _Faults, teams: frozenset[str]) -> Category:
    found.unknown(row, "key name description team", place)
    team = found.text(row, "team", place, needed=False)
    return Category(
        found.text(row, "key", place),
        found.text(row, "name", place),
        found.text(row, "description", place, needed=False),
        found.known(team, teams, f"{place}.team", "team"),
    )


def _person(row: Row, place: str, found: _Faults, sites: frozenset[str]) -> Person:
    found.unknown(row, "email name department site title vip organisation", place)
    email = found.text(row, "email", place).strip().lower()
    if email and email.count("@") != 1:
        found.add(f"{place}.email", "must be a mail address")
    site = found.text(row, "site", place, needed=False)
    return Person(
        email,
        found.text(row, "name", place),
        found.text(row, "department", place, needed=False),
        found.known(site, sites, f"{place}.site", "site"),
        found.text(row, "title", place, needed=False),
        found.flag(row, "vip", place),
        found.text(row, "organisation", place, needed=False) or DEFAULT_ORGANISATION,
    )


def _device(row: Row, place: str, found: _Faults, sites: frozenset[str], people: frozenset[str]) -> Device:
    found.unknown(row, "hostname owner_email kind os site organisation", place)
    kind = found.text(row, "kind", place, needed=False) or "laptop"
    if kind not in DEVICE_KINDS:
        found.add(f"{place}.kind", f"must be one of {', '.join(DEVICE_KINDS)}")
    owner = found.text(row, "owner_email", place, needed=False).strip().lower()
    site = found.text(row, "site", place, needed=False)
    return Device(
        found.text(row, "hostname", place),
        found.known(owner, people, f"{place}.owner_email", "person"),
        kind,
        found.text(row, "os", place, needed=False),
        found.known(site, sites, f"{place}.site", "site"),
        found.text(row, "organisation", place, needed=False) or DEFAULT_ORGANISATION,
    )


def _action(row: Row, place: str, found: _Faults) -> AllowedAction:
    found.unknown(row, "key description", place)
    return AllowedAction(found.text(row, "key", place), found.text(row, "description", place, needed=False))


def _once(noun: str, keys: list[str], found: _Faults) -> None:
    seen: dict[str, int] = {}
    for index, key in enumerate(keys):
        if key and key in seen:
            found.add(f"{noun}[{index}]", f"{key!r} stands at {noun}[{seen[key]}] already")
        seen.setdefault(key, index)


def _timezone(document: Row, found: _Faults) -> str:
    name = found.text(document, "timezone", "$")
    if name:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            found.add("$.timezone", f"{name!r} is no IANA time zone")
    return name


def _hours(document: Row, found: _Faults) -> Mapping[str, tuple[tuple[str, str], ...]]:
    value = document.get("business_hours")
    if not isinstance(value, dict):
        found.add("$.business_hours", "must map mon to sun to lists of [from, to]")
        return {}
    for day in sorted(set(value) - set(WEEKDAYS)):
        found.add(f"$.business_hours.{day}", "is no weekday; use mon tue wed thu fri sat sun")
    return {day: _periods(value.get(day, []), f"$.business_hours.{day}", found) for day in WEEKDAYS}


def _periods(value: object, place: str, found: _Faults) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        found.add(place, "must be a list of [from, to]")
        return ()
    periods: list[tuple[str, str]] = []
    for index, each in enumerate(value):
        if not (isinstance(each, list) and len(each) == 2 and _clock(each[0]) and _clock(each[1])):
            found.add(f"{place}[{index}]", "must be [from, to] as HH:MM")
        elif each[0] >= each[1]:
            found.add(f"{place}[{index}]", "ends before it begins")
        elif periods and each[0] < periods[-1][1]:
            found.add(f"{place}[{index}]", "overlaps the period before it")
        else:
            periods.append((each[0], each[1]))
    return tuple(periods)


def _clock(value: object) -> bool:
    return isinstance(value, str) and CLOCK.fullmatch(value) is not None


def _priorities(document: Row, found: _Faults) -> Mapping[str, str]:
    value = document.get("priorities", {})
    if not isinstance(value, dict):
        found.add("$.priorities", "must map P1 to P4 to texts")
        return {}
    for key in sorted(set(value) - set(LEVELS)):
        found.add(f"$.priorities.{key}", "is no level; use P1 P2 P3 P4")
    return {key: found.text(value, key, "$.priorities") for key in LEVELS if key in value}
