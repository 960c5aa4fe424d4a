"""The yardstick of intake: a plain FastAPI application that inserts each body into a table, and does nothing else.

`YARDSTICK_URL=… python -m quell.cli.bench.yardstick PORT`
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request, Response
from psycopg_pool import AsyncConnectionPool

POOL_SIZE = 10
TABLE = "CREATE TABLE IF NOT EXISTS yardstick (id bigserial PRIMARY KEY, body bytea NOT NULL)"


def application(url: str) -> FastAPI:
    """POST / inserts; GET / answers when it is ready."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncConnectionPool(url, min_size=POOL_SIZE, max_size=POOL_SIZE, open=False) as pool:
            app.state.pool = pool
            async with pool.connection() as connection:
                await connection.execute(TABLE)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/")
    async def take(request: Request) -> Response:
        body = await request.body()
        async with app.state.pool.connection() as connection:
            await connection.execute("INSERT INTO yardstick (body) VALUES (%s)", (body,))
        return Response(b'{"status":"ok"}', media_type="application/json")

    return app


if __name__ == "__main__":
    uvicorn.run(application(os.environ["YARDSTICK_URL"]), port=int(sys.argv[1]), log_level="warning", access_log=False)
