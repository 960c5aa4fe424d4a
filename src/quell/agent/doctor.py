"""What stands in the agent's way on this device, for the person who sits before it."""

import platform
from collections.abc import Callable
from pathlib import Path

from quell.agent.home import Home, Unusable
from quell.agent.ledger import Ledger
from quell.agent.policy_file import load_policy
from quell.wire.errors import Untrusted


def examine(home: Path) -> tuple[tuple[str, str], ...]:
    """What was looked at and how it is, as pairs; the second begins with `ok` when nothing needs doing."""
    place = Home(home)
    found = [("python", f"ok {platform.python_version()}"), ("folder", f"ok {place.folder}")]
    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("enrolment", lambda: f"ok {place.load_identity()[0].device_id}"),
        ("policy", lambda: _policy_in_words(place)),
        ("ledger", lambda: f"ok {Ledger(place.ledger).head.entries} entries, chain unbroken"),
    )
    for what, look in looks:
        try:
            found.append((what, look()))
        except (Unusable, Untrusted) as error:
            found.append((what, str(error)))
    return tuple(found)


def _policy_in_words(place: Home) -> str:
    if not place.policy.exists():
        return "there is none, so nothing is allowed"
    policy = load_policy(place.policy)
    if policy.disabled:
        return "switched off by `disabled = true`"
    return f"ok allows {', '.join(sorted(policy.actions)) or 'nothing'}"
