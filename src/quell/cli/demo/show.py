"""The show itself: sets everything up, plays the messages, and keeps the technician and the watcher at work."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from quell.cli import apart
from quell.cli.demo import day as sample
from quell.cli.demo import devices, outside, voices
from quell.cli.demo.devices import Device
from quell.cli.demo.technician import Technician
from quell.cli.demo.voices import Voices
from quell.cli.demo.watcher import INDENT, Watcher, short
from quell.cli.door import now
from quell.core.errors import Broken
from quell.core.permission import Role

TECHNICIAN = "the demo's technician"
LOOK_EVERY_S = 1.0
SETTLES_WITHIN_S = 90.0
QUIET_ROUNDS = 6
WORDS_SHOWN = 100


@dataclass
class Show:
    """One demo in one folder; `say` takes its lines."""

    home: Path
    spoken: list[sample.Spoken]
    speed: float
    port: int | None
    hands_off: bool
    say: Callable[[str], None]
    fixed_tickets: set[int] = field(default_factory=set)

    async def run(self, once: bool) -> None:
        """Play the day; with `once` end when it is over, otherwise stay."""
        spoken, company = self.spoken, json.loads(sample.company())
        self.say(f"Starting Quell in {self.home} …")
        async with AsyncExitStack() as stack:
            smtp = await stack.enter_async_context(outside.mail_sink(self._answered))
            slack = await stack.enter_async_context(outside.slack_api(self._answered))
            quell = await stack.enter_async_context(apart.running(self.home, self.port))
            self.say(f"Quell is ready at {quell.url}")
            if quell.first_run:
                self.say(f"Make your account here: {quell.first_run}")
            owner = await stack.enter_async_context(await quell.client(Role.OWNER))
            machine = await stack.enter_async_context(await quell.client(Role.INTEGRATION, "the demo's voices"))
            hand = await stack.enter_async_context(await quell.client(Role.TECHNICIAN, TECHNICIAN))
            told = voices_of(company, machine, await self._connect(owner, smtp, slack), quell.ports["QUELL_LMTP_PORT"])
            watcher = Watcher(hand, self.say, names_of(company))
            technician = Technician(hand, watcher, self.say, last_of(spoken))
            laptop, pillar = await stack.enter_async_context(self._devices(owner, quell.url))
            self.say(
                f"{company['name']}: {len(spoken)} messages of {spoken[0].at:%A %-d %B}, {self.speed:g} times faster"
            )
            self.say("")
            minding = asyncio.create_task(self._mind(watcher, technician, {laptop.hostname, pillar.hostname}))
            try:
                await self._play(spoken, told, technician, laptop, pillar)
                await self._settle(watcher, technician)
                self.say("")
                self.say(f"The day is over. The queue stays at {quell.url}" + ("" if once else "; Ctrl-C ends it."))
                while not once:
                    await self._alive(minding)
            finally:
                minding.cancel()
                await asyncio.gather(minding, return_exceptions=True)

    async def _connect(self, owner: httpx.AsyncClient, smtp: int, slack: str) -> dict[str, str]:
        """Load the company and switch the channels on; the address of each hook."""
        await asked(owner.put("/api/v1/company", content=sample.company()))
        settings = {"address": voices.MAILBOX, "smtp_url": f"smtp://127.0.0.1:{smtp}", "from_name": "Northwind IT"}
        await add_channel(owner, "email", settings)
        secrets = {"signing_secret": voices.SIGNING_SECRET, "bot_token": voices.BOT_TOKEN, "api_url": slack}
        hooks = {"slack": await add_channel(owner, "slack", secrets)}
        for tool in voices.MONITORS:
            hooks[tool] = await add_channel(owner, "alertmanager", {})
        return hooks

    @asynccontextmanager
    async def _devices(self, owner: httpx.AsyncClient, server: str) -> AsyncIterator[tuple[Device, Device]]:
        folder = self.home / "devices"
        laptop, pillar = devices.laptop(folder), await devices.check_in_pillar(folder)
        try:
            for each in (laptop, pillar):
                made = await asked(owner.post("/api/v1/enrolments", json={}))
                await each.enrol(server, str(made["token"]))
            await pillar.switch_on()
            yield laptop, pillar
        finally:
            await asyncio.gather(laptop.switch_off(), pillar.switch_off())
            await devices.stop_pillar(pillar)

    async def _play(
        self, spoken: list[sample.Spoken], told: Voices, technician: Technician, laptop: Device, pillar: Device
    ) -> None:
        await laptop.switch_on()
        trouble = "its small disk is nearly full" if laptop.launch else "no disk can be hung here, its cache has grown"
        self.say(f"{INDENT}{laptop.hostname} is switched on; {trouble}")
        broken = False
        for each, wait_s in zip(spoken, sample.waits(spoken, self.speed), strict=True):
            await asyncio.sleep(wait_s)
            if each.row.get("device") == pillar.hostname and each.channel == "device_agent":
                # This device is really there: its service dies, and its own agent says so.
                if not broken:
                    devices.break_pillar(pillar)
                    self.say(f"{each.at:%H:%M}   the check-in service on {pillar.hostname} dies")
                    technician.expected[pillar.hostname] = str(each.truth["problem"])
                broken = True
                continue
            who = told.people.get(str(each.row.get("sender")), each.row.get("device") or each.row.get("sender") or "")
            self.say(f"{each.at:%H:%M}   {each.channel:<12} {who}: {short(each.title)}")
            await told.say(each, now())
            technician.heard(each, asyncio.get_running_loop().time())

    async def _mind(self, watcher: Watcher, technician: Technician, hostnames: set[str]) -> None:
        """Look at the queue again and again, and let the technician work."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._mind_fixes(watcher, technician, hostnames)
                await watcher.look()
                if not self.hands_off:
                    await technician.work(loop.time())
            except (httpx.HTTPError, KeyError) as trouble:
                self.say(f"{INDENT}the demo could not look at the queue: {type(trouble).__name__}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _mind_fixes(self, watcher: Watcher, technician: Technician, hostnames: set[str]) -> None:
        for number, ticket in watcher.tickets.items():
            name = next((each for each in hostnames if each in ticket["title"]), None)
            if name is not None:
                self.fixed_tickets.add(number)
                technician.adopt(name, number)
        for number in sorted(self.fixed_tickets):
            await watcher.look_at_fixes(number)
            if not self.hands_off:
                await technician.mind_fixes(number, asyncio.get_running_loop().time())

    async def _settle(self, watcher: Watcher, technician: Technician) -> None:
        """Let what is under way come to its end, within bounds."""
        quiet, until = 0, asyncio.get_running_loop().time() + SETTLES_WITHIN_S
        while quiet < QUIET_ROUNDS and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(LOOK_EVERY_S)
            busy = watcher.fixing or technician.waiting or technician.closing
            quiet = 0 if busy and not self.hands_off else quiet + 1

    async def _alive(self, minding: "asyncio.Task[None]") -> None:
        await asyncio.wait({minding}, timeout=LOOK_EVERY_S)
        if minding.done():
            minding.result()

    def _answered(self, where: str, words: str) -> None:
        line = " ".join(words.split())
        self.say(f"{INDENT}→ {where} hears: {line[:WORDS_SHOWN]}{'…' if len(line) > WORDS_SHOWN else ''}")


def voices_of(company: dict[str, Any], api: httpx.AsyncClient, hooks: dict[str, str], lmtp_port: int) -> Voices:
    """The voices of this company's people."""
    return Voices(api, hooks, lmtp_port, {each["email"]: each["name"] for each in company["people"]})


def names_of(company: dict[str, Any]) -> dict[str, str]:
    """The names of categories and teams by `field:key`."""
    names = {f"category:{each['key']}": str(each["name"]) for each in company["categories"]}
    return names | {f"owner:{each['key']}": str(each["name"]) for each in company["teams"]}


def last_of(spoken: list[sample.Spoken]) -> dict[str, str]:
    """For each problem of several messages the id of its last one."""
    found: dict[str, list[str]] = {}
    for each in spoken:
        if problem := each.truth.get("problem"):
            found.setdefault(str(problem), []).append(each.id)
    return {problem: ids[-1] for problem, ids in found.items() if len(ids) > 1}


async def add_channel(owner: httpx.AsyncClient, name: str, settings: dict[str, str]) -> str:
    """Switch a channel on; its hook's address."""
    return str((await asked(owner.post("/api/v1/channels", json={"name": name, "settings": settings})))["address"])


async def asked(call: Any) -> dict[str, Any]:
    """The answer of the API; Broken when it refused."""
    answer: httpx.Response = await call
    if answer.status_code >= 300:
        raise Broken(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
    found: dict[str, Any] = answer.json()
    return found
