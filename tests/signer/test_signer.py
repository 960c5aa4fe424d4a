"""The signer signs only what consent, company and caps allow, and works every order out by itself."""

import dataclasses
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quell.core.consent import Consent
from quell.core.errors import Broken, Refused
from quell.seams import Action, find
from quell.signer.journal import Journal
from quell.signer.keys import load_keys
from quell.signer.orders import Ask, DeviceFacts, FixFacts, OrderDesk
from quell.wire.orders import OrderKind, device_id, open_order, read_order
from quell.wire.signing import new_key, public_hex
from quell.wire.steps import PutBackService, RestartService, ServiceRuns

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = int(NOW.timestamp())
DEVICE_KEY = public_hex(new_key())
PLAN = "a" * 64
DEVICE = DeviceFacts(7, DEVICE_KEY)
FIX = FixFacts(3, 12, DEVICE, "restart_service", {"service": "nginx"}, PLAN)
YES = Consent(5, 3, PLAN, "account:1", NOW - timedelta(minutes=1), NOW + timedelta(minutes=59))
KEY = new_key()
KINDS: tuple[OrderKind, ...] = ("plan", "check", "undo")


@dataclass
class Shelf:
    """A ledger held in memory."""

    fixes: dict[int, FixFacts] = field(default_factory=lambda: {3: FIX})
    consents: dict[int, Consent] = field(default_factory=lambda: {3: YES})
    actions: frozenset[str] = frozenset({"restart_service", "flush_dns", "free_disk_space"})
    enrolled: int = 20
    sequences: dict[int, int] = field(default_factory=dict)

    async def find_fix(self, fix: int) -> FixFacts | None:
        """The fix."""
        return self.fixes.get(fix)

    async def find_device(self, device: int) -> DeviceFacts | None:
        """Device 7, or none."""
        return DEVICE if device == 7 else None

    async def find_consent(self, fix: int) -> Consent | None:
        """The consent."""
        return self.consents.get(fix)

    async def allowed_actions(self) -> frozenset[str]:
        """What the company allows."""
        return self.actions

    async def count_devices(self) -> int:
        """The size of the fleet."""
        return self.enrolled

    async def next_sequence(self, device: int, least: int) -> int:
        """Rising, as in the database."""
        self.sequences[device] = max(self.sequences.get(device, 0) + 1, least)
        return self.sequences[device]


def desk(shelf: Shelf, folder: Path) -> OrderDesk:
    """The judge over a shelf, with a journal in this folder."""
    actions = find("quell.actions", "ACTION", Action)  # type: ignore[type-abstract]
    return OrderDesk(KEY, shelf, Journal(folder / "journal"), actions, lambda: secrets.token_hex(16))


async def refused(shelf: Shelf, folder: Path, ask: Ask, at: datetime = NOW) -> str:
    """The code of the refusal, which must come."""
    with pytest.raises(Refused) as error:
        await desk(shelf, folder).sign(ask, at)
    return error.value.code


async def test_an_apply_is_bound_to_all_that_was_agreed(tmp_path: Path) -> None:
    """Device, fix, ticket, consent, plan, parameters and steps stand in the order, for ten minutes."""
    signed = await desk(Shelf(), tmp_path).sign(Ask("apply", fix=3), NOW)
    order = open_order(signed, public_hex(KEY), device_id(7, DEVICE_KEY), SECOND)
    assert (order.ticket, order.fix, order.consent, order.plan_hash) == (12, 3, 5, PLAN)
    assert order.steps == (RestartService("nginx"),) and order.params == {"service": "nginx"}
    assert order.expires - order.issued == 600 and order.sequence >= SECOND * 1000


async def test_plan_check_and_undo_get_their_own_steps(tmp_path: Path) -> None:
    """Worked out from the action, never taken from whoever asks."""
    judge = desk(Shelf(), tmp_path)
    orders = [read_order(await judge.sign(Ask(kind, fix=3), NOW)) for kind in KINDS]
    assert [each.steps for each in orders] == [
        (RestartService("nginx"),),
        (ServiceRuns("nginx"),),
        (PutBackService("nginx"),),
    ]
    assert [each.sequence for each in orders] == sorted({each.sequence for each in orders})


async def test_a_look_needs_a_device_only(tmp_path: Path) -> None:
    """Telemetry changes nothing, so nobody needs to agree."""
    order = read_order(await desk(Shelf(fixes={}), tmp_path).sign(Ask("look", device=7, ticket=9), NOW))
    assert (order.kind, order.ticket, order.steps) == ("look", 9, ())
    assert await refused(Shelf(), tmp_path, Ask("look", device=8)) == "no_device"


@pytest.mark.parametrize(
    ("consent", "code"),
    [
        (None, "no_consent"),
        (dataclasses.replace(YES, plan_hash="b" * 64), "other_plan"),
        (dataclasses.replace(YES, withdrawn=NOW), "consent_withdrawn"),
        (dataclasses.replace(YES, expires=NOW), "consent_expired"),
    ],
)
async def test_without_a_fitting_consent_nothing_is_applied(tmp_path: Path, consent: Consent | None, code: str) -> None:
    """The row must be there, for this very plan, and good at this moment."""
    shelf = Shelf(consents={} if consent is None else {3: consent})
    assert await refused(shelf, tmp_path, Ask("apply", fix=3)) == code


