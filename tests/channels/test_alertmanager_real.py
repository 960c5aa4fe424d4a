"""A real Alertmanager against the channel: it fires, and when the trouble is over it says so."""

import asyncio

from quell.channels.alertmanager import CHANNEL
from quell.core.incoming import Hook, Said
from tests.channels.samples import NOW
from tests.real.alertmanager import FIRES_S_MAX, alertmanager
from tests.real.http_listener import http_listener

SETTINGS = {"token": "s3cret"}


async def test_a_real_alert_fires_and_is_over() -> None:
    async with http_listener() as web:
        with alertmanager(f"{web.url}/hooks/alertmanager/k", "s3cret", "severity: critical") as watched:
            (request,) = await web.wait(1, FIRES_S_MAX)
            hook = Hook(request.body, request.headers, path=request.path)
            assert CHANNEL.verify(hook, SETTINGS, NOW).source_key
            (fired,) = CHANNEL.read(hook, SETTINGS)
            assert fired.said is Said.FIRING and fired.device == "till-07"
            assert fired.labels["severity"] == "critical" and fired.labels["alertname"] == "TargetDown"
            assert fired.text == (
                f"127.0.0.1:{watched.probe_port} is down\nNobody answers on 127.0.0.1:{watched.probe_port}."
            )
            server = await asyncio.start_server(_answer, "127.0.0.1", watched.probe_port)
            async with server:
                request = (await web.wait(2, FIRES_S_MAX))[-1]
            (over,) = CHANNEL.read(Hook(request.body, request.headers, path=request.path), SETTINGS)
    assert over.said is Said.RESOLVED and over.identity == fired.identity and over.source_key != fired.source_key


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\nConnection: close\r\n\r\nprobe 1\n"
    )
    await writer.drain()
    writer.close()
