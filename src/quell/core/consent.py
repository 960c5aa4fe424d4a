"""Leave to run a fix: who gave it, for exactly which plan, until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from quell.core.errors import Refused

CONSENT_VALID_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Consent:
    """A person's or a gate's yes to one plan of one fix; it names the plan by its hash and runs out."""

    id: int
    fix: int
    plan_hash: str
    actor: str
    at: datetime
    expires: datetime
    withdrawn: datetime | None = None


def check_consent(consent: Consent | None, plan_hash: str, at: datetime) -> None:
    """Raise Refused (403) when there is no leave for exactly this plan now."""
    if consent is None:
        raise Refused("nobody has agreed to this fix", 403, "no_consent")
    if consent.withdrawn is not None:
        raise Refused("the consent was withdrawn", 403, "consent_withdrawn")
    if consent.plan_hash != plan_hash:
        raise Refused("the consent was given for another plan", 403, "other_plan")
    if at >= consent.expires:
        raise Refused("the consent has run out", 403, "consent_expired")
