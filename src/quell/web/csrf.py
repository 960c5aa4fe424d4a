"""Proof that a form was sent from one of our own pages: the browser's word on where it came from, and a bound token."""

import base64
import binascii
import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from quell.core.errors import Refused

TOKEN_BYTES = 16
FIELD = "csrf"
HEADER = "x-csrf-token"
SAME = frozenset({"same-origin", "none"})


def csrf_token(secret: bytes, binding: bytes) -> str:
    """A token for one visit, masked anew each time so that compression of the page tells nothing about it."""
    pad = secrets.token_bytes(TOKEN_BYTES)
    return base64.urlsafe_b64encode(pad + _xor(pad, _mac(secret, binding))).decode()


def check_token(secret: bytes, binding: bytes, token: str) -> None:
    """Raise Refused (403) when the token is not one of this visit."""
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except (binascii.Error, ValueError):
        raw = b""
    pad, masked = raw[:TOKEN_BYTES], raw[TOKEN_BYTES:]
    if len(raw) != 2 * TOKEN_BYTES or not hmac.compare_digest(_xor(pad, masked), _mac(secret, binding)):
        raise Refused("This form is too old, or it did not come from here. Load the page again.", 403, "csrf")


def check_origin(request: Request) -> None:
    """Raise Refused (403) when the browser says that the request was made by another site."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in SAME:
        raise Refused("This request was made by another site.", 403, "csrf")
    origin = request.headers.get("origin")
    if site is None and origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused("This request was made by another site.", 403, "csrf")


def _mac(secret: bytes, binding: bytes) -> bytes:
    return hmac.new(secret, b"csrf\0" + binding, hashlib.sha256).digest()[:TOKEN_BYTES]


def _xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=False))
