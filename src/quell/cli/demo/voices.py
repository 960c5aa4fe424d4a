"""The voices of the sample company: each message is said on a real way in, as its sender's program would say it."""

import asyncio
import hashlib
import json
import smtplib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import httpx

from quell.channels.slack import signature
from quell.cli.demo.day import Spoken
from quell.core.errors import Broken

MAILBOX = "it@northwind-hospital.example"
TEAM, ROOM = "T0NORTHWIND", "C0ITHELP"
SIGNING_SECRET, BOT_TOKEN = "demo-signing-secret", "xoxb-demo"  # Of the demo's own small Slack.
MONITORS = ("alertmanager", "zabbix", "uptime")
AWAY = ("automatic reply", "automatisch antwoord", "abwesenheit", "out of office")
NOT_LABELS = frozenset({"fingerprint", "status"})
MAIL_TRIES = 60
BETWEEN_TRIES_S = 0.5


@dataclass
class Voices:
    """Says messages; remembers under which names, so that a reply finds its thread.

    `hooks` maps slack and each monitoring tool to its address; `people` maps a mail address to a name.
    """

    api: httpx.AsyncClient
    hooks: Mapping[str, str]
    lmtp_port: int
    people: Mapping[str, str]
    reports: dict[str, int] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    mailed: set[str] = field(default_factory=set)
    began: dict[str, str] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    async def say(self, spoken: Spoken, at: datetime) -> None:
        """Say one message now."""
        if spoken.channel == "email":
            await self._mail(spoken, at)
        elif spoken.channel == "slack":
            await self._slack(spoken, at)
        elif spoken.channel in MONITORS:
            await self._alert(spoken, at)
        else:
            await self._report(spoken)

    async def _mail(self, spoken: Spoken, at: datetime) -> None:
        sender, reply_to = str(spoken.row["sender"]), spoken.row.get("reply_to")
        mail = EmailMessage()
        mail["From"] = f"{self.people.get(sender, sender.partition('@')[0])} <{sender}>"
        mail["To"] = MAILBOX
        mail["Subject"] = str(spoken.row.get("subject") or "")
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = f"<{spoken.id}@{sender.partition('@')[2]}>"
        if reply_to in self.mailed:
            mail["In-Reply-To"] = mail["References"] = f"<{reply_to}@{sender.partition('@')[2]}>"
        if mail["Subject"].lower().startswith(AWAY):
            mail["Auto-Submitted"] = "auto-replied"
        mail.set_content(str(spoken.row["text"]))
        self.mailed.add(spoken.id)
        await self._deliver(sender, mail)

    async def _deliver(self, sender: str, mail: EmailMessage) -> None:
        for _ in range(MAIL_TRIES):
            try:
                await asyncio.to_thread(_lmtp, self.lmtp_port, sender, mail)
                return
            except OSError:  # The listener comes up a moment after the rest.
                await asyncio.sleep(BETWEEN_TRIES_S)
        raise Broken(f"nobody takes mail on port {self.lmtp_port}")

    async def _slack(self, spoken: Spoken, at: datetime) -> None:
        sender = str(spoken.row["sender"])
        stamp = f"{time.time():.6f}"
        self.stamps[spoken.id] = stamp
        event: dict[str, object] = {
            "type": "message",
            "channel": ROOM,
            "user": "U" + hashlib.sha256(sender.encode()).hexdigest()[:9].upper(),
            "text": str(spoken.row["text"]),
            "ts": stamp,
            "user_profile": {"real_name": self.people.get(sender, ""), "email": sender},
        }
        if thread := self.stamps.get(str(spoken.row.get("reply_to"))):
            event["thread_ts"] = thread
        body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{spoken.id}", "event": event}
        raw = json.dumps(body).encode()
        second = str(int(at.timestamp()))
        signed = {
            "content-type": "application/json",
            "x-slack-request-timestamp": second,
            "x-slack-signature": signature(SIGNING_SECRET, second, raw),
        }
        _check(await self.api.post(self.hooks["slack"], content=raw, headers=signed))

    async def _alert(self, spoken: Spoken, at: datetime) -> None:
        labels = spoken.labels
        name = labels["fingerprint"]
        over = labels.get("status") == "resolved"
        began = self.began.setdefault(name, at.isoformat())
        alert = {
            "status": "resolved" if over else "firing",
            "labels": {key: value for key, value in labels.items() if key not in NOT_LABELS},
            "annotations": {"summary": str(spoken.row.get("subject") or ""), "description": str(spoken.row["text"])},
            "startsAt": began,
            "endsAt": at.isoformat() if over else "0001-01-01T00:00:00Z",
            "fingerprint": name,
        }
        if over:
            self.began.pop(name)
        body = {"version": "4", "groupKey": name, "status": alert["status"], "receiver": "quell", "alerts": [alert]}
        _check(await self.api.post(self.hooks[spoken.channel], json=body))

    async def _report(self, spoken: Spoken) -> None:
        """The portal, and what has no channel of its own yet: told over the API by a program with a token."""
        row = spoken.row
        body = {"reporter": row.get("sender") or "", "subject": row.get("subject") or "", "text": row["text"]}
        body |= {"channel": spoken.channel} if spoken.channel != "portal" else {}
        body |= {"device": row["device"]} if row.get("device") else {}
        body |= {"labels": dict(spoken.labels)} if spoken.labels else {}
        if earlier := self.reports.get(str(row.get("reply_to"))):
            body["reply_to"] = str(earlier)
        answer = await self.api.post("/api/v1/reports", json=body, headers={"idempotency-key": spoken.id})
        _check(answer)
        self.reports[spoken.id] = int(answer.json()["number"])


def _lmtp(port: int, sender: str, mail: EmailMessage) -> None:
    with smtplib.LMTP("127.0.0.1", port) as server:
        server.send_message(mail, sender, [MAILBOX])


def _check(answer: httpx.Response) -> None:
    if answer.status_code >= 300:
        raise Broken(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
