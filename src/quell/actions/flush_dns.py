"""Flush DNS: the device forgets the names it remembers, and must then find the one that it could not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quell.actions._parameters import Parameters
from quell.wire.steps import FlushNames, NameResolves, Step

PARAMETERS: Mapping[str, str] = {
    "name": "the host name that must be found afterwards; needed",
    "address": "an IP address that must be among its answers; any answer will do without it",
}


@dataclass(frozen=True)
class FlushDns:
    """Nothing is lost: the cache fills again by itself, so there is nothing to take back."""

    name: str = "flush_dns"
    risk: str = "low"
    parameters: Mapping[str, str] = field(default_factory=lambda: PARAMETERS)

    def plan(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """Flush whichever cache the device has."""
        self.check(params)
        return (FlushNames(),)

    def check(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """The name resolves."""
        given = Parameters(self.name, params, self.parameters)
        name, address = given.needed("name"), given.text("address")
        return given.steps(lambda: NameResolves(name, address))

    def undo(self, params: Mapping[str, str]) -> tuple[Step, ...] | None:
        """Nothing to do: a name cache fills again by itself."""
        self.check(params)
        return ()


ACTION = FlushDns()
