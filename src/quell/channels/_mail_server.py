"""A mail server as an address names it (`smtp://`, `smtps://`, `imap://`, `imaps://`), and how to encrypt."""

import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

PORTS = {"smtp": 25, "smtps": 465, "imap": 143, "imaps": 993}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Tls = Literal["always", "insist", "offered", "never"]


@dataclass(frozen=True)
class Server:
    """`tls`: from the first byte, by STARTTLS or not at all, by STARTTLS when offered, never."""

    host: str
    port: int
    user: str
    password: str
    tls: Tls
    verify: bool
    path: str


def server_of(url: str, protocol: Literal["smtp", "imap"]) -> Server:
    """The server in the address; ValueError says what is wrong with it, without its password.

    A password is never said unencrypted to another host, unless the address ends in `?tls=never`; `?verify=no` takes
    any certificate.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"it is not an address of the form {protocol}s://user:password@host") from None
    if parts.scheme not in (protocol, f"{protocol}s") or not host:
        raise ValueError(f"it is not of the form {protocol}s://user:password@host")
    asked = parse_qs(parts.query)
    user = unquote(parts.username or "")
    tls = _tls(parts.scheme.endswith("s"), asked.get("tls") == ["never"], bool(user) and host not in LOOPBACK)
    verify = asked.get("verify") != ["no"]
    path = unquote(parts.path.lstrip("/"))
    return Server(host, port or PORTS[parts.scheme], user, unquote(parts.password or ""), tls, verify, path)


def tls_context(server: Server) -> ssl.SSLContext:
    """Encryption that is merely offered is taken without checking the name: it is better than none."""
    context = ssl.create_default_context()
    if not server.verify or server.tls == "offered":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _tls(from_the_start: bool, never: bool, secret: bool) -> Tls:
    if from_the_start:
        return "always"
    if never:
        return "never"
    return "insist" if secret else "offered"
