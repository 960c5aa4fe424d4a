"""The signer's door: a unix socket that only its own account (or root) may use, one JSON line in, one out."""

import asyncio
import json
import logging
import os
import shutil
import socket
import struct
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from quell.core.errors import Refused
from quell.signer.keys import Keys
from quell.signer.orders import Ask, OrderDesk
from quell.wire.canonical import Json, canonical_bytes, parse_json
from quell.wire.errors import Malformed
from quell.wire.orders import OrderKind
from quell.wire.shape import to_json
from quell.wire.signing import CHECKPOINT, public_hex, sign

LINE_BYTES_MAX = 64 * 1024
CHECKPOINT_BYTES_MAX = 16 * 1024
IDLE_S_MAX = 30
# Short and fixed: a socket's whole path must stay under 108 bytes, however deep QUELL_HOME lies.
SOCKET_PARENT = "/tmp"
SOCKET_FOLDER = "quell-signer-"
LOCATOR = "signer.json"

log = logging.getLogger("quell.signer")


class Door:
    """Answers `public_keys`, `sign_order` and `sign_checkpoint`; everything else is refused."""

    def __init__(self, home: Path, keys: Keys, desk: OrderDesk, clock: Callable[[], datetime]) -> None:
        """Nothing is opened yet."""
        self._home = home
        self._keys = keys
        self._desk = desk
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Listen until cancelled; the socket's address stands in `signer.json` of the home."""
        locator = self._home / LOCATOR
        _sweep(locator)
        folder = Path(tempfile.mkdtemp(prefix=SOCKET_FOLDER, dir=SOCKET_PARENT))
        path = folder / "s"
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
                path.chmod(0o600)
                server = await asyncio.start_unix_server(self._answer_all, sock=listener, limit=LINE_BYTES_MAX)
                _write_privately(locator, json.dumps({"socket": str(path), "pid": os.getpid()}))
                ready()
                async with server:
                    await server.serve_forever()
        finally:
            with suppress(OSError, ValueError):
                if json.loads(locator.read_text())["socket"] == str(path):
                    locator.unlink()
            shutil.rmtree(folder, ignore_errors=True)

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not _is_ours(writer.get_extra_info("socket")):
                log.warning("signer_refused reason=other_account")
                return
            while line := await asyncio.wait_for(reader.readline(), IDLE_S_MAX):
                writer.write(canonical_bytes(await self._answer(line)) + b"\n")
                await writer.drain()
        except (TimeoutError, ValueError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Json:
        try:
            asked = parse_json(line.strip(), LINE_BYTES_MAX)
            if not isinstance(asked, Mapping):
                raise Malformed("$", "must be an object")
            async with self._one_at_a_time:
                return await self._do(asked)
        except Malformed as error:
            return _error("malformed", str(error), 400, None)
        except Refused as refused:
            log.info("signer_refused code=%s", refused.code)
            return _error(refused.code, refused.says, refused.status, refused.retry_after_s)
        except Exception:
            log.exception("signer_broken")
            return _error("broken", "the signer failed; see its log", 500, None)

    async def _do(self, asked: Mapping[str, Json]) -> Json:
        verb = asked.get("verb")
        if verb == "public_keys":
            return {"order": public_hex(self._keys.order), "checkpoint": public_hex(self._keys.checkpoint)}
        if verb == "sign_checkpoint":
            return {"signature": sign(self._keys.checkpoint, CHECKPOINT, _payload(asked.get("payload")))}
        if verb == "sign_order":
            signed = await self._desk.sign(_ask(asked), self._clock())
            log.info("order_signed kind=%s fix=%s", asked.get("kind"), asked.get("fix"))
            return to_json(signed)
        raise Malformed("verb", "is not known here")


def _ask(asked: Mapping[str, Json]) -> Ask:
    kind = asked.get("kind")
    if kind not in get_args(OrderKind):
        raise Malformed("kind", f"must be one of {', '.join(get_args(OrderKind))}")
    numbers: dict[str, int | None] = {}
    for name in ("fix", "device", "ticket"):
        value = asked.get(name)
        if value is not None and type(value) is not int:
            raise Malformed(name, "must be a whole number")
        numbers[name] = value
    return Ask(cast(OrderKind, kind), **numbers)


def _payload(value: Json) -> bytes:
    if not isinstance(value, str) or len(value) > 2 * CHECKPOINT_BYTES_MAX:
        raise Malformed("payload", f"must be at most {CHECKPOINT_BYTES_MAX} bytes in hexadecimal")
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise Malformed("payload", "must be hexadecimal") from error


def _error(code: str, says: str, status: int, retry_after_s: int | None) -> Json:
    return {"error": {"code": code, "says": says, "status": status, "retry_after_s": retry_after_s}}


def _is_ours(connection: socket.socket) -> bool:
    """Whether the other end runs under our account or root, by the kernel's word where it gives one."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # The socket lies in a folder that only our account can enter.
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", packed)
    return uid in (0, os.geteuid())


def _sweep(locator: Path) -> None:
    """Remove what a signer that was killed left behind; whoever holds the keys' lock is the only one alive."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        folder = Path(json.loads(locator.read_text())["socket"]).parent
        locator.unlink()
        if folder.parent == Path(SOCKET_PARENT) and folder.name.startswith(SOCKET_FOLDER):
            shutil.rmtree(folder, ignore_errors=True)


def _write_privately(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.rename(path)
