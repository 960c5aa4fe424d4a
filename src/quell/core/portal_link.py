"""Signed links of the portal: whoever holds one may read and answer one report, without an account."""

import base64
import binascii
import hashlib
import hmac

from quell.core.errors import Refused

MAC_BYTES = 18
NUMBER_BYTES = 8


def portal_path(secret: bytes, report: int) -> str:
    """The address of a report's page below this server; stable, so that it can stand in every answer."""
    raw = report.to_bytes(NUMBER_BYTES, "big").lstrip(b"\0") or b"\0"
    return "/portal/requests/" + base64.urlsafe_b64encode(_mac(secret, report) + raw).decode().rstrip("=")


def read_key(secret: bytes, key: str) -> int:
    """The report that a key opens; Refused (404) when it opens none, without saying whether the report exists."""
    try:
        raw = base64.urlsafe_b64decode(key.encode() + b"=" * (-len(key) % 4)) if len(key) < 60 else b""
    except (binascii.Error, ValueError):
        raw = b""
    mac, number = raw[:MAC_BYTES], raw[MAC_BYTES:]
    report = int.from_bytes(number, "big") if 0 < len(number) <= NUMBER_BYTES else 0
    if not hmac.compare_digest(mac, _mac(secret, report)):
        raise Refused("This link does not lead anywhere. Was it copied whole?", 404, "no_such_request")
    return report


def _mac(secret: bytes, report: int) -> bytes:
    return hmac.new(secret, b"portal\0" + str(report).encode(), hashlib.sha256).digest()[:MAC_BYTES]
