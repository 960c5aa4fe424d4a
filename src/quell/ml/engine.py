"""The engine: reads each message for one company, proposes kind, place, category, owner and priority, and learns."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quell.core.company import Company
from quell.core.errors import Broken
from quell.core.gate import Checked
from quell.core.reading import Correction, Known, Message, OpenTicket, Reading
from quell.ml import adapter as adapters
from quell.ml import explain, knowledge, stage
from quell.ml.action import fixes_of_intents
from quell.ml.adapter import Adapter
from quell.ml.category import Themes
from quell.ml.companyview import CompanyView
from quell.ml.embedder import Embedder, find_weights
from quell.ml.facts import Facts, gather
from quell.ml.kernel import Collection, Seen
from quell.ml.kind import kind_of_intent
from quell.ml.knowledge import CHARS_SHARE, VECTOR_SHARE, WORDS_SHARE, Embeds, Knowledge
from quell.ml.memory import Memory
from quell.ml.second import second_look
from quell.ml.stage import Stage
from quell.ml.text import readable
from quell.ml.ticketview import MEMBERS_SEEN_MAX, Evidence, TicketView, certain, view_ticket
from quell.ml.walk import Walk, Walker

ENGINE_VERSION = 1
FACTS_KEPT = 20_000
CASES_FOR_CORRECTED = 5
MODES = ("day0", "corrected")
TICKETS_SEEN_MAX = 400
VIEWS_KEPT = 5_000


@dataclass(frozen=True)
class Shipped:
    """What comes in the package: day-0 knowledge, the fitted stages, the gate's foreign cases, the adapter."""

    knowledge: Knowledge
    stages: Mapping[str, Mapping[str, Stage]]
    cases: tuple[Checked, ...] = ()
    adapter: Adapter | None = None
    digest: str = ""


def load_shipped(folder: Path = knowledge.ARTEFACT) -> Shipped:
    """Read the artefact; a missing file is loud."""
    stages = {mode: stage.load(folder / f"stages-{mode}") for mode in MODES}
    adapter = adapters.load(folder / "adapter.npz")
    files = sorted(path for path in folder.iterdir() if path.suffix in (".npz", ".json"))
    digest = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]
    return Shipped(knowledge.load(folder), stages, load_cases(folder / "gate-cases.json"), adapter, digest)


def load_cases(path: Path) -> tuple[Checked, ...]:
    """The gate's foreign cases: how sure the engine was of companies that its models had not seen, and was it right."""
    rows = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return tuple(Checked(sure, bool(right), foreign=True) for sure, right in rows)


