"""What devices ask of the server: to be let in, whether there are orders, to hand in results and what they saw."""

from datetime import datetime, timedelta
from secrets import token_hex
from typing import TypeVar

from quell.core.errors import Refused
from quell.core.incoming import Hook
from quell.journey import tasks
from quell.journey.house import House
from quell.journey.intake import room as intake
from quell.store import deliveries, devices, fixes
from quell.store.change import Change
from quell.store.devices import Device
from quell.store.jobs import Job
from quell.store.signer_client import read_envelope
from quell.wire.errors import Malformed, Untrusted
from quell.wire.messages import (
    ORDERS_MAX,
    SECRET_DIGITS,
    SIGNATURE_HEADER,
    Acknowledged,
    EnrolResponse,
    Poll,
    PollResponse,
    Reports,
    Results,
    claimed_device,
    make_token,
    open_enrolment,
    open_message,
    split_token,
    write_response,
)
from quell.wire.orders import device_id, device_number
from quell.wire.shape import to_json

TOKEN_VALID_FOR = timedelta(hours=24)
DEVICE_CHANNEL = "device_agent"
DEVICE_HEADER = "x-quell-device"

Said = TypeVar("Said", Poll, Results, Reports)


async def make_enrolment(house: House, actor: str) -> tuple[str, datetime]:
    """A single-use token for one device, and when it ends; shown once, kept only as a digest."""
    order_key, _ = await house.signer.public_keys()
    secret = token_hex(SECRET_DIGITS // 2)
    async with house.store.change() as change:
        ends = change.at + TOKEN_VALID_FOR
        await devices.add_token(change, secret, ends)
        await change.record("setting:devices", "enrolment_token_made", actor, {})
    return make_token(secret, order_key), ends


async def enrol(house: House, body: bytes, signature: str) -> bytes:
    """Let a device in that holds a good token and the key it names; the answer's body."""
    now = int(house.store.clock().timestamp())
    try:
        asked = open_enrolment(body, signature, now)
        secret, _ = split_token(asked.token)
    except (Malformed, Untrusted) as error:
        raise _refused(error) from error
    order_key, _ = await house.signer.public_keys()
    async with house.store.change() as change:
        key = bytes.fromhex(asked.public_key)
        made = await devices.enrol(change, secret, asked.hostname, key, asked.os, asked.agent_version)
    return write_response(EnrolResponse(device_id(made.id, asked.public_key), order_key, now))


async def poll(house: House, body: bytes, signature: str) -> tuple[Device, Poll]:
    """Who polls, proven by his key and a fresh nonce; his status is kept."""
    device, asked = await _open(house, Poll, body, signature)
    async with house.store.change() as change:
        status = to_json(asked.status)
        await devices.keep_status(change, device.id, status, asked.agent_version)
    return device, asked


async def orders(house: House, device: int) -> bytes | None:
    """The answer with the orders that wait for a device, None when there are none."""
    async with house.store.read() as connection:
        waiting = await fixes.waiting_for(connection, device, house.store.clock(), ORDERS_MAX)
    if not waiting:
        return None
    return write_response(PollResponse(tuple(read_envelope(each.envelope) for each in waiting), _now(house)))


def no_orders(house: House) -> bytes:
    """The answer when nothing waits."""
    return write_response(PollResponse((), _now(house)))


async def results(house: House, body: bytes, signature: str) -> bytes:
    """Keep what came of orders, the first answer to each, and go on from there; the answer's body."""
    device, said = await _open(house, Results, body, signature)
    async with house.store.change() as change:
        for each in said.results:
            await _keep_result(change, device, each.order_id, to_json(each))
        await devices.keep_head(change, device.id, said.head.entries, said.head.hash)
    return write_response(Acknowledged(tuple(each.order_id for each in said.results)))


async def _keep_result(change: Change, device: Device, nonce: str, result: object) -> None:
    assert isinstance(result, dict)
    found = await fixes.answer(change, device.id, nonce, result)
    if found is None:
        return
    task = tasks.TAKE_LOOK if found.kind == "look" and found.fix is None else tasks.GO_ON
    change.later(Job(task, {"order": found.id}, urgent=True))


async def reports(house: House, body: bytes, signature: str) -> bytes:
    """Keep what a device saw itself, as a delivery of its channel; the answer's body."""
    device, said = await _open(house, Reports, body, signature)
    async with house.store.change() as change:
        line = await _line(house, change)
    await intake.take(house, line, Hook(body, {DEVICE_HEADER: device.hostname}))
    return write_response(Acknowledged(tuple(each.key for each in said.reports)))


async def _line(house: House, change: Change) -> str:
    found = await deliveries.lines(change.connection, DEVICE_CHANNEL)
    if found:
        return found[0].key
    await deliveries.add_line(change, DEVICE_CHANNEL, DEVICE_CHANNEL, {}, "default")
    return DEVICE_CHANNEL


async def _open(house: House, kind: type[Said], body: bytes, signature: str) -> tuple[Device, Said]:
    try:
        claimed = claimed_device(body)
        async with house.store.read() as connection:
            device = await devices.load(connection, device_number(claimed))
        if device.public_key is None or device.revoked_at is not None:
            raise Refused("this device is not enrolled", 401, "node_invalid")
        key = device.public_key.hex()
        said = open_message(kind, body, signature, key, _now(house))
    except (Malformed, Untrusted) as error:
        raise _refused(error) from error
    if claimed != device_id(device.id, key):
        raise Refused("this device was enrolled anew", 401, "node_invalid")
    async with house.store.change() as change:
        await devices.seen(change, device.id, said.nonce)
    return device, said


def _refused(error: Malformed | Untrusted) -> Refused:
    if isinstance(error, Untrusted):
        return Refused(str(error), 401, error.code)
    return Refused(str(error), 400, "malformed")


def _now(house: House) -> int:
    return int(house.store.clock().timestamp())


HEADER = SIGNATURE_HEADER
