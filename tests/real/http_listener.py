"""A small HTTP server that keeps what it was sent and answers what it was told to."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

BODY_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """What it answers."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


@dataclass(frozen=True)
class Request:
    """What it was sent; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Listener:
    """The running server; `reply` may be changed while it runs."""

    url: str
    reply: Reply
    requests: list[Request] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, count: int, timeout_s: float) -> list[Request]:
        """Wait until so many requests have come."""
        async with asyncio.timeout(timeout_s):
            while len(self.requests) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.requests


@asynccontextmanager
async def http_listener(reply: Reply | None = None) -> AsyncIterator[Listener]:
    """Listen on a free port of this machine for as long as the block runs."""
    listener = Listener("", reply or Reply())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader):
                listener.requests.append(request)
                listener.arrived.set()
                writer.write(_written(listener.reply))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield listener
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *rows = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {key.strip().lower(): value.strip() for key, _, value in (row.partition(":") for row in rows if row)}
    size = min(int(headers.get("content-length", "0")), BODY_BYTES_MAX)
    return Request(method, path, headers, await reader.readexactly(size))


def _written(reply: Reply) -> bytes:
    rows = [f"HTTP/1.1 {reply.status} Said", f"Content-Length: {len(reply.body)}", "Content-Type: application/json"]
    rows += [f"{key}: {value}" for key, value in reply.headers.items()]
    return "\r\n".join(rows).encode() + b"\r\n\r\n" + reply.body
