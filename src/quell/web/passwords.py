"""Passwords: argon2id, a few at a time, and the same work for a name that does not exist."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from quell.core.errors import Refused

PASSWORD_CHARACTERS_MIN = 10
PASSWORD_BYTES_MAX = 1024
HASHES_AT_ONCE_MAX = 2

_hasher = PasswordHasher()
# Checked in place of the hash of an unknown account, so that an answer takes as long as for a known one; of a password
# that nobody knows, and written here since no start should wait until it is made.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$v7448LD3G7KKPx1msqxSeQ$hIk83nJyGBuxHYYCd6vIA4hGboNcpixVfDyi+5X0ef0"
_gate = asyncio.Semaphore(HASHES_AT_ONCE_MAX)


def check_new(password: str, email: str) -> None:
    """Raise Refused when a new password is too short, too long or just the address."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        raise Refused(f"At least {PASSWORD_CHARACTERS_MIN} characters. A short sentence is good.", 400, "password")
    if len(password.encode()) > PASSWORD_BYTES_MAX:
        raise Refused("This password is too long.", 400, "password")
    if password.casefold() == email.casefold():
        raise Refused("Your address is no password.", 400, "password")


async def hashed(password: str) -> str:
    """The argon2id hash, salted, computed off the event loop."""
    async with _gate:
        return await asyncio.to_thread(_hasher.hash, password)


async def fits(stored: str | None, password: str) -> bool:
    """Whether the password belongs to the stored hash; None (no such account) takes as long and is False."""
    async with _gate:
        right = await asyncio.to_thread(_verify, stored or _NOBODYS, password[:PASSWORD_BYTES_MAX])
    return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
