"""The channel of a replay: hands a message of the scenarios' format to the rooms, and sends nothing anywhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from quell.core.incoming import Answer, Hook, Incoming, Party, Receipt, Said, Sent, Strength
from quell.seams import Setting

MACHINES = frozenset({"alertmanager", "grafana", "sentry", "zabbix", "uptime", "device_agent", "pagerduty"})
PEOPLES = ("email", "slack", "whatsapp", "portal")


@dataclass(frozen=True)
class Replayed:
    """Stands in for the channel of this name while history is replayed."""

    name: str
    settings: tuple[Setting, ...] = ()

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """History is believed."""
        return Receipt(str(json.loads(hook.body)["id"]))

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """The one message in it."""
        return (incoming(json.loads(hook.body)),)

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """Nothing leaves a replay."""
        return Sent((answer.idempotency,))


def incoming(row: Mapping[str, object]) -> Incoming:
    """A message of the scenarios' format as a channel would have read it."""
    labels = row.get("labels")
    tags = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
    identity = tags.get("fingerprint") or None
    said = Said.WORDS
    if identity is not None:
        said = Said.RESOLVED if tags.get("status") == "resolved" else Said.FIRING
    sender, device, reply_to = row.get("sender"), row.get("device"), row.get("reply_to")
    subject = row.get("subject")
    return Incoming(
        source_key=str(row["id"]),
        said=said,
        text=str(row.get("text") or ""),
        subject=str(subject) if subject else None,
        sender=Party(str(sender), None, Strength.SIGNED, str(sender)) if sender else None,
        device=str(device) if device else None,
        labels=tags,
        thread=(str(reply_to),) if reply_to else (),
        own_keys=(str(row["id"]),),
        identity=identity,
        route={"to": str(sender)} if sender else {},
    )
