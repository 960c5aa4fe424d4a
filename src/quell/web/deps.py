"""What the wiring gives to the pages: the database, the clock, the verbs, the questions and one secret."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from quell.core.errors import Broken
from quell.web.desk import Desk
from quell.web.live import Live
from quell.web.reads import Reads


@dataclass(frozen=True)
class Deps:
    """`secret` (32 bytes or more) signs form tokens and the links of the portal; it must be the same in every process."""

    engine: AsyncEngine
    now: Callable[[], datetime]
    desk: Desk
    reads: Reads
    live: Live
    secret: bytes
    address: str = ""

    def __post_init__(self) -> None:
        """Stop the start when the secret is too short to be one."""
        if len(self.secret) < 32:
            raise Broken("the secret of the pages needs at least 32 bytes")


def deps_of(request: Request) -> Deps:
    """The deps that `build_app` hung onto the application."""
    found = request.app.state.deps
    assert isinstance(found, Deps)
    return found
