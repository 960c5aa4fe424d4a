"""A desk that writes down which verb was called and answers it; for tests of the doors, not of the rooms."""

from datetime import UTC, datetime
from typing import Any

from quell.core.errors import Refused
from quell.web.desk import Address, Done, Enrolment, Loaded, Reported


class WrittenDesk:
    """Remembers (verb, arguments); `refuses` makes every verb refuse."""

    def __init__(self) -> None:
        """Nothing was called yet."""
        self.called: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.refuses: Refused | None = None

    def __getattr__(self, verb: str) -> Any:
        """Every verb of the desk."""

        async def call(*args: Any, **named: Any) -> Any:
            self.called.append((verb, args, named))
            if self.refuses is not None:
                raise self.refuses
            return {
                "report": Reported(12),
                "load_company": Loaded((("people", 3), ("sites", 1)), ("unknown key “colour”",)),
                "add_channel": Address("alertmanager", "/hooks/alertmanager/k"),
                "enrol": Enrolment("token-1", datetime(2026, 11, 23, 10, tzinfo=UTC)),
            }.get(verb, Done(f"{verb} done.", 7, "undo-1"))

        return call
