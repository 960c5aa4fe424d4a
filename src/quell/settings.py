"""Every setting that Quell takes from its environment, read once; no other file looks there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from quell.core.errors import Fault, Refused

LOG_LEVELS = ("debug", "info", "warning", "error")
PORT_MAX = 65535
WORKERS_MAX = 64
# Read by the test suite only, and by nobody while Quell runs.
FOR_TESTS = frozenset({"QUELL_SHARED_DATA"})


@dataclass(frozen=True)
class Settings:
    """What the environment said; the meaning of each stands in docs/reference/settings.md.

    `database_url` is None when the embedded server is to be used; a port of None means that this listener is off.
    `unknown` names variables that look like ours and are not: most likely a slip of the pen, so that a door can say so.
    """

    home: Path
    database_url: str | None = field(repr=False)
    port: int
    bind: str
    public_url: str
    smtp_port: int | None
    lmtp_port: int | None
    syslog_port: int | None
    llm_url: str | None
    log: str
    workers: int
    unknown: tuple[str, ...] = ()


class Reader:
    """Takes settings out of an environment and gathers all that is wrong with them, not only the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """An empty value counts as unset."""
        self.environ = {name: value.strip() for name, value in environ.items() if value.strip()}
        self.asked: set[str] = set()
        self.faults: list[Fault] = []

    def text(self, name: str) -> str | None:
        """The value as it stands, None when unset."""
        self.asked.add(name)
        return self.environ.get(name)

    def number(self, name: str, lowest: int, highest: int) -> int | None:
        """A whole number within its bounds, None when unset (or wrong, which is noted)."""
        value = self.text(name)
        if value is None:
            return None
        if value.isascii() and value.isdigit() and lowest <= int(value) <= highest:
            return int(value)
        self.faults.append(Fault(name, f"must be a whole number from {lowest} to {highest}, not {value!r}"))
        return None

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """One of a few words, None when unset (or wrong, which is noted)."""
        value = self.text(name)
        if value is None or value.lower() in choices:
            return value and value.lower()
        self.faults.append(Fault(name, f"must be one of {', '.join(choices)}, not {value!r}"))
        return None

    def address(self, name: str, schemes: tuple[str, ...]) -> str | None:
        """A URL of one of these schemes, None when unset (or wrong, which is noted); its value is never repeated."""
        value = self.text(name)
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme in schemes and (parts.netloc or parts.query):
            return value.rstrip("/")
        self.faults.append(
            Fault(name, f"must be an address that begins with {' or '.join(f'{s}://' for s in schemes)}")
        )
        return None

    def left_over(self) -> tuple[str, ...]:
        """Variables that begin like ours and that nobody asked for."""
        ours = {name for name in self.environ if name.startswith("QUELL_")}
        return tuple(sorted(ours - self.asked - FOR_TESTS))


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment such as `os.environ`; Refused with every fault when one cannot be used."""
    reader = Reader(environ)
    port = reader.number("QUELL_PORT", 1, PORT_MAX) or 8080
    bind = reader.text("QUELL_BIND") or "127.0.0.1"
    settings = Settings(
        home=Path(reader.text("QUELL_HOME") or ".quell").expanduser().absolute(),
        database_url=database(reader.address("QUELL_DATABASE_URL", ("postgresql", "postgres", "postgresql+psycopg"))),
        port=port,
        bind=bind,
        public_url=reader.address("QUELL_PUBLIC_URL", ("http", "https")) or f"http://{reachable(bind)}:{port}",
        smtp_port=reader.number("QUELL_SMTP_PORT", 1, PORT_MAX),
        lmtp_port=reader.number("QUELL_LMTP_PORT", 1, PORT_MAX),
        syslog_port=reader.number("QUELL_SYSLOG_PORT", 1, PORT_MAX),
        llm_url=reader.address("QUELL_LLM_URL", ("http", "https")),
        log=reader.choice("QUELL_LOG", LOG_LEVELS) or "info",
        workers=reader.number("QUELL_WORKERS", 1, WORKERS_MAX) or 4,
        unknown=reader.left_over(),
    )
    if reader.faults:
        says = "; ".join(f"{fault.place} {fault.says}" for fault in reader.faults)
        raise Refused(f"These settings cannot be used: {says}", code="bad_settings", faults=tuple(reader.faults))
    return settings


def database(url: str | None) -> str | None:
    """The address as SQLAlchemy takes it, whichever of the usual spellings was given."""
    return url and "postgresql+psycopg://" + url.split("://", 1)[1]


def reachable(bind: str) -> str:
    """What a browser on this machine types for an address that we listen on."""
    if bind in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{bind}]" if ":" in bind else bind
