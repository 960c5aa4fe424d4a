"""Letting a device in: it makes its own key, shows the public half with a token, and pins the server's order key."""

import secrets
import socket
import time
from pathlib import Path

from quell import __version__
from quell.agent.home import Home, Identity, Unusable, write_privately
from quell.agent.looking import system_name
from quell.agent.policy_file import DEFAULT
from quell.agent.server import Server, check_address
from quell.wire.errors import Malformed, Untrusted
from quell.wire.messages import EnrolRequest, check_order_key
from quell.wire.orders import NONCE_DIGITS
from quell.wire.signing import new_key, public_hex


def enrol(server_url: str, token: str, home: Path, hostname: str | None = None) -> Identity:
    """Make a key here, show the token and the key's public half to the server, and pin the server's order key.

    Raises Unusable for what a person must mend, Unreachable or TurnedAway when the server did not let us in.
    """
    place = Home(home)
    place.prepare()
    with place.lock():
        if place.enrolled():
            raise Unusable(f"{home} is enrolled already; take another folder, or remove it to start anew")
        key = new_key()
        server = Server(check_address(server_url), key, place.authorities)
        name = hostname or socket.gethostname()
        now, nonce = int(time.time()), secrets.token_hex(NONCE_DIGITS // 2)
        try:
            request = EnrolRequest(token, public_hex(key), name, system_name(), __version__, now, nonce)
            answer = server.enrol(request)
            check_order_key(token, answer.order_key)
        except (Malformed, Untrusted) as error:
            raise Unusable(str(error)) from error
        identity = Identity(answer.device_id, server.url, answer.order_key, name)
        if not place.policy.exists():
            write_privately(place.policy, DEFAULT.encode())
        place.save_identity(identity, key)
    return identity
