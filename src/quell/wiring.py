"""The only file that knows everybody: puts store, channels, actions, model and rooms together for every door."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes

import procrastinate

from quell.core.errors import QuellError
from quell.journey.desk import TheDesk
from quell.journey.house import House
from quell.journey.mind import Mind
from quell.seams import Action, Channel, Model, find
from quell.settings import Settings, read
from quell.store import postgres
from quell.store.change import Store
from quell.store.database import connect, driver_url
from quell.store.jobs import QueuedJobs, queue_app
from quell.store.notify import WORK, WORK_PAUSE_S, Notifier
from quell.store.schema import migrate
from quell.store.signer_client import SignerClient

SECRET_BYTES = 32
SECRET_FILE = "secret.key"


@dataclass(frozen=True)
class Built:
    """Everything a door may need, in one running process."""

    settings: Settings
    url: str
    store: Store
    house: House
    desk: TheDesk
    jobs: procrastinate.App
    signer: SignerClient
    secret: bytes


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def channels() -> dict[str, Channel]:
    """Every channel in the package."""
    return find("quell.channels", "CHANNEL", Channel)  # type: ignore[type-abstract]


def actions() -> dict[str, Action]:
    """Every action in the package."""
    return find("quell.actions", "ACTION", Action)  # type: ignore[type-abstract]


def make_model(home: Path) -> Model:
    """The engine with the embedding weights if they are installed, on words alone if not."""
    # Only who proposes something needs the libraries of the models: not a page, and not a command.
    from quell.ml.engine import open_engine

    return open_engine(home / "cache")


def secret_of(home: Path) -> bytes:
    """The installation's own secret, made at the first start and readable by its owner only."""
    path = home / SECRET_FILE
    home.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(token_bytes(SECRET_BYTES))
    return path.read_bytes()


def serve(run: Callable[[Settings], Coroutine[None, None, None]], environ: Mapping[str, str]) -> None:
    """Run a door as this process until SIGTERM or SIGINT; logs go to standard error."""
    settings = read(environ)
    logging.basicConfig(level=settings.log.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)

    async def until_stopped() -> None:
        task = asyncio.current_task()
        assert task is not None
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, task.cancel)
        with suppress(asyncio.CancelledError):
            await run(settings)

    try:
        asyncio.run(until_stopped())
    except QuellError as error:
        sys.exit(f"quell: {error}")


@asynccontextmanager
async def opened(settings: Settings, application: str = "quell") -> AsyncIterator[Built]:
    """Everything built over the configured database, or the embedded one, which is started if it does not run."""
    if settings.database_url is not None:
        async with built(settings, settings.database_url, application) as made:
            yield made
        return
    with postgres.start(settings.home) as running:
        async with built(settings, running.server.url, application) as made:
            yield made


@asynccontextmanager
async def built(settings: Settings, url: str, application: str = "quell") -> AsyncIterator[Built]:
    """Everything built over the database at this address, which is brought up to date first."""
    migrate(url)
    engine = connect(url, application)
    app = queue_app(driver_url(url))
    notifier, waker = Notifier(driver_url(url)), Notifier(driver_url(url), WORK, WORK_PAUSE_S)
    store = Store(engine, now, QueuedJobs(app, waker.poke), notifier.poke)
    signer = SignerClient(settings.home)
    secret = secret_of(settings.home)
    house = House(
        store=store,
        channels=channels(),
        actions=actions(),
        mind=Mind(lambda: make_model(settings.home)),
        signer=signer,
        public_url=settings.public_url,
        secrets={"token_key": secret.hex()},
    )
    try:
        async with app.open_async():
            yield Built(settings, url, store, house, TheDesk(house), app, signer, secret)
    finally:
        await notifier.stop()
        await waker.stop()
        await engine.dispose()
