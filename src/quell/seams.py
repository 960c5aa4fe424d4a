"""The only four seams: Channel, Action, Model, Directory; and `find`, which scans a folder for what stands at one."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from quell.core.company import Company
from quell.core.errors import Broken
from quell.core.gate import Checked
from quell.core.incoming import Answer, Hook, Incoming, Receipt, Sent
from quell.core.reading import Correction, Known, Message, OpenTicket, Reading
from quell.wire.steps import Step

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Setting:
    """One setting of a channel, as `quell channel add NAME --set key=value` takes it."""

    key: str
    says: str
    required: bool = False
    secret: bool = False
    default: str = ""


class Channel(Protocol):
    """A way in and out: `verify` and `read` are pure, `send` talks to the outside.

    `verify` raises Refused (401 for a wrong signature, 400 for what cannot be parsed) and believes nothing else.
    `read` turns a verified delivery into what was said; it never raises on odd fields, it leaves them out.
    `send` raises TryAgain for trouble outside, Refused when the answer can never be delivered.
    """

    @property
    def name(self) -> str:
        """The channel's name in addresses and settings: lower case, stable for ever."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What `quell channel add` may set."""

    def verify(self, hook: Hook, settings: Mapping[str, str], at: datetime) -> Receipt:
        """Check the sender on the raw bytes; say under which key to store it and what to answer."""

    def read(self, hook: Hook, settings: Mapping[str, str]) -> tuple[Incoming, ...]:
        """What was said, in order."""

    async def send(self, answer: Answer, settings: Mapping[str, str]) -> Sent:
        """Deliver an answer to the reporter."""


class Action(Protocol):
    """A known fix: typed, bounded parameters to steps of the closed catalogue in `wire`; all pure.

    `plan` gives the steps that change something, `check` the probes that must pass afterwards (the same signal that
    failed), `undo` the steps that take it back, or None where the fix is irreversible.
    """

    @property
    def name(self) -> str:
        """The action's name, as in company.json's `actions`."""

    @property
    def risk(self) -> str:
        """`low`, `medium` or `high`; what it may cost if it goes wrong is in the docs page."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Each parameter with its bounds, in words."""

    def plan(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """The steps; raises Refused when a parameter is out of bounds."""

    def check(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """The probes that tell whether it worked."""

    def undo(self, params: Mapping[str, str]) -> tuple[Step, ...] | None:
        """The steps that take it back, or None."""


class Model(Protocol):
    """A learner that reads messages for one company; it proposes and never decides.

    `fit` is the cold start from the company's own words and the shipped knowledge; `learn` takes one correction and
    is in force for the next `propose`. Same calls in the same order give the same answers, bit for bit.
    """

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def version(self) -> str:
        """Changes with code, features or shipped artefact; stands on each proposal."""

    @property
    def prior(self) -> Sequence[Checked]:
        """Checked decisions about other companies, shipped with the model: where the gate's evidence starts."""

    def fit(self, company: Company, known: Sequence[Known] = ()) -> None:
        """Start anew for this company, with what was corrected so far, oldest first."""

    def propose(self, message: Message, tickets: Sequence[OpenTicket], at: datetime) -> Reading:
        """Kind, place, category, owner and priority with calibrated confidence and exact reasons."""

    def learn(self, message: Message, correction: Correction) -> None:
        """Take a person's word for one message."""

    def similar(self, message: Message, others: Sequence[Message]) -> Sequence[float]:
        """How alike each of the others is, 0 to 1: for finding what solved it last time."""


class Directory(Protocol):
    """People and accounts elsewhere: LDAP, Active Directory."""

    @property
    def name(self) -> str:
        """The directory's name."""

    def find_person(self, address: str) -> Mapping[str, str] | None:
        """The attributes of the person with this mail address, or None."""


def find(package: str, constant: str, kind: type[Thing]) -> dict[str, Thing]:
    """Every `constant` of the modules in a package, by its name; a missing one or a double name stops the start."""
    found: dict[str, Thing] = {}
    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda each: each.name):
        if info.ispkg or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        if not hasattr(module, constant):
            raise Broken(f"{package}/{info.name}.py has no {constant}")
        thing = getattr(module, constant)
        name = str(thing.name)
        if name in found:
            raise Broken(f"{package}/{info.name}.py: the name {name!r} is taken")
        found[name] = thing
    return found
