"""The names behind keys and actors: categories, teams, sites, accounts, people, devices; and the company's clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.company import Company
from quell.store import companies
from quell.store.tables import account, api_token, device, person
from quell.web.views.signs import NOBODY, QUELL, Face, Source
from quell.web.words import initials

SOURCES: Mapping[str, Source] = {
    "email": Source("mail", "Email"),
    "slack": Source("slack", "Slack"),
    "whatsapp": Source("whatsapp", "WhatsApp"),
    "portal": Source("portal", "Portal"),
    "api": Source("server", "API"),
    "teams": Source("slack", "Teams"),
    "device-agent": Source("agent", "Device agent"),
    "alertmanager": Source("alert", "Alertmanager"),
    "azure-monitor": Source("alert", "Azure Monitor"),
    "checkmk": Source("alert", "Checkmk"),
    "cloudwatch": Source("alert", "CloudWatch"),
    "datadog": Source("alert", "Datadog"),
    "grafana": Source("alert", "Grafana"),
    "healthchecks": Source("alert", "Healthchecks"),
    "icinga": Source("alert", "Icinga"),
    "nagios": Source("alert", "Nagios"),
    "newrelic": Source("alert", "New Relic"),
    "opsgenie": Source("alert", "Opsgenie"),
    "pagerduty": Source("alert", "PagerDuty"),
    "pingdom": Source("alert", "Pingdom"),
    "uptime-kuma": Source("alert", "Uptime Kuma"),
    "zabbix": Source("alert", "Zabbix"),
    "sentry": Source("bug", "Sentry"),
    "gitea": Source("commit", "Gitea"),
    "github": Source("commit", "GitHub"),
    "gitlab": Source("commit", "GitLab"),
    "cloudevents": Source("plug", "CloudEvents"),
    "generic": Source("plug", "Any webhook"),
    "standard-webhooks": Source("plug", "Standard Webhooks"),
}


@dataclass(frozen=True)
class Names:
    """What one page needs to call things by their names; `now` is the moment that the whole page shows."""

    now: datetime
    company: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    categories: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    accounts: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)
    devices: Mapping[int, str] = field(default_factory=dict)
    tokens: Mapping[int, str] = field(default_factory=dict)

    def today(self) -> datetime:
        """When the company's day began."""
        return self.now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    def of(self, actor: str) -> str:
        """Who acted, by name: "Mara Lindqvist", "Quell", the name of a device or of a token."""
        kind, _, rest = actor.partition(":")
        if kind == "channel":
            return source(rest).name
        number = int(rest) if rest.isascii() and rest.isdigit() else None
        known = {"account": self.accounts, "person": self.people, "device": self.devices, "token": self.tokens}
        if kind in known:
            fallback = {"person": "Somebody", "device": "A device", "token": "A program"}.get(kind, "Somebody")
            return known[kind].get(number, fallback) if number is not None else fallback
        return "Somebody on the portal" if actor == "portal" else "Quell"

    def face(self, actor: str) -> Face:
        """The face of who acted."""
        name = self.of(actor)
        return QUELL if name == "Quell" else Face(name, initials(name))

    def owner(self, team: str | None, assignee: str | None, guess: bool) -> Face:
        """Whose a ticket is: a person before his team, nobody at last."""
        if assignee:
            name = self.of(assignee) if ":" in assignee else assignee
            return Face(name, initials(name))
        if not team:
            return NOBODY
        name = self.teams.get(team, team)
        return Face(name, initials(name), "team", guess)


def source(channel: str) -> Source:
    """A channel's sign and name; an unknown one gets a plain link and its own name."""
    known = SOURCES.get(channel.replace("_", "-"))
    return known or Source("link", channel.replace("-", " ").replace("_", " ").capitalize())


class NameBook:
    """Keeps the company in memory and reads it anew when it was loaded anew."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._at: object | None = None
        self._company: Company | None = None

    async def open(self, connection: AsyncConnection, now: datetime) -> Names:
        """The names for one page; those of people and devices are added by `with_actors` as far as they are needed."""
        at = await companies.loaded_at(connection)
        if at != self._at:
            self._company = await companies.current(connection)
            self._at = at
        rows = await connection.execute(select(account.c.id, account.c.name))
        accounts = {row.id: row.name for row in rows}
        known = self._company
        if known is None:
            return Names(now, accounts=accounts)
        return Names(
            now,
            known.name,
            ZoneInfo(known.timezone),
            {each.key: each.name for each in known.categories},
            {each.key: each.name for each in known.teams},
            {each.key: each.name for each in known.sites},
            {each.key: each.name for each in known.services},
            frozenset(each.key for each in known.actions),
            accounts,
        )


async def with_actors(connection: AsyncConnection, names: Names, actors: Iterable[str]) -> Names:
    """The same names with the people, devices and tokens that these actors are."""
    wanted: dict[str, set[int]] = {"person": set(), "device": set(), "token": set()}
    for actor in actors:
        kind, _, rest = actor.partition(":")
        if kind in wanted and rest.isascii() and rest.isdigit():
            wanted[kind].add(int(rest))
    people, devices, tokens = dict(names.people), dict(names.devices), dict(names.tokens)
    if wanted["person"]:
        query = select(person.c.id, person.c.name, person.c.email).where(person.c.id.in_(wanted["person"]))
        people |= {row.id: row.name or row.email or "(erased)" for row in await connection.execute(query)}
    if wanted["device"]:
        asked = select(device.c.id, device.c.hostname).where(device.c.id.in_(wanted["device"]))
        devices |= {row.id: row.hostname for row in await connection.execute(asked)}
    if wanted["token"]:
        named = select(api_token.c.id, api_token.c.name).where(api_token.c.id.in_(wanted["token"]))
        tokens |= {row.id: row.name for row in await connection.execute(named)}
    return replace(names, people=people, devices=devices, tokens=tokens)
