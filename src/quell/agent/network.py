"""The device's network: cards, the way out, name servers and how fast they answer."""

import secrets
import socket
import sys
import time
from pathlib import Path

import psutil

from quell.wire.telemetry import Interface

INTERFACES_MAX = 20
ADDRESSES_MAX = 6
RESOLVERS_MAX = 4
RESOLVER_S_MAX = 1.0


def interfaces() -> tuple[Interface, ...]:
    """Network cards with their addresses, errors and drops."""
    addresses, counters = psutil.net_if_addrs(), psutil.net_io_counters(pernic=True)
    found = []
    for name, state in sorted(psutil.net_if_stats().items()):
        own = [
            each.address.split("%")[0]
            for each in addresses.get(name, [])
            if each.family in (socket.AF_INET, socket.AF_INET6)
        ]
        count = counters.get(name)
        errors, dropped = (count.errin + count.errout, count.dropin + count.dropout) if count else (0, 0)
        found.append(Interface(name, state.isup, tuple(own[:ADDRESSES_MAX]), errors, dropped))
    return tuple(found[:INTERFACES_MAX])


def gateway() -> str | None:
    """The address of the default route (Linux), None when there is none or it cannot be told."""
    try:
        lines = Path("/proc/net/route").read_text().splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        parts = line.split()
        if len(parts) > 7 and parts[1] == "00000000" and parts[7] == "00000000":
            return socket.inet_ntoa(bytes.fromhex(parts[2])[:: -1 if sys.byteorder == "little" else 1])
    return None


def resolvers() -> list[str]:
    """The name servers that this device is set to use."""
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        return []
    return [parts[1] for line in lines if len(parts := line.split()) > 1 and parts[0] == "nameserver"][:RESOLVERS_MAX]


def ask_resolver(address: str) -> int | None:
    """How long a name server takes for one small question (the root's name servers), in ms; None without an answer."""
    number = secrets.token_bytes(2)
    question = number + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x00" + b"\x00\x02\x00\x01"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    began = time.monotonic()
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.settimeout(RESOLVER_S_MAX)
            asking.connect((address, 53))
            asking.send(question)
            answered = asking.recv(512)[:2] == number
    except OSError:
        return None
    return int((time.monotonic() - began) * 1000) if answered else None
