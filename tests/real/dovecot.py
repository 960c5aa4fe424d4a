"""A real Dovecot: mailboxes for everybody, reached by IMAP and filled by LMTP."""

import getpass
import imaplib
import os
import pwd
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from tests.real.programs import folder, free_port, need, running

PASSWORD = "secret"
ARRIVES_S_MAX = 20.0


@dataclass(frozen=True)
class Dovecot:
    """The running server; any address has a mailbox with the password `secret`."""

    imap_port: int
    lmtp_port: int

    def imap_url(self, user: str) -> str:
        """How the email channel's `imap_url` names a mailbox."""
        return f"imap://{user.replace('@', '%40')}:{PASSWORD}@127.0.0.1:{self.imap_port}/INBOX"

    def open(self, user: str) -> imaplib.IMAP4:
        """A connection of our own, to look at what stands in a mailbox."""
        imap = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=20)
        imap.login(user, PASSWORD)
        imap.select("INBOX")
        return imap

    def deliver(self, raw: bytes, to: str, sender: str = "ann@client.example") -> None:
        """Put a mail into a mailbox, as a mail server does."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
            lmtp.sendmail(sender, [to], raw)

    def mails(self, user: str, count: int) -> list[Message]:
        """The mails in a mailbox, oldest first, once there are so many."""
        until = time.monotonic() + ARRIVES_S_MAX
        while True:
            found = self._mails(user)
            if len(found) >= count:
                return found
            if time.monotonic() > until:
                raise AssertionError(f"{user} has {len(found)} mails, not {count}")
            time.sleep(0.1)

    def _mails(self, user: str) -> list[Message]:
        imap = self.open(user)
        try:
            numbers = imap.search(None, "ALL")[1][0].split()
            fetched = [imap.fetch(each.decode(), "(BODY.PEEK[])")[1][0] for each in numbers]
        finally:
            imap.logout()
        return [message_from_bytes(each[1]) for each in fetched if isinstance(each, tuple)]


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """Dovecot on free ports for as long as the block runs; skipped where it is not installed."""
    program = need("dovecot")
    with folder("dovecot") as home:
        server = Dovecot(free_port(), free_port())
        (home / "dovecot.conf").write_text(_configured(home, server))
        (home / "mail").mkdir()
        (home / "mail").chmod(0o777)
        with running([program, "-F", "-c", str(home / "dovecot.conf")], server.imap_port, home / "output"):
            yield server


def _configured(home: Path, server: Dovecot) -> str:
    root = os.geteuid() == 0
    me = getpass.getuser()
    owner = pwd.getpwnam("mail" if root else me)
    accounts = "" if root else f"default_internal_user = {me}\ndefault_login_user = {me}\n"
    chroot = "" if root else "chroot ="
    return f"""
protocols = imap lmtp
base_dir = {home}/run
log_path = {home}/log
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
recipient_delimiter = +
mail_location = maildir:{home}/mail/%n
first_valid_uid = 1
{accounts}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={home}/mail/%n allow_all_users=yes
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    port = {server.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  {chroot}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {server.lmtp_port}
  }}
}}
"""
