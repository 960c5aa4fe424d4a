"""What the wiring gives to the pages: the store with its clock, the verbs, the questions, the live log, one secret."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from quell.core.errors import Broken
from quell.store.change import Store
from quell.web.desk import Desk
from quell.web.live import Live
from quell.web.reads import Reads

SECRET_BYTES_MIN = 32


@dataclass(frozen=True)
class Deps:
    """`secret` (32 bytes or more) signs form tokens and portal links: the same in every process and after a restart.

    `address` is how others reach this server, like `https://help.example.org`, for the lines that are shown to copy.
    """

    store: Store
    desk: Desk
    reads: Reads
    live: Live
    secret: bytes
    address: str = "http://127.0.0.1:8080"

    def __post_init__(self) -> None:
        """Stop the start when the secret is too short to be one."""
        if len(self.secret) < SECRET_BYTES_MIN:
            raise Broken("the secret of the pages needs at least 32 bytes")

    def now(self) -> datetime:
        """The time."""
        return self.store.clock()


def deps_of(request: Request) -> Deps:
    """The deps that `build_app` hung onto the application."""
    found = request.app.state.deps
    assert isinstance(found, Deps)
    return found
