"""Checks the secrets that a request carries, in constant time, the one before the last rotation too."""

import base64
import binascii
import hmac
from collections.abc import Mapping

from quell.core.errors import Refused
from quell.core.incoming import Hook
from quell.seams import Setting

MACHINE_SETTINGS = (
    Setting("token", "The bearer token that the sender puts into its `Authorization` header.", secret=True),
    Setting("token_old", "The token before the last change; accepted until you remove it.", secret=True),
    Setting("username", "The user name, where the sender can only do basic authentication."),
    Setting("password", "The password for basic authentication.", secret=True),
    Setting("password_old", "The password before the last change; accepted until you remove it.", secret=True),
)


def same(given: str, *wanted: str) -> bool:
    """Whether the given secret is one of the wanted ones; empty ones never match, and the time says nothing."""
    raw = given.encode("utf-8", "surrogatepass")
    hits = [hmac.compare_digest(raw, each.encode("utf-8", "surrogatepass")) for each in wanted if each]
    return bool(given) and any(hits)


def check_machine(hook: Hook, settings: Mapping[str, str]) -> None:
    """A machine proves itself by bearer token, basic password or secret address; Refused 401 when it does not.

    The server itself fills in `hook_key`, the last part of the hook's address. Every proof that is set must be
    there, except that a token and a password are alternatives of each other. With no secret at all nobody is believed.
    """
    key = settings.get("hook_key", "")
    by_header = bool(settings.get("token") or settings.get("password"))
    if not key and not by_header:
        raise Refused("No secret is set for this channel, so nobody can be believed.", 401, "no_secret")
    if key and not same(last_part(hook.path), key):
        raise Refused("The address does not carry the right key.", 401, "wrong_key")
    if by_header and not _authorised(hook.headers.get("authorization", ""), settings):
        raise Refused("The Authorization header is missing or wrong.", 401, "wrong_secret")


def last_part(path: str) -> str:
    """The last part of an address's path."""
    return path.rstrip("/").rpartition("/")[2]


def _authorised(header: str, settings: Mapping[str, str]) -> bool:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return same(rest.strip(), settings.get("token", ""), settings.get("token_old", ""))
    if scheme.lower() != "basic":
        return False
    user, password = _basic(rest)
    right = same(password, settings.get("password", ""), settings.get("password_old", ""))
    return same(user, settings.get("username", "")) and right


def _basic(coded: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(coded.strip(), validate=True).decode("utf-8", "replace").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password
