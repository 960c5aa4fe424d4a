"""What the doors for programs are given: the house, the desk and a clock, hung onto the application by the start."""

from dataclasses import dataclass, field

from starlette.requests import Request

from quell.journey.desk import TheDesk
from quell.journey.house import House
from quell.web.gathering import Gathering
from quell.web.rate import Rate

HOOK_BURST, HOOK_PER_S = 2000, 400.0
API_BURST, API_PER_S = 1000, 200.0


@dataclass(frozen=True)
class Doors:
    """One for each process."""

    house: House
    desk: TheDesk
    hook_rate: Rate = field(default_factory=lambda: Rate(HOOK_BURST, HOOK_PER_S))
    api_rate: Rate = field(default_factory=lambda: Rate(API_BURST, API_PER_S))
    gathering: Gathering = field(init=False)

    def __post_init__(self) -> None:
        """Requests at hooks are gathered for this house."""
        object.__setattr__(self, "gathering", Gathering(self.house))


def doors_of(request: Request) -> Doors:
    """The doors of this application."""
    found = request.app.state.doors
    assert isinstance(found, Doors)
    return found
