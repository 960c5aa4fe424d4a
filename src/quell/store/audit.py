"""The audit: reads the whole log and says, event by event, whether it is still what was written; changes nothing."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.store.audit_chains import check_chains
from quell.store.audit_checkpoints import check_checkpoints, written_now
from quell.store.findings import Audited


async def verify(connection: AsyncConnection, checkpoint_file: Path | None, public_key: str | None) -> Audited:
    """Check every event, chain, content and checkpoint, all as of one moment; needs neither network nor signer.

    `checkpoint_file` is compared with the table (None: the table alone is checked); `public_key` are the 64 hexadecimal
    digits of the key that signs checkpoints, None only while there is none yet. Memory does not grow with the log.
    The connection must be fresh: no transaction may have begun on it.
    """
    found = Audited()
    # What stands in the file now was committed before, so that the snapshot has it too.
    written = written_now(checkpoint_file)
    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    await check_checkpoints(connection, found, written, public_key)
    await check_chains(connection, found)
    return found
