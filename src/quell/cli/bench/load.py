"""A small HTTP client that costs next to nothing, so that the server is measured and not the client."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

LINE_BYTES_MAX = 64 * 1024


@dataclass
class Pressed:
    """What came of a stretch of load: answers by status, and the seconds that it took."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def accepted_per_s(self) -> float:
        """Answers of the 2xx sort in each second."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300) / max(self.seconds, 1e-9)


def request(path: str, port: int, body: bytes, headers: str = "") -> bytes:
    """A POST as bytes, on a connection that stays open."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n{headers}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def press(port: int, make: Callable[[], bytes], connections: int, seconds: float) -> Pressed:
    """Keep so many connections busy for a while, each with one request at a time."""
    found = Pressed()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(_keep_busy(port, make, began + seconds, found.statuses) for _ in range(connections)))
    found.seconds = loop.time() - began
    return found


async def _keep_busy(port: int, make: Callable[[], bytes], until: float, statuses: Counter[int]) -> None:
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_BYTES_MAX)
    try:
        while loop.time() < until:
            writer.write(make())
            statuses[await read_answer(reader)] += 1
    finally:
        writer.close()
        await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> int:
    """Read one whole answer; its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
    if length:
        await reader.readexactly(length)
    return int(head.split(" ", 2)[1])