async def test_what_was_agreed_can_be_undone_after_the_consent_ran_out(tmp_path: Path) -> None:
    """The way back stays open; but not for a plan that nobody ever agreed to."""
    later = NOW + timedelta(hours=5)
    assert read_order(await desk(Shelf(), tmp_path).sign(Ask("undo", fix=3), later)).kind == "undo"
    assert await refused(Shelf(consents={}), tmp_path / "x", Ask("undo", fix=3)) == "never_agreed"


@pytest.mark.parametrize(
    ("fix", "ask", "code"),
    [
        (FIX, Ask("apply", fix=4), "no_fix"),
        (FIX, Ask("plan"), "no_fix"),
        (dataclasses.replace(FIX, action="format_disk"), Ask("plan", fix=3), "no_action"),
        (
            dataclasses.replace(FIX, action="clear_cache", params={"cache": "x"}),
            Ask("plan", fix=3),
            "action_not_allowed",
        ),
        (dataclasses.replace(FIX, params={"service": "a;b"}), Ask("plan", fix=3), "bad_parameters"),
        (dataclasses.replace(FIX, plan_hash=None), Ask("apply", fix=3), "no_plan"),
        (dataclasses.replace(FIX, device=DeviceFacts(7, None)), Ask("plan", fix=3), "not_enrolled"),
        (dataclasses.replace(FIX, device=DeviceFacts(7, DEVICE_KEY, True)), Ask("plan", fix=3), "revoked"),
        (
            dataclasses.replace(FIX, action="free_disk_space", params={"mount": "/var"}),
            Ask("undo", fix=3),
            "irreversible",
        ),
        (dataclasses.replace(FIX, action="flush_dns", params={"name": "a.b"}), Ask("undo", fix=3), "nothing_to_undo"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
async def test_what_does_not_fit_is_refused(tmp_path: Path, fix: FixFacts, ask: Ask, code: str) -> None:
    """Each with its own word."""
    assert await refused(Shelf(fixes={3: fix}), tmp_path, ask) == code


async def test_asking_twice_gives_the_same_order_never_a_second_one(tmp_path: Path) -> None:
    """Also after the signer started anew: a worker that died before it kept the order gets it again."""
    first = await desk(Shelf(), tmp_path).sign(Ask("apply", fix=3), NOW)
    again = await desk(Shelf(), tmp_path).sign(Ask("apply", fix=3), NOW + timedelta(minutes=9))
    assert again == first
    anew = await desk(Shelf(), tmp_path).sign(Ask("apply", fix=3), NOW + timedelta(minutes=10))
    assert read_order(anew).id != read_order(first).id


async def test_a_second_plan_waits_until_the_first_order_ran_out(tmp_path: Path) -> None:
    """Two orders to change the same thing are never out at once."""
    await desk(Shelf(), tmp_path).sign(Ask("apply", fix=3), NOW)
    other = Shelf({3: dataclasses.replace(FIX, plan_hash="b" * 64)}, {3: dataclasses.replace(YES, plan_hash="b" * 64)})
    assert await refused(other, tmp_path, Ask("apply", fix=3)) == "already_signed"


async def test_an_action_spreads_to_five_devices_an_hour_and_no_further(tmp_path: Path) -> None:
    """The cap holds over a restart of the signer, and opens again after an hour; 2 % count where that is more."""
    shelf = Shelf({}, {})
    for number in range(1, 7):
        shelf.fixes[number] = dataclasses.replace(FIX, id=number, device=DeviceFacts(number, DEVICE_KEY))
        shelf.consents[number] = dataclasses.replace(YES, fix=number, expires=NOW + timedelta(hours=3))
        if number <= 5:
            await desk(shelf, tmp_path).sign(Ask("apply", fix=number), NOW)
    assert await refused(shelf, tmp_path, Ask("apply", fix=6)) == "fleet_cap"
    shelf.enrolled = 300
    await desk(shelf, tmp_path).sign(Ask("apply", fix=6), NOW)
    shelf.enrolled = 20
    shelf.fixes[7] = dataclasses.replace(FIX, id=7, device=DeviceFacts(99, DEVICE_KEY))
    shelf.consents[7] = dataclasses.replace(YES, fix=7, expires=NOW + timedelta(hours=3))
    assert await refused(shelf, tmp_path, Ask("apply", fix=7)) == "fleet_cap"
    await desk(shelf, tmp_path).sign(Ask("apply", fix=7), NOW + timedelta(hours=1))


def test_keys_are_made_once_and_stay_private(tmp_path: Path) -> None:
    """The same keys after a restart; a key that others may read stops the start."""
    keys = load_keys(tmp_path / "signer")
    again = load_keys(tmp_path / "signer")
    assert public_hex(keys.order) == public_hex(again.order) != public_hex(keys.checkpoint)
    assert (tmp_path / "signer").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "signer" / "checkpoint.pub").read_text().strip() == public_hex(keys.checkpoint)
    path = tmp_path / "signer" / "order.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Broken):
        load_keys(tmp_path / "signer")
    path.chmod(0o600)
    path.write_text("00")
    with pytest.raises(Broken):
        load_keys(tmp_path / "signer")


async def test_a_journal_cut_short_by_a_crash_is_read_up_to_there(tmp_path: Path) -> None:
    """The half line's order never left the signer."""
    await desk(Shelf(), tmp_path).sign(Ask("apply", fix=3), NOW)
    whole = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(whole + whole[:40])
    assert Journal(tmp_path / "journal").devices("restart_service", SECOND) == {7}
    assert (tmp_path / "journal").read_bytes() == whole
