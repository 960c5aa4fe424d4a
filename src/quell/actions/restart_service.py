"""Restart service: one service that the device's policy lists is stopped and started, and must then answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quell.actions._parameters import Parameters
from quell.wire.steps import HttpAnswers, PortOpen, PutBackService, RestartService, ServiceRuns, Step

PARAMETERS: Mapping[str, str] = {
    "service": "a service that the device's policy lists, such as `nginx`; needed",
    "port": "a TCP port on the device that must accept connections afterwards: 1 to 65535; none without it",
    "url": "an http address on the device itself that must answer afterwards; none without it",
}


@dataclass(frozen=True)
class Restart:
    """Those who use the service are cut off for a moment; the way back is the state in which it was found."""

    name: str = "restart_service"
    risk: str = "medium"
    parameters: Mapping[str, str] = field(default_factory=lambda: PARAMETERS)

    def plan(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """Stop it if it runs, and start it."""
        given = Parameters(self.name, params, self.parameters)
        service = given.needed("service")
        planned = given.steps(lambda: RestartService(service))
        self.check(params)
        return planned

    def check(self, params: Mapping[str, str]) -> tuple[Step, ...]:
        """It runs, and answers where something was named."""
        given = Parameters(self.name, params, self.parameters)
        service, url = given.needed("service"), given.text("url")
        port = given.number("port", 1, 1, 65535) if given.text("port") else None
        return given.steps(
            lambda: ServiceRuns(service),
            lambda: PortOpen(port) if port is not None else None,
            lambda: HttpAnswers(url) if url else None,
        )

    def undo(self, params: Mapping[str, str]) -> tuple[Step, ...] | None:
        """Bring it back to running or stopped, as the device found it before."""
        given = Parameters(self.name, params, self.parameters)
        service = given.needed("service")
        return given.steps(lambda: PutBackService(service))


ACTION = Restart()
