"""An invented day at Aldermoor, as the drawings show it: every page can be looked at before anything really happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from quell.core.errors import Refused
from quell.web.desk import Who
from quell.web.reads import Ask, Found, Rail, Tally
from quell.web.views.devices import Allowed, DeviceRow, DevicesView, DeviceView, Run
from quell.web.views.portal import MyRequest, PortalView, RequestView
from quell.web.views.queue import Empty, Group, Peek, Proposed, QueueView, Row, WhyView
from quell.web.views.setup import ChannelRow, Member, SetupView
from quell.web.views.signs import QUELL, Chip, Clock, Face, Light, Moment, Source, Spark, Why
from quell.web.views.ticket import (
    Alike,
    Bars,
    Change,
    Choice,
    Download,
    DueLine,
    EditView,
    Entry,
    Field,
    File,
    Fix,
    Joined,
    Matrix,
    MergeView,
    Message,
    Offer,
    Reading,
    Seal,
    Snapshot,
    Step,
    Talk,
    TicketView,
)

MAIL, SLACK, ALERT = Source("mail", "Email"), Source("slack", "Slack"), Source("alert", "Alertmanager")
PORTAL, AGENT, SENTRY = Source("portal", "Portal"), Source("agent", "Device agent"), Source("bug", "Sentry")
MARA, TOM, WOUTER = Face("Mara Lindqvist", "ML"), Face("Tom Abara", "TA"), Face("Wouter de Boer", "WB")
REASONS = (
    Why("+38", "“VPN disconnects” is in 61 solved tickets, 58 of them here"),
    Why("+29", "BRS-NB-0233 lost its tunnel 14 times since 07:10"),
    Why("+11", "Update KB5071 went on at 02:14, client is 5.0.3"),
    Why("−6", "Two like it in October were home routers"),
)
SPARK = Spark(
    "0.0,15.0 3.4,15.0 6.7,12.7 10.1,15.0 16.8,10.3 20.2,8.0 23.6,3.3 26.9,5.7 30.3,1.0 37.1,10.3 47.2,12.7 64.0,12.7",
    "Reports per minute, last 40 minutes",
)
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror=alert(2)> "quoted" \u202egnp.exe\u202c '
    + "Donaudampfschifffahrtsgesellschaft" * 12
    + " \u0000\u0007 {{ 7919*7919 }} مرحبا"
)


def at(text: str) -> Moment:
    """A time of the invented morning."""
    return Moment(text, f"2026-11-23T{text}:00+00:00", f"Monday, 23 November 2026, {text}")


def guess(
    number: int, title: str, who: str, priority: str, category: str, sure: int, due: Clock, **more: object
) -> Row:
    """A row that waits for a yes."""
    values: dict[str, object] = {
        "sources": (MAIL,),
        "sources_say": "1 from Email",
        "owner": Face("Wouter de Boer", "WB", guess=True),
        "unread": sure > 85,
        "reasons": REASONS,
    }
    values |= more
    return Row(
        number,
        3,
        title,
        "yes",
        priority=priority,
        priority_guess=True,
        category=category,
        category_guess=True,
        who=who,
        confidence=sure,
        due=due,
        accepts=True,
        **values,  # type: ignore[arg-type]
    )


def rows() -> dict[str, tuple[Row, ...]]:
    """The rows of the drawing by group."""
    soon, over = Clock("41 m", "soon", "First answer due"), Clock("12 m over", "over", "First answer was due at 09:20")
    return {
        "live": (
            Row(
                4127,
                64,
                "Parcel labels do not print at any depot",
                "live",
                "P1",
                category="Printing and labels",
                owner=MARA,
                reports=31,
                sources=(MAIL, SLACK, SENTRY),
                sources_say="31 from Email, Slack, Sentry",
                due=Clock("13 m", "soon", "Solution due at 13:12"),
                live=True,
                spark=SPARK,
            ),
            Row(
                4119,
                9,
                "Scanners in Utrecht drop off the Wi-Fi",
                "live",
                "P2",
                category="Warehouse scanners",
                owner=WOUTER,
                reports=7,
                sources=(SLACK, AGENT),
                sources_say="7 from Slack, Device agent",
                due=Clock("1 h 12 m"),
                live=True,
                spark=SPARK,
            ),
        ),
        "yes": (
            guess(
                4131,
                "VPN drops every ten minutes since the update last night",
                "Sofia Marchetti",
                "P3",
                "Network and VPN",
                94,
                Clock("3 h 40 m", "", "First answer due at 13:24"),
            ),
            guess(
                4130,
                "Cannot approve invoices, button is grey",
                "Finance, 3 people",
                "P2",
                "Order platform",
                88,
                soon,
                reports=3,
                sources=(MAIL, SLACK),
            ),
            guess(
                4129,
                "New phone for Ade Bello, starts Monday",
                "Priya Raman",
                "P3",
                "Joiners and leavers",
                97,
                Clock("2 d"),
                sources=(PORTAL,),
            ),
            guess(
                4128,
                "Laptop fan very loud and the screen flickers",
                "Ben Achterberg",
                "P3",
                "Laptops",
                82,
                Clock("3 h 12 m"),
            ),
            guess(
                4124,
                "It does it again",
                "Oskar Lind",
                "P3",
                "Laptops",
                41,
                Clock("2 h 50 m"),
                chips=(Chip("asks back", "warn"),),
            ),
        ),
        "hand": (
            Row(
                4122,
                5,
                "Order import from Brightwell stuck since 06:00",
                "hand",
                "P2",
                category="Order platform",
                owner=Face("Ines Okafor", "IO"),
                who="TimeoutError",
                reports=4,
                sources=(SENTRY,),
                due=over,
            ),
            Row(
                4118,
                7,
                "Disk at 91 % on LDS-FILE-01",
                "hand",
                "P3",
                category="Servers",
                owner=QUELL,
                reports=2,
                sources=(ALERT, AGENT),
                chips=(Chip("fix runs", "accent", "play"),),
                due=Clock("6 m", "soon"),
            ),
            Row(
                4101,
                4,
                "Licence for the drawing tool, Design team",
                "hand",
                "P4",
                category="Software requests",
                owner=Face("Priya Raman", "PR"),
                who="Marc Oyelaran",
                sources=(MAIL,),
                due=Clock("1 d 2 h"),
            ),
        ),
        "wait": (
            Row(
                4097,
                6,
                "Cannot open the March price list",
                "wait",
                "P3",
                category="Shared drives",
                owner=TOM,
                who="for Eva Brandt",
                sources=(MAIL,),
                due=Clock("paused", "paused", "The clock stands still"),
            ),
        ),
    }


NAMES = {"live": "Live incidents", "yes": "Needs your yes", "hand": "In hand", "wait": "Waiting on somebody"}


@dataclass
class SampleReads:
    """Answers every question from the invented day; `hostile` turns each text into one that tries to break out."""

    hostile: bool = False
    empty: bool = False
    asked: list[str] = field(default_factory=list)

    async def company(self) -> str:
        """The company."""
        return self._text("Aldermoor")

    async def rail(self, who: Who) -> Rail:
        """The counts."""
        if self.empty:
            return Rail("")
        views = (
            Tally("all", "All open", 23),
            Tally("yes", "Needs your yes", 6),
            Tally("mine", "Mine", 4),
            Tally("live", "Live incidents", 2),
            Tally("due", "Due in the next hour", 3),
            Tally("nobody", "Nobody owns it", 0),
            Tally("sorted", "Sorted today", 38),
        )
        return Rail(
            self._text("Aldermoor"),
            views,
            (Tally("platform", self._text("Platform"), 9), Tally("network", "Network", 4)),
            6,
        )

    async def queue(self, who: Who, ask: Ask) -> QueueView:
        """The queue."""
        if self.empty:
            return QueueView("all", "All open", 0, 0, empty=Empty("search" if ask.words else "first"), words=ask.words)
        groups = tuple(
            Group(
                key,
                NAMES[key],
                len(found) + (9 if key == "hand" else 0),
                "clocks stand still" if key == "wait" else "",
                tuple(self._row(row) for row in found),
            )
            for key, found in rows().items()
        )
        peek = await self.peek(who, 4131)
        return QueueView("all", "All open", 23, 74, groups, "n", ask.words, peek, cursor=4131)

    async def rows(self, who: Who, ask: Ask, numbers: Sequence[int]) -> tuple[Row, ...]:
        """Rows by number."""
        return tuple(self._row(row) for found in rows().values() for row in found if row.number in numbers)

    async def fresh(self, who: Who, ask: Ask, numbers: Sequence[int]) -> tuple[int, ...]:
        """All are new."""
        return tuple(numbers)

    async def peek(self, who: Who, number: int) -> Peek:
        """The preview."""
        row = next((row for found in rows().values() for row in found if row.number == number), None)
        if row is None:
            raise Refused(f"There is no T-{number}.", 404, "no_such_ticket")
        fields = (
            Proposed("category", "Category", self._text(row.category), row.category_guess),
            Proposed("priority", "Priority", row.priority, row.priority_guess, "one person, slowed"),
            Proposed("owner", "Owner", self._text(row.owner.name), row.owner.guess, "Network"),
        )
        quote = (
            "Morning, since the Windows update last night the VPN disconnects every ten minutes or so. I have to sign "
            "in again each time. Wired or Wi-Fi makes no difference."
        )
        return Peek(
            self._row(row),
            "Email",
            at("09:24"),
            self._text(quote),
            self._text("Sofia Marchetti, Customs"),
            self._text("BRS-NB-0233"),
            fields,
        )

    async def why(self, who: Who, number: int) -> WhyView:
        """The reasons."""
        foot = "The model is engine 1. How often calls this sure are right is measured before a gate opens."
        return WhyView(self._text("Why Network and VPN, 94%"), (("", REASONS),), foot)

    async def file(self, number: int) -> Download:
        """A file."""
        return Download("x.html", b"<script>alert(1)</script>")

    async def file_of(self, report: int, number: int) -> Download:
        """A file."""
        return Download("x.html", b"<script>alert(1)</script>")

    async def talk(self, who: Who, number: int, report: int | None) -> Talk:
        """The conversation."""
        text = self._text
        messages = (
            Message(
                QUELL,
                "Quell",
                "to everyone who reported",
                at("09:18"),
                text("We know that labels do not print at any depot. It is not your printer. We are on it."),
            ),
            Message(
                Face("Kofi Mensah", "KM"),
                text("Kofi Mensah"),
                "Slack, #warehouse-leeds",
                at("09:33"),
                text("12 vans waiting. Can we print on the old handhelds in the meantime?"),
                report=8,
                files=(File(text("bay 4.jpg"), "/files/1", "214 kB"),),
            ),
            Message(
                TOM,
                "Tom Abara",
                "",
                at("09:37"),
                text("412 still has the templates.\nI would go back first."),
                note=True,
            ),
            Message(
                MARA,
                "Mara Lindqvist",
                "to everyone who reported",
                at("09:45"),
                text("Leeds prints again. Please do not restart your printers."),
                unsent="waits for the channel",
            ),
        )
        return Talk(messages, ((8, text("Kofi Mensah"), 2), (9, "Ilse Maas", 1)), report, 31, 3)

    async def ticket(self, who: Who, number: int, ask: Ask) -> TicketView:
        """The page of one ticket."""
        row = next((row for found in rows().values() for row in found if row.number == number), None)
        if row is None or self.empty:
            raise Refused(f"There is no T-{number}.", 404, "no_such_ticket")
        text = self._text
        return TicketView(
            row=self._row(row),
            status="Incident, quiet since 09:31",
            status_says="open",
            open=True,
            opened=at("09:12"),
            reports=row.reports,
            people=28,
            machines=3,
            sites=3,
            fields=self._fields(row),
            joined=self._joined(),
            talk=await self.talk(who, number, None),
            entries=self._entries(),
            seal=Seal(64, True, "9c1f04ae", "Each entry carries the hash of the one before. All 64 were recomputed."),
            due=Clock("3 h 24 m", "", "Solution due at 13:12"),
            due_lines=(
                DueLine("First answer", "in 15 m, done after 6 m, kept", "good"),
                DueLine("Solution", "by 13:12"),
                DueLine("Because", "P1: solution within 4 h around the clock"),
            ),
            known=("The first report came at 09:12 from Alertmanager, the last at 09:31.",),
            bars=Bars(
                tuple(
                    (41.8 + 20 * n, 68 - 15 * k, 15.9, 15 * k, f"{k} reports")
                    for n, k in enumerate((1, 2, 3, 1, 2, 4, 2, 3, 3, 2, 1, 2, 1))
                ),
                ((0, "09:10"), (358, "09:28"), (716, "09:46")),
                "31 reports",
                "minute",
            ),
            matrix=Matrix(
                ("low", "medium", "high"),
                (
                    ("company", ("P2", "P1", "P1")),
                    ("site", ("P3", "P2", "P1")),
                    ("team", ("P3", "P2", "P2")),
                    ("few", ("P4", "P3", "P2")),
                    ("one", ("P4", "P3", "P3")),
                ),
                (2, 0),
                "28 reporters at 3 sites: impact company, urgency high",
            ),
            fixes=self._fixes(),
            offers=(
                Offer("flush_dns", "Flush the DNS cache", "LDS-PRINT-02"),
                Offer(
                    "restart_service",
                    "Restart a service",
                    "LDS-PRINT-02",
                    (Choice("service", "service", "one that the device lists"),),
                ),
            ),
            snapshots=self._snapshots(),
            solved_before=(
                Alike(3310, text("Labels blank after release 398"), "solved in 52 m, 12 November", 77),
                Alike(2874, "Gateway 502 in Utrecht", "solved in 3 h, certificate had run out", 49),
            ),
            open_beside=(Alike(4119, "Scanners in Utrecht drop off the Wi-Fi", "same site, 1 h ago"),),
            sources=((MAIL, 12), (SLACK, 9), (PORTAL, 3), (ALERT, 3)),
            reaches="Each gets it where he wrote: 12 email, 9 Slack, 3 portal",
            proposal_chip=Chip("3 taken, 1 changed", "", "check"),
            previous=4119,
            following=4130,
            place="1 of 23",
        )

    def _fields(self, row: Row) -> tuple[Field, ...]:
        return (
            Field(
                "category",
                "Category",
                "printing",
                self._text("Printing and labels"),
                row.category_guess,
                "Mara Lindqvist said yes",
                at("09:20"),
                96,
                "of past calls this sure, about 96% were right",
                REASONS,
                "engine 1.0",
            ),
            Field("priority", "Priority", "P1", "P1", False, "changed by Mara Lindqvist from P2", at("09:20")),
            Field("owner", "Owner", "platform", "Platform", row.owner.guess, "Quell thinks so", at("09:13"), 89),
            Field("assignee", "Person", "", "", False),
        )

    def _joined(self) -> tuple[Joined, ...]:
        text = self._text
        first = Joined(
            1,
            "alert",
            "Alertmanager",
            text("LabelRenderErrors firing on print-gateway, 3 sites"),
            "Alertmanager",
            at("09:12"),
            first=True,
            reason="first report, opened the ticket",
        )
        ask = Joined(
            7,
            "mail",
            "Email",
            text("Printer in Accounts prints blank pages since yesterday"),
            text("Rob Hanley, Accounts"),
            at("09:24"),
            "ask",
            58,
            "other printer, other day",
        )
        out = Joined(
            9,
            "mail",
            "Email",
            text("Ink is low on the second floor printer"),
            "Nadia Petrov",
            at("09:22"),
            "out",
            out_says="Taken out, Tom, 09:36",
            moved_to=4125,
        )
        many = tuple(
            Joined(
                20 + n,
                "slack",
                "Slack",
                text("labels dead on all lines?? printer just blinks"),
                text("Kofi Mensah in #warehouse-leeds"),
                at("09:14"),
                "in",
                91 - n,
                text("“labels”, Leeds, 2 min apart"),
            )
            for n in range(14)
        )
        return (first, *many, ask, out)

    def _entries(self) -> tuple[Entry, ...]:
        text = self._text
        return (
            Entry(at("09:43"), "done", "Fix held.", "3 of 3 checks passed on LDS-PRINT-02", "queue 212 → 0", "good"),
            Entry(at("09:40"), "check", text("Mara Lindqvist"), text("approved the fix for one host")),
            Entry(at("09:31"), "eye", "Quell", "read the device", "", "", True),
            Entry(at("09:12"), "alert", "Alertmanager", "opened the ticket", "", "bad"),
        )

    def _fixes(self) -> tuple[Fix, ...]:
        text = self._text
        plan = (
            Step(text("Free disk space below /var/cache/apt"), "1.2 GB", "files older than 30 days", "", "Do"),
            Step("The fullest disk is below 85%", "", "", "", "After"),
        )
        done = (
            Step("Stop 413, start 412", "38 s", "action restart_service, on this device’s list", "ok", "Do"),
            Step("Errors stop", "94% → 0%", "", "ok", "After"),
        )
        return (
            Fix(
                12,
                text("Free disk space"),
                text("BRS-PRINT-01"),
                "waits",
                Chip("waits for approval", "warn"),
                plan,
                plan_hash="ab12" * 16,
                way_back="What is deleted cannot be brought back: only caches are.",
            ),
            Fix(
                11,
                "Restart a service",
                "LDS-PRINT-02",
                "held",
                Chip("held", "good", "done"),
                done,
                (Change("Label queue", "212", "0", "ok"), Change("Errors", "94%", "93%", "bad")),
                consent="Mara Lindqvist approved, 09:40",
            ),
        )

    def _snapshots(self) -> tuple[Snapshot, ...]:
        text = self._text
        readings = (
            Reading("Fullest disk", "91%", 91, "bad", "/var, 18 of 20 GB"),
            Reading("Memory", "50%", 50),
            Reading("CPU", "24%", 24),
            Reading("DNS", "1.2 s", None, "warn"),
        )
        lists = (("Top processes", (text("gateway 24% 1.1 GB"), "postgres 3%")), ("Last warnings", (text("oom"),)))
        return (
            Snapshot(
                text("LDS-PRINT-02"), "/devices/LDS-PRINT-02", at("09:15"), readings, lists, "Debian 12, agent 1.4.2"
            ),
        )

    async def edit(self, who: Who, numbers: Sequence[int], focus: str) -> EditView:
        """The edit dialog."""
        if not numbers:
            raise Refused("Choose a ticket first.", 400, "nothing_chosen")
        title = f"T-{numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} tickets"
        return EditView(
            tuple((number, 3) for number in numbers),
            title,
            focus,
            (Choice("network", "Network and VPN"), Choice("laptops", self._text("Laptops"))),
            (Choice("network", "Network"), Choice("platform", "Platform")),
            tuple(Choice(each, each) for each in ("P1", "P2", "P3", "P4")),
            (Choice("account:1", "Mara Lindqvist"),),
            "network",
            "network",
            "P3",
        )

    async def merge(self, who: Who, numbers: Sequence[int], words: str) -> MergeView:
        """The merge dialog."""
        found = (Alike(4127, self._text("Parcel labels do not print at any depot"), "same words, 20 m ago", 62),)
        return MergeView(tuple((number, 3) for number in numbers), "Join T-4131 to…", found, words)

    async def find(self, who: Who, words: str) -> tuple[Found, ...]:
        """The palette."""
        return (
            Found("Tickets", self._text("Parcel labels do not print"), "/tickets/4127", "T-4127", priority="P1"),
            Found("Devices", "LDS-PRINT-02", "/devices/LDS-PRINT-02", "device", icon="server"),
        )

    async def portal(self, email: str | None) -> PortalView:
        """The reporter's page."""
        if email is None or self.empty:
            return PortalView("Aldermoor", email=email or "")
        text = self._text
        mine = (
            MyRequest(
                3,
                text("Wi-Fi weak in the cold store"),
                "Somebody is on it, news by Thursday",
                "network",
                Chip("In hand", "accent"),
            ),
            MyRequest(
                4,
                "Password for the customs site",
                "Wouter asks: which of your two accounts?",
                "key",
                Chip("Waits for you", "warn"),
                asks=True,
            ),
            MyRequest(
                5, "Second floor printer jams", "Solved on 12 November", "printer", Chip("Solved", "good", "done")
            ),
        )
        return PortalView(
            "Aldermoor",
            "Grace Adeyemi",
            email,
            devices=(text("Packing station 4"),),
            requests=mine,
            ways=("help@aldermoor.example",),
        )

    async def request(self, report: int, link: str) -> RequestView:
        """One request."""
        talk = await self.talk(Who(0, "", "", "reporter"), 1, None)
        messages = tuple(each for each in talk.messages if not each.note)
        return RequestView(
            "Aldermoor",
            report,
            self._text("Wi-Fi weak in the cold store"),
            Chip("In hand", "accent"),
            "Somebody is on it. You hear from us by 13:12.",
            at("09:12"),
            messages,
            link,
            asks_solved=True,
        )

    async def devices(self, who: Who, which: str, words: str, after: str) -> DevicesView:
        """The fleet."""
        if self.empty:
            return DevicesView((), 0, 0, 0, 0, 0, 4, words=words)
        found = (
            self._device("LDS-PRINT-02", Light("ok", "Seen 8 s ago"), 50),
            self._device("LDS-FILE-01", Light("run", "Fix runs"), 91, "bad"),
            self._device("LDS-PH-0031", Light("off", "Silent for 3 d"), 40),
        )
        filters = (("look", "Need a look", 9), ("all", "All", 412))
        return DevicesView(found, 412, 403, 9, 26, 25, 4, filters, "all", words)

    def _device(self, name: str, light: Light, disk: int, state: str = "") -> DeviceRow:
        return DeviceRow(
            name,
            self._text(name),
            "server",
            self._text("Platform"),
            "Leeds depot",
            light,
            Reading("Fullest disk", f"{disk}%", disk, state, "/var"),
            3,
            "Free disk space",
            "09:41, held",
        )

    async def device(self, who: Who, key: str) -> DeviceView:
        """One device."""
        if self.empty:
            raise Refused("There is no such device.", 404, "no_such_device")
        row = self._device("LDS-PRINT-02", Light("ok", "Seen 8 s ago"), 50)
        allowed = (
            Allowed("Restart a service", "at most 2 an hour", True, Chip("asks each time"), "9 of 10"),
            Allowed("Free disk space", "below listed roots", False, Chip("not on its list")),
        )
        runs = (
            Run(
                "Restart a service",
                "today 09:41, 38 s, approved by Mara Lindqvist, for T-4127",
                Chip("held", "good", "done"),
                (Change("Label queue", "212", "0", "ok"),),
            ),
            Run(
                self._text("Restart a service"),
                "today 09:27",
                Chip("put back", "bad", "stop"),
                (),
                (),
                "Did not help, so Quell put it back.",
            ),
        )
        snap = self._snapshots()[0]
        return DeviceView(
            row,
            ("Print gateway in Leeds depot", "Debian 12", "agent 1.4.2"),
            snap.readings,
            snap.lists,
            at("09:46"),
            allowed,
            runs,
            (Alike(4127, "Parcel labels do not print", ""),),
        )

    async def setup(self, who: Who) -> SetupView:
        """Set-up."""
        channels = (
            ChannelRow("email", "Email", "mail", "IMAP and SMTP · last message 2 m ago", Light("ok", "Works"), True),
            ChannelRow(
                "alertmanager",
                "Alertmanager",
                "alert",
                "webhook",
                Light("warn", "Waiting for the first message"),
                True,
                "http://127.0.0.1:8080/hooks/alertmanager/0123456789abcdef",
            ),
            ChannelRow(
                "slack",
                "Slack",
                "slack",
                "Events API",
                Light("off", "Not connected"),
                False,
                "",
                (("signing_secret", "from the app’s page", True, True), ("bot_token", "xoxb-…", True, True)),
            ),
        )
        counts = () if self.empty else (("people", 368), ("sites", 3), ("devices", 244))
        member = Member(self._text("Mara Lindqvist"), "mara@aldermoor.example", "owner", at("09:00"))
        return SetupView("Aldermoor", counts, channels, (member,))

    def _text(self, text: str) -> str:
        return HOSTILE if self.hostile else text

    def _row(self, row: Row) -> Row:
        if not self.hostile:
            return row
        return replace(row, title=HOSTILE, who=HOSTILE, category=HOSTILE, reasons=(Why("+1", HOSTILE),))
