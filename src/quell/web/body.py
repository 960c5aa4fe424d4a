"""Reading a request's body without ever holding more than allowed."""

from typing import Any

from starlette.requests import Request

from quell.channels._json import read_object
from quell.core.errors import Fault, Refused

JSON_BYTES_MAX = 1024 * 1024
MAIL_BYTES_MAX = 25 * 1024 * 1024


async def read_body(request: Request, bytes_max: int = JSON_BYTES_MAX) -> bytes:
    """The raw bytes; Refused (413) as soon as there are too many, however they are announced."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > bytes_max:
        raise _too_large(bytes_max)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise _too_large(bytes_max)
        parts.append(part)
    return b"".join(parts)


def _too_large(bytes_max: int) -> Refused:
    return Refused(f"the body has more than {bytes_max // 1024} KiB", 413, "too_large")


def parse(raw: bytes) -> dict[str, Any]:
    """The body as a JSON object, an empty one as {}; Refused (400) for anything else."""
    if not raw.strip():
        return {}
    try:
        return dict(read_object(raw))
    except Refused as refused:
        raise Refused(refused.says, refused.status, "bad_json", (Fault("$", refused.says),)) from refused
