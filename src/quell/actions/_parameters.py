"""Reading an action's parameters: text in, bounded values out, every fault named at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from quell.core.errors import Fault, Refused
from quell.wire.errors import Malformed

Thing = TypeVar("Thing")

DIGITS_MAX = 12
MIB = 1024 * 1024


class Parameters:
    """The parameters of one call; reading a whole number that is none is a fault, as is a name that nobody knows."""

    def __init__(self, action: str, given: Mapping[str, str], known: Mapping[str, str]) -> None:
        """Note at once what is not known."""
        self._given = given
        self._faults = [
            Fault(name, f"{action} has no such parameter; it takes {', '.join(known) or 'none'}")
            for name in sorted(set(given) - set(known))
        ]

    def text(self, name: str, default: str = "") -> str:
        """The text as given, without blanks around it."""
        return self._given.get(name, default).strip()

    def needed(self, name: str) -> str:
        """The text as given; its absence is a fault."""
        text = self.text(name)
        if not text:
            self._faults.append(Fault(name, "is needed"))
        return text

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number between two bounds, both included."""
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX and least <= int(text) <= most):
            self._faults.append(Fault(name, f"must be a whole number from {least} to {most}"))
            return default
        return int(text)

    def steps(self, *makers: Callable[[], Thing | None]) -> tuple[Thing, ...]:
        """The steps that the makers build (None is left out); raises Refused with every fault found on the way."""
        made: Sequence[Thing | None] = [self._make(each) for each in makers]
        if self._faults:
            raise Refused("the parameters are not right", 422, "bad_parameters", tuple(self._faults))
        return tuple(each for each in made if each is not None)

    def _make(self, maker: Callable[[], Thing | None]) -> Thing | None:
        try:
            return maker()
        except Malformed as error:
            if not any(fault.place == error.place for fault in self._faults):
                self._faults.append(Fault(error.place, error.says))
            return None
