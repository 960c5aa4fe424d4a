"""The agent's endless round: look around, send what waits, ask for orders, obey them."""

import logging
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from quell import __version__
from quell.agent.duty import Duty
from quell.agent.home import Home, Unusable, release_reserve
from quell.agent.ledger import Ledger
from quell.agent.looking import Looker
from quell.agent.policy import Policy
from quell.agent.policy_file import load_policy
from quell.agent.server import Server, TurnedAway, Unreachable
from quell.agent.watching import Watch
from quell.wire.canonical import canonical_bytes
from quell.wire.errors import Untrusted
from quell.wire.messages import (
    MESSAGE_BYTES_MAX,
    REPORTS_MAX,
    RESULTS_MAX,
    Poll,
    Reports,
    Results,
)
from quell.wire.orders import NONCE_DIGITS, SignedOrder
from quell.wire.results import Result
from quell.wire.shape import to_json

WAIT_S = 25
QUIET_S = 1.0  # At least so long between two polls that brought nothing.
PAUSE_S_FIRST = 1.0
PAUSE_S_MOST = 60.0
BATCH_BYTES_MAX = MESSAGE_BYTES_MAX - 64 * 1024
REVOKED = frozenset({"node_invalid", "revoked", "no_such_device"})

log = logging.getLogger("quell.agent")


class Stopped(Exception):
    """Somebody asked us to end."""


def run(home: Path) -> None:
    """Ask for orders and obey them until SIGTERM or Ctrl-C; raises Unusable for what a person must mend."""
    place = Home(home)
    place.prepare()
    with place.lock(), _stopping() as stop:
        identity, key = place.load_identity()
        ledger = Ledger(place.ledger)
        duty = Duty(identity, place, ledger)
        round_ = Round(duty, Server(identity.server, key, place.authorities), Watch(place, identity.hostname), stop)
        log.info(
            "agent_started device=%s server=%s entries=%s", identity.device_id, identity.server, ledger.head.entries
        )
        with suppress(Stopped):
            duty.recover()
            round_.forever()
        log.info("agent_stopped device=%s", identity.device_id)


@dataclass
class Stop:
    """Whether to end; while `idle`, the signal ends what is waited for, otherwise the order at hand is finished."""

    asked: bool = False
    idle: bool = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A stretch in which nothing is lost by ending at once."""
        self.idle = True
        try:
            if self.asked:
                raise Stopped
            yield
        finally:
            self.idle = False
        if self.asked:
            raise Stopped


@dataclass
class Round:
    """The agent's endless round: look around, send what waits, ask, obey."""

    duty: Duty
    server: Server
    watch: Watch
    stop: Stop
    looked: float = float("-inf")
    refusals: list[Result] = field(default_factory=list)
    broken: bool = False

    def forever(self) -> None:
        """Go round until stopped; pauses grow while the server is out of reach."""
        pause = PAUSE_S_FIRST
        while True:
            began = time.monotonic()
            try:
                busy = self.once()
                pause = PAUSE_S_FIRST
                rest = 0.0 if busy else QUIET_S - (time.monotonic() - began)
            except Unreachable as error:
                log.warning("server_unreachable reason=%s pause_s=%.0f", error, pause)
                rest, pause = pause * (0.5 + secrets.randbelow(1000) / 1000), min(pause * 2, PAUSE_S_MOST)
            except (Stopped, Unusable):
                raise
            except TurnedAway as error:
                if error.code in REVOKED:
                    raise Unusable(f"{error}; enrol anew to be let in again") from error
                log.error("turned_away status=%s code=%s pause_s=%.0f", error.status, error.code, PAUSE_S_MOST)
                rest = PAUSE_S_MOST
            except Exception as error:
                self.broken = True
                if isinstance(error, OSError) and release_reserve(self.duty.home.folder, error):
                    log.warning("disk_full reserve=released")
                    continue
                log.exception("round_broken pause_s=%.0f", PAUSE_S_MOST)
                rest = PAUSE_S_MOST
            if rest > 0:
                with self.stop.waiting():
                    time.sleep(rest)

    def once(self) -> bool:
        """One round; whether there was anything to do."""
        if self.broken:
            self.duty.recover()
            self.broken = False
        self.duty.home.keep_reserve()
        policy = _policy_or_nothing(self.duty.home)
        self._look_around(policy)
        self._send_results()
        self._send_reports()
        self.duty.ledger.rotate(_now())
        wait_s = max(0, min(WAIT_S, int(self.looked + policy.checks.every_s - time.monotonic())))
        orders = self._poll(policy, wait_s)
        for signed in orders:
            self._obey(signed)
            self._send_results()
            if self.stop.asked:
                raise Stopped
        return bool(orders)

    def _look_around(self, policy: Policy) -> None:
        if time.monotonic() - self.looked >= policy.checks.every_s:
            self.looked = time.monotonic()
            self.watch.look(policy, _now())

    def _poll(self, policy: Policy, wait_s: int) -> tuple[SignedOrder, ...]:
        duty = self.duty
        status = Looker(duty.home, policy).status()
        device = duty.identity.device_id
        poll = Poll(device, _now(), _nonce(), wait_s, status, duty.ledger.head, __version__)
        with self.stop.waiting():
            return self.server.poll(poll).orders

    def _obey(self, signed: SignedOrder) -> None:
        result = self.duty.obey(signed)
        if result is None:
            return
        log.info("order_answered order=%s kind=%s", result.order_id, result.kind)
        known = self.duty.ledger.find(result.order_id)
        if known is None or known.acknowledged:
            self.refusals.append(result)

    def _send_results(self) -> None:
        """Send until acknowledged what the ledger holds; what was refused unread is said once."""
        while waiting := [*self.duty.ledger.unsent(), *self.refusals]:
            batch = _batch(waiting)
            head, device = self.duty.ledger.head, self.duty.identity.device_id
            answer = self.server.send_results(Results(device, _now(), _nonce(), batch, head))
            self.refusals = [each for each in self.refusals if each not in batch]
            before = len(self.duty.ledger.unsent())
            self.duty.ledger.acknowledge(answer.acknowledged)
            if len(self.duty.ledger.unsent()) == before:
                return

    def _send_reports(self) -> None:
        while waiting := self.watch.waiting[:REPORTS_MAX]:
            answer = self.server.send_reports(Reports(self.duty.identity.device_id, _now(), _nonce(), waiting))
            self.watch.sent(answer.acknowledged)
            if self.watch.waiting[: len(waiting)] == waiting:
                return


def _policy_or_nothing(place: Home) -> Policy:
    """A policy that cannot be read allows nothing; the reason comes with every refusal, and into the log."""
    try:
        return load_policy(place.policy)
    except Untrusted as error:
        log.error("policy_unusable reason=%s", error)
        return Policy(disabled=True)


def _batch(results: list[Result]) -> tuple[Result, ...]:
    """As many as fit into one message; the first always does, since each is bounded."""
    chosen: list[Result] = []
    size = 0
    for each in results[:RESULTS_MAX]:
        size += len(canonical_bytes(to_json(each)))
        if chosen and size > BATCH_BYTES_MAX:
            break
        chosen.append(each)
    return tuple(chosen)


@contextmanager
def _stopping() -> Iterator[Stop]:
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.asked = True
        if stop.idle:
            raise Stopped

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _now() -> int:
    return int(time.time())


def _nonce() -> str:
    return secrets.token_hex(NONCE_DIGITS // 2)
