"""The company's own names found in a message: sites, services, hosts, persons, and numbers that look like names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from quell.core.company import Company, Person
from quell.core.reading import Message
from quell.ml.text import TOKEN, readable

NAME_TOKENS_MAX = 5
SHORT_NAME_LETTERS_MAX = 3
SERVICE_LABELS = ("service", "app", "application", "project", "job", "service_name")
SITE_LABELS = ("site", "location", "datacenter", "region", "branch", "building")
HOST_LABELS = ("instance", "host", "hostname", "node", "device", "target", "server")
STAGING = re.compile(
    r"\b(staging|stage|test|uat|sandbox|pre-?prod\w*|dev|qa|acceptance|acc|recette|homologa\w+)\b", re.I
)
STAGING_LABELS = ("env", "environment", "stage", "cluster", "namespace")
_HOST = re.compile(r"\b[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*[-_]?\d[a-z0-9]*(?:[-_.][a-z0-9]+)*\b", re.IGNORECASE)
_NUMBER = re.compile(r"\b\d{3,}\b")
_PORT = re.compile(r":\d+$")


@dataclass(frozen=True)
class Entities:
    """What was named; keys of the company where it knows them, else the bare words."""

    sites: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    label_services: frozenset[str] = frozenset()
    label_sites: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    label_hosts: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    sender_site: str | None = None
    staging: bool = False
    spans: Mapping[str, str] = field(default_factory=dict)


class Gazetteer:
    """Looks up the names and aliases of one company in a text, longest first by number of words."""

    def __init__(self, company: Company) -> None:
        """Index every site, service, device and person."""
        self._names: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._capitals: set[str] = set()
        for site in company.sites:
            self._add("site", site.key, (site.name, *site.aliases))
        for service in company.services:
            self._add("service", service.key, (service.name, *_halves(service.name), *service.aliases))
        for person in company.people:
            self._add("person", person.email, (person.name,))
        self.people: dict[str, Person] = {person.email.lower(): person for person in company.people}
        self.hosts = {device.hostname.lower(): device for device in company.devices}
        self._service_keys = {service.key.lower(): service.key for service in company.services}
        self._site_keys = {site.key.lower(): site.key for site in company.sites}

    def _add(self, kind: str, key: str, names: Iterable[str]) -> None:
        for name in names:
            words = TOKEN.findall(name)
            if not words or len(words) > NAME_TOKENS_MAX:
                continue
            phrase = " ".join(words).lower()
            self._names[phrase].add((kind, key))
            if len(words) == 1 and len(name) <= SHORT_NAME_LETTERS_MAX and name.isupper():
                self._capitals.add(phrase)

    def find(self, message: Message) -> Entities:
        """Everything that subject, text, labels, device and sender name."""
        text = readable(message.subject, message.text)
        found, spans = self._phrases(text)
        hosts = {h.lower() for h in _HOST.findall(text)} | {w for w in _words_with_dots(text) if w in self.hosts}
        label_hosts = {_bare_host(message.labels[name]) for name in HOST_LABELS if message.labels.get(name)}
        if message.device:
            label_hosts.add(message.device.lower())
        labels = {name.lower(): value for name, value in message.labels.items()}
        sender = self.people.get((message.sender or "").lower())
        device = self.hosts.get((message.device or "").lower())
        known_device_site = device.site if device else None
        return Entities(
            sites=frozenset(found["site"]),
            services=frozenset(found["service"]),
            label_services=self._from_labels(labels, SERVICE_LABELS, self._service_keys, "service"),
            label_sites=self._from_labels(labels, SITE_LABELS, self._site_keys, "site")
            or frozenset({known_device_site} if known_device_site and not message.sender else ()),
            hosts=frozenset(hosts | label_hosts),
            label_hosts=frozenset(label_hosts),
            persons=frozenset(found["person"]),
            numbers=frozenset(_NUMBER.findall(text)),
            sender_site=sender.site if sender else known_device_site,
            staging=_is_staging(text, labels),
            spans=spans,
        )

    def _phrases(self, text: str) -> tuple[dict[str, set[str]], dict[str, str]]:
        words = TOKEN.findall(text)
        lower = [word.lower() for word in words]
        found: dict[str, set[str]] = {"site": set(), "service": set(), "person": set()}
        spans: dict[str, str] = {}
        for start in range(len(words)):
            for size in range(1, NAME_TOKENS_MAX + 1):
                if start + size > len(words):
                    break
                phrase = " ".join(lower[start : start + size])
                entries = self._names.get(phrase)
                if not entries or (phrase in self._capitals and not words[start].isupper()):
                    continue
                for kind, key in sorted(entries):
                    found[kind].add(key)
                    spans.setdefault(key, " ".join(words[start : start + size]))
        return found, spans

    def _from_labels(
        self, labels: Mapping[str, str], names: tuple[str, ...], keys: Mapping[str, str], kind: str
    ) -> frozenset[str]:
        found: set[str] = set()
        for name in names:
            value = labels.get(name, "")
            if value.lower() in keys:
                found.add(keys[value.lower()])
            elif value:
                phrases, _ = self._phrases(value)
                found |= phrases[kind]
        return frozenset(found)


def _halves(name: str) -> list[str]:
    """'Meridian (electronic patient record)' is also called by what stands before the bracket."""
    return [part.strip(" )") for part in name.split("(")] if "(" in name else []


def _bare_host(value: str) -> str:
    return _PORT.sub("", value.lower().split("//")[-1].split("/")[0])


def _words_with_dots(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text.lower())


def _is_staging(text: str, labels: Mapping[str, str]) -> bool:
    said = [labels.get(name, "") for name in STAGING_LABELS] + [labels.get(name, "") for name in HOST_LABELS]
    return any(STAGING.search(value.replace("_", "-")) for value in said) or bool(
        re.search(r"\b(staging|uat|sandbox|pre-?prod\w*)\b", text, re.IGNORECASE)
    )
