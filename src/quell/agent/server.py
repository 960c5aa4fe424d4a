"""Calling the server: outbound only, signed by our key, over TLS unless the server is this very machine."""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.agent.home import Unusable
from quell.wire.bounds import LOOPBACK
from quell.wire.errors import Malformed
from quell.wire.messages import (
    ENROL_PATH,
    MESSAGE_BYTES_MAX,
    POLL_PATH,
    REPORTS_PATH,
    RESULTS_PATH,
    SIGNATURE_HEADER,
    Acknowledged,
    EnrolRequest,
    EnrolResponse,
    Poll,
    PollResponse,
    Reports,
    Results,
    read_response,
    write_message,
)

ANSWER_S_MAX = 20
ERROR_BYTES_READ = 4096

Answered = TypeVar("Answered", bound=EnrolResponse | PollResponse | Acknowledged)


class Unreachable(Exception):
    """The server does not answer, or answers nonsense: wait and try again."""


class TurnedAway(Exception):
    """The server answered that it will not; `code` is from its problem document."""

    def __init__(self, status: int, code: str, says: str) -> None:
        """Keep the parts apart."""
        super().__init__(f"the server answered {status} {code}: {says}")
        self.status = status
        self.code = code


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Orders come from the address that was enrolled, not from wherever it may point."""

    def redirect_request(self, *_given: object) -> None:
        """Follow nothing."""
        return None


@dataclass(frozen=True)
class Server:
    """Where the server is and the key that signs for this device."""

    url: str
    key: Ed25519PrivateKey
    authorities: Path | None = None

    def enrol(self, request: EnrolRequest) -> EnrolResponse:
        """Ask to be let in."""
        return self._post(EnrolResponse, ENROL_PATH, request, ANSWER_S_MAX)

    def poll(self, poll: Poll) -> PollResponse:
        """Ask for orders; waits as long as the server was allowed to."""
        return self._post(PollResponse, POLL_PATH, poll, poll.wait_s + ANSWER_S_MAX)

    def send_results(self, results: Results) -> Acknowledged:
        """Say what came of orders."""
        return self._post(Acknowledged, RESULTS_PATH, results, ANSWER_S_MAX)

    def send_reports(self, reports: Reports) -> Acknowledged:
        """Say what the device saw itself."""
        return self._post(Acknowledged, REPORTS_PATH, reports, ANSWER_S_MAX)

    def _post(
        self, cls: type[Answered], path: str, message: EnrolRequest | Poll | Results | Reports, timeout_s: int
    ) -> Answered:
        body, signature = write_message(message, self.key)
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature, "User-Agent": "quell-agent"}
        request = urllib.request.Request(self.url + path, body, headers, method="POST")
        try:
            with self._opener().open(request, timeout=timeout_s) as answer:
                return read_response(cls, answer.read(MESSAGE_BYTES_MAX + 1))
        except urllib.error.HTTPError as error:
            raise _turned_away(error) from error
        except (OSError, ValueError, Malformed) as error:
            raise Unreachable(f"{self.url} cannot be reached: {error}") from error

    def _opener(self) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if urlsplit(self.url).scheme == "https":
            trusted = str(self.authorities) if self.authorities and self.authorities.exists() else None
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=trusted)))
        else:
            handlers.append(urllib.request.ProxyHandler({}))
        return urllib.request.build_opener(*handlers)


def check_address(url: str) -> str:
    """The server's address without a slash at its end; Unusable when it would send in the clear to another machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise Unusable(f"{url!r} is no address of a server")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Unusable("a server on another machine must be called by https")
    return url.rstrip("/")


def _turned_away(error: urllib.error.HTTPError) -> Exception:
    """A 4xx is an answer; 429 and 5xx are the server's own trouble and pass."""
    code, says = "", error.reason
    try:
        problem = json.loads(error.read(ERROR_BYTES_READ))
        code, says = str(problem.get("code", "")), str(problem.get("detail") or problem.get("title") or says)
    except (OSError, ValueError, AttributeError):
        pass
    if error.code == 429 or error.code >= 500:
        return Unreachable(f"the server answered {error.code}: {says}")
    return TurnedAway(error.code, code, says)
