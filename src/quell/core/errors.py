"""The three kinds of error: refused (the caller's fault), try again (outside trouble), broken (our bug)."""

from dataclasses import dataclass, field


class QuellError(Exception):
    """The root of every error that Quell raises on purpose."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input, with the place where it stands."""

    place: str
    says: str


@dataclass
class Refused(QuellError):
    """The caller's fault: nothing was done; `status` is the HTTP status that a door answers with."""

    says: str
    status: int = 400
    code: str = "refused"
    faults: tuple[Fault, ...] = field(default=())
    retry_after_s: int | None = None

    def __str__(self) -> str:
        """The sentence for a person."""
        return self.says


@dataclass(eq=False)
class TryAgain(QuellError):
    """Trouble outside of Quell: nothing was lost, the worker tries again later; `after_s` when they said how long."""

    says: str = ""
    after_s: int | None = None

    def __str__(self) -> str:
        """The sentence for a person."""
        return self.says


class Broken(QuellError):
    """A bug of ours, or a log that was tampered with: loud, never swallowed."""
