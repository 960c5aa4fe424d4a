"""How sure we are who wrote a mail: only our own mail server's word counts (RFC 8601)."""

import re
from email.message import Message

from quell.channels._mail_charset import headers
from quell.core.incoming import Strength

_COMMENT = re.compile(r"\([^()]*\)")
_PAIR = re.compile(r"([a-z0-9.-]+)\s*=\s*\"?([^\s;\"]+)\"?", re.IGNORECASE)
COMMENT_DEPTH_MAX = 5


def strength(message: Message, sender: str, authserv_id: str, from_count: int) -> tuple[Strength, str]:
    """The strength of the From address, and a sentence when something about it is odd."""
    if from_count != 1 or not sender:
        return Strength.TEXT, "The mail names several senders." if from_count else "The mail names no sender."
    verdict = _own_verdict(message, authserv_id)
    if verdict is None:
        return Strength.BARE, ""
    domain = sender.rpartition("@")[2]
    if any(_vouches(method, domain) for method in verdict):
        return Strength.ALIGNED, ""
    failed = any(method.get("dmarc") == "fail" for method in verdict)
    return Strength.BARE, "The sender's domain does not vouch for this mail (DMARC failed)." if failed else ""


def _own_verdict(message: Message, authserv_id: str) -> list[dict[str, str]] | None:
    """The methods of the topmost header that our own server wrote; anybody can write the others."""
    for value in headers(message, "authentication-results") if authserv_id else []:
        for _ in range(COMMENT_DEPTH_MAX):
            value = _COMMENT.sub(" ", value)
        server, _, rest = value.partition(";")
        if server.split()[:1] == [authserv_id] or server.lower().split()[:1] == [authserv_id.lower()]:
            return [{key.lower(): word.lower() for key, word in _PAIR.findall(part)} for part in rest.split(";")]
    return None


def _vouches(method: dict[str, str], domain: str) -> bool:
    if method.get("dmarc") == "pass":
        return _same_house(method.get("header.from", domain), domain)
    if method.get("dkim") == "pass":
        return _same_house(method.get("header.d") or _domain(method.get("header.i", "")), domain)
    if method.get("spf") == "pass":
        return _same_house(_domain(method.get("smtp.mailfrom", "")), domain)
    return False


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _same_house(one: str, other: str) -> bool:
    """Relaxed alignment: the same domain, or one below the other; a bare top-level domain vouches for nobody."""
    one, other = one.strip(".").lower(), other.strip(".").lower()
    if "." not in one or "." not in other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
