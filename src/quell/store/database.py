"""The way to the database: an engine whose connections see our tables and the job queue."""

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

SEARCH_PATH = "public,quell_jobs"
# No overflow: a connection beyond the pool is made for one use, and making one costs more than the use.
POOL_SIZE = 16
POOL_OVERFLOW = 0
POOL_WAIT_S = 10


def connect(url: str, application: str = "quell", pool_size: int = POOL_SIZE) -> AsyncEngine:
    """An engine for `postgresql+psycopg://…`; connections are made when first needed and checked before use."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        connect_args={"options": f"-c search_path={SEARCH_PATH}", "application_name": application},
    )


def driver_url(url: str) -> str:
    """The same address as libpq takes it, for the queue and for LISTEN."""
    parsed: URL = make_url(url).set(drivername="postgresql")
    return parsed.render_as_string(hide_password=False)
