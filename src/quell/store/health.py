"""Numbers that tell whether all is well: what waits, what failed, how many tickets are open."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_COUNTS = text(
    "SELECT (SELECT count(*) FROM ticket WHERE open AND joined_to IS NULL) AS quell_tickets_open,"
    " (SELECT count(*) FROM ticket WHERE open AND joined_to IS NULL AND needs_yes) AS quell_tickets_need_yes,"
    " (SELECT count(*) FROM report) AS quell_reports_total,"
    " (SELECT count(*) FROM delivery WHERE state = 'waiting') AS quell_deliveries_waiting,"
    " (SELECT count(*) FROM delivery WHERE state = 'failed') AS quell_deliveries_failed,"
    " (SELECT count(*) FROM told WHERE state IN ('waiting', 'sending')) AS quell_answers_waiting,"
    " (SELECT count(*) FROM quell_jobs.procrastinate_jobs WHERE status = 'todo') AS quell_jobs_waiting,"
    " (SELECT count(*) FROM quell_jobs.procrastinate_jobs WHERE status = 'failed') AS quell_jobs_failed,"
    " (SELECT coalesce(max(id), 0) FROM event) AS quell_events_total"
)


async def counts(connection: AsyncConnection) -> Mapping[str, int]:
    """Each number by the name under which Prometheus gets it."""
    row = (await connection.execute(_COUNTS)).one()
    return {name: int(value) for name, value in row._mapping.items()}


async def answers(connection: AsyncConnection) -> bool:
    """Whether the database answers."""
    return bool((await connection.execute(text("SELECT 1"))).scalar_one() == 1)