class Engine:
    """A `seams.Model`; without an embedder it reads by words alone."""

    name = "engine"

    def __init__(self, shipped: Shipped | None = None, embedder: Embeds | None = None) -> None:
        """`embedder` None: words alone. Call `fit` before anything else."""
        self._shipped = shipped if shipped is not None else load_shipped()
        self._embedder = embedder
        eyes = "minilm" if embedder is not None else "words"
        self.version = f"{self.name}-{ENGINE_VERSION}+{self._shipped.digest or 'bare'}+{eyes}"

    @property
    def prior(self) -> tuple[Checked, ...]:
        """The gate's foreign cases: how sure the engine was of companies that its models had not seen."""
        return self._shipped.cases

    def fit(self, company: Company, known: Sequence[Known] = ()) -> None:
        """Prepare the company's own words, then take in what was corrected so far, oldest first."""
        shipped = self._shipped.knowledge
        self._company = company
        self._criticality = {service.key: service.criticality for service in company.services}
        self._facts: OrderedDict[str, Facts] = OrderedDict()
        centroids = shipped.centroids if self._embedder is not None else None
        self.view = CompanyView(company, self._see, centroids, self._shipped.adapter)
        self.use(self._shipped.stages)
        for each in known:
            self.learn(each.message, each.correction)

    def use(self, stages: Mapping[str, Mapping[str, Stage]]) -> None:
        """Forget all corrections and go on with these stages (training and evaluation put theirs here)."""
        shipped = self._shipped.knowledge
        self._evidence: OrderedDict[str, Evidence] = OrderedDict()
        self._said: dict[str, Correction] = {}
        self._views: OrderedDict[int, tuple[object, TicketView]] = OrderedDict()
        self.memory = Memory(self.view)
        themes, kinds = Themes.of(shipped), kind_of_intent(shipped)
        fixes = fixes_of_intents(shipped, self.view.actions.keys)
        self._walkers = {mode: Walker(self.view, chosen, themes, kinds, fixes) for mode, chosen in stages.items()}

    def propose(self, message: Message, tickets: Sequence[OpenTicket], at: datetime) -> Reading:
        """The whole answer; `tickets` are those that the message may belong to."""
        way = self.walk(message, tickets, at)
        walker = self.walker()
        looked = second_look(way, self.begin, lambda again: walker.walk(again, until="place"))
        names = self.name, f"{self.version}/{self.mode}"
        return replace(
            explain.reading(way, self.view, self.memory, self._shipped.knowledge, *names), second_look=looked
        )

    def learn(self, message: Message, correction: Correction) -> None:
        """Take a person's word for one message; a later word on the same message adds to the earlier one."""
        facts = self.facts(message)
        self._said[message.id] = correction
        self.memory.add(facts, correction)

    def similar(self, message: Message, others: Sequence[Message]) -> list[float]:
        """How alike each of the others is in words and meaning, 0 to 1."""
        if not others:
            return []
        own = self.facts(message).seen
        whole = WORDS_SHARE + CHARS_SHARE + (VECTOR_SHARE if own.vector is not None else 0.0)
        mixed = Collection([self.facts(other).seen for other in others]).likeness(own).mixed
        return [round(min(1.0, max(0.0, float(value) / whole)), 4) for value in mixed]

    @property
    def mode(self) -> str:
        """Which of the shipped stage models is in use."""
        return "corrected" if len(self.memory) >= CASES_FOR_CORRECTED else "day0"

    def walk(self, message: Message, tickets: Sequence[OpenTicket], at: datetime) -> Walk:
        """The whole walk of one message, with the chances of every stage."""
        way = self.begin(message, tickets, at)
        self.walker().walk(way)
        if way.own is not None:
            self.believe(message.id, way.own)
        return way

    def begin(self, message: Message, tickets: Sequence[OpenTicket], at: datetime) -> Walk:
        """A walk that has not come to any stage yet; of too many tickets only those with the latest word are kept."""
        facts = self.facts(message)
        kept = tuple(tickets)
        if len(kept) > TICKETS_SEEN_MAX:
            kept = tuple(sorted(kept, key=lambda ticket: ticket.members[-1].at)[-TICKETS_SEEN_MAX:])
        return Walk(facts, self.memory.look(facts, at), kept, at, self.show)

    def walker(self, mode: str = "") -> Walker:
        """The stages in use, or those of a named mode."""
        return self._walkers[mode or self.mode]

    def believe(self, message_id: str, evidence: Evidence) -> None:
        """Remember what is held of a message by itself, for the tickets that it becomes a member of."""
        self._evidence[message_id] = evidence
        if len(self._evidence) > FACTS_KEPT:
            self._evidence.popitem(last=False)

    def facts(self, message: Message) -> Facts:
        """What can be said of the message alone; remembered by its id."""
        known = self._facts.get(message.id)
        if known is not None and known.message.text == message.text:
            self._facts.move_to_end(message.id)
            return known
        seen = self._see([readable(message.subject, message.text)])[0]
        meaning = self._shipped.knowledge.read(seen.grams, seen.vector)
        facts = gather(message, seen, meaning, self._company, self.view.gazetteer, self._criticality)
        self._facts[message.id] = facts
        if len(self._facts) > FACTS_KEPT:
            self._facts.popitem(last=False)
        return facts

    def _see(self, texts: Sequence[str]) -> list[Seen]:
        rarity = self._shipped.knowledge.rarity
        vectors: list[NDArray[np.float32] | None] = (
            list(self._embedder.embed(texts)) if self._embedder is not None and texts else [None] * len(texts)
        )
        return [Seen(text, rarity.weigh(text), vector) for text, vector in zip(texts, vectors, strict=True)]

    def show(self, ticket: OpenTicket) -> TicketView:
        """A ticket summed up; remembered until it changes."""
        members = ticket.members[:1] + ticket.members[1:][-(MEMBERS_SEEN_MAX - 1) :]
        said = sum(m.id in self._said for m in members)
        believed = tuple(sorted(ticket.believed.items()))
        fields = (ticket.category, ticket.owner, ticket.priority, ticket.over, believed)
        key = (len(ticket.members), said, tuple(m.id for m in members), fields)
        known = self._views.get(ticket.number)
        if known is not None and known[0] == key:
            return known[1]
        view = view_ticket(ticket, [self.facts(m) for m in members], [self._evidence_of(m) for m in members], self.view)
        self._views[ticket.number] = (key, view)
        if len(self._views) > VIEWS_KEPT:
            self._views.popitem(last=False)
        return view

    def _evidence_of(self, message: Message) -> Evidence:
        believed = self._evidence.get(message.id)
        if believed is None:
            believed = self._alone(message)
            self.believe(message.id, believed)
        said = self._said.get(message.id)
        return certain(said, believed, self.view) if said is not None else believed

    def _alone(self, message: Message) -> Evidence:
        """What is held of a message that was never proposed for, as if nothing else were open."""
        facts = self.facts(message)
        way = Walk(facts, self.memory.look(facts, message.at), (), message.at, self.show)
        own = self.walker().walk(way, until="join").own
        if own is None:
            raise Broken("the stage alone gave nothing")
        return own


def open_engine(cache: Path, shipped: Shipped | None = None) -> Engine:
    """The engine with the installed weights, or by words alone where they are absent; `cache` keeps the graph."""
    weights = find_weights()
    return Engine(shipped, Embedder(weights, cache) if weights is not None else None)
