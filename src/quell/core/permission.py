"""Who may do what: roles and the verbs that each may call."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quell.core.errors import Refused


class Role(StrEnum):
    """What an account or a token is trusted with."""

    OWNER = "owner"
    ADMIN = "admin"
    TECHNICIAN = "technician"
    REPORTER = "reporter"
    AUDITOR = "auditor"
    INTEGRATION = "integration"


class May(StrEnum):
    """A group of verbs."""

    REPORT = "report"
    READ = "read"
    WORK = "work"
    CONSENT = "consent"
    CONFIGURE = "configure"
    AUDIT = "audit"


ROLES: Mapping[Role, frozenset[May]] = {
    Role.OWNER: frozenset(May),
    Role.ADMIN: frozenset(May),
    Role.TECHNICIAN: frozenset({May.REPORT, May.READ, May.WORK, May.CONSENT}),
    Role.REPORTER: frozenset({May.REPORT}),
    Role.AUDITOR: frozenset({May.READ, May.AUDIT}),
    Role.INTEGRATION: frozenset({May.REPORT, May.READ}),
}


@dataclass(frozen=True)
class Actor:
    """Who calls a verb: `name` is what stands in the log, like `account:3`, `rule:impact`, `model:engine`."""

    name: str
    role: Role | None = None
    shown: str = ""

    def need(self, may: May) -> None:
        """Raise Refused (403) when this actor is not allowed to."""
        if self.role is not None and may not in ROLES[self.role]:
            raise Refused(f"a {self.role} may not {may} here", 403, "not_allowed")


SYSTEM = Actor("system", None, "Quell")
