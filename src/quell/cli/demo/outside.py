"""What stands outside of Quell in the demo: the mail server that answers go out by, and Slack's Web API, both small."""

import asyncio
import email
import email.policy
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.smtp import SMTP, Envelope, Session

from quell.channels._mail_reply import MARKER

# Hears where an answer arrived (a mail address, or Slack) and its words.
Heard = Callable[[str, str], None]
POST_BYTES_MAX = 1024 * 1024
SLACK_OK = "chat.postMessage"


class MailSink:
    """Takes every mail, as the reporters' mail server would."""

    def __init__(self, heard: Heard) -> None:
        """Tell `heard` of each."""
        self._heard = heard

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A mail has come."""
        mail = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        body = mail.get_body(("plain",))
        words = body.get_content() if body is not None else ""
        self._heard(", ".join(envelope.rcpt_tos), words.replace(MARKER, "").strip())
        return "250 2.0.0 taken"


@asynccontextmanager
async def mail_sink(heard: Heard) -> AsyncIterator[int]:
    """The outgoing mail server; its port on 127.0.0.1."""
    handler = MailSink(heard)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, hostname="mail.demo"), "127.0.0.1", 0
    )
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@asynccontextmanager
async def slack_api(heard: Heard) -> AsyncIterator[str]:
    """Slack's Web API with the one method that Quell calls; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _slack(heard))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/"
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


def _slack(heard: Heard) -> type[BaseHTTPRequestHandler]:
    posted = [0]

    class Slack(BaseHTTPRequestHandler):
        """Answers `chat.postMessage` as Slack does, and refuses everything else."""

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("content-length", 0)), POST_BYTES_MAX))
            given = json.loads(body or b"{}")
            ok = self.path.endswith(SLACK_OK) and isinstance(given, dict)
            answer: dict[str, object] = {"ok": False, "error": "unknown_method"}
            if ok:
                posted[0] += 1
                answer = {"ok": True, "channel": given.get("channel"), "ts": f"1900000000.{posted[0]:06d}"}
                heard("Slack", str(given.get("text", "")))
            raw = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the demo says what it hears itself."""

    return Slack
