"""Starting the signer: keys, journal, ledger and door put together."""

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from quell.seams import Action, find
from quell.signer.door import Door
from quell.signer.journal import Journal
from quell.signer.keys import alone, load_keys
from quell.signer.ledger import SqlLedger
from quell.signer.orders import OrderDesk
from quell.store.database import connect
from quell.wire.orders import NONCE_DIGITS

POOL_SIZE = 2


async def run(
    home: Path, database_url: str, clock: Callable[[], datetime], ready: Callable[[], None] = lambda: None
) -> None:
    """Sign until cancelled; keys and journal stand in the folder `signer` of `home`; `ready` is called once."""
    folder = home / "signer"
    with alone(folder):
        await _run(home, folder, database_url, clock, ready)


async def _run(
    home: Path, folder: Path, database_url: str, clock: Callable[[], datetime], ready: Callable[[], None]
) -> None:
    keys = load_keys(folder)
    engine = connect(database_url, "quell-signer", POOL_SIZE)
    actions = find("quell.actions", "ACTION", Action)  # type: ignore[type-abstract]
    desk = OrderDesk(
        keys.order,
        SqlLedger(engine),
        Journal(folder / "journal"),
        actions,
        lambda: secrets.token_hex(NONCE_DIGITS // 2),
    )
    try:
        await Door(home, keys, desk, clock).serve(ready)
    finally:
        await engine.dispose()
