"""What every room is given: the store, what stands at the seams, and the few settings that decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from quell.journey.mind import Mind
from quell.seams import Action, Channel
from quell.store.change import Store
from quell.store.deliveries import Line
from quell.store.signer_client import SignedByUs
from quell.wire.orders import OrderKind

GATE_TARGET = 0.95
SAME_PROBLEM_FOR = timedelta(hours=12)


class Signer(Protocol):
    """The process that holds the order key; it checks consent and caps itself before it signs."""

    async def public_keys(self) -> tuple[str, str]:
        """The public keys for orders and for checkpoints."""

    async def sign_order(
        self, kind: OrderKind, *, fix: int | None = None, device: int | None = None, ticket: int | None = None
    ) -> SignedByUs:
        """A signed order; Refused when there is no leave for it, TryAgain when the signer does not answer."""


@dataclass(frozen=True)
class House:
    """The rooms' surroundings, made once by the wiring."""

    store: Store
    channels: Mapping[str, Channel]
    actions: Mapping[str, Action]
    mind: Mind
    signer: Signer
    public_url: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    gate_target: float = GATE_TARGET
    same_problem_for: timedelta = SAME_PROBLEM_FOR

    def settings_of(self, line: Line) -> Mapping[str, str]:
        """A channel's settings with what the server itself knows and nobody types in."""
        return {**line.settings, **self.secrets, "public_url": self.public_url, "hook_key": line.key}
