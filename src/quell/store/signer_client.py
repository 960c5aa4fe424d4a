"""The way to the signer: asks the process that holds the order key, over its unix socket, and hands back signatures."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from quell.core.errors import Broken, Refused, TryAgain
from quell.wire.canonical import Json, canonical_bytes, parse_json
from quell.wire.errors import Malformed
from quell.wire.orders import Order, OrderKind, SignedOrder, read_order
from quell.wire.shape import from_json, to_json

ANSWER_S_MAX = 10
ANSWER_BYTES_MAX = 256 * 1024
LOCATOR = "signer.json"


@dataclass(frozen=True)
class SignedByUs:
    """A signed order with what the row in `fix_order` needs; `envelope` is what the device gets, byte for byte."""

    order: Order
    signed: SignedOrder

    @property
    def envelope(self) -> bytes:
        """The signed order as the column `fix_order.envelope` keeps it."""
        return canonical_bytes(to_json(self.signed))

    @property
    def issued_at(self) -> datetime:
        """When it begins to count."""
        return datetime.fromtimestamp(self.order.issued, UTC)

    @property
    def expires_at(self) -> datetime:
        """From when on no device obeys it."""
        return datetime.fromtimestamp(self.order.expires, UTC)


def read_envelope(envelope: bytes) -> SignedOrder:
    """The signed order out of the column `fix_order.envelope`."""
    return from_json(SignedOrder, parse_json(envelope))


class SignerClient:
    """Every call is one short connection; TryAgain when the signer does not answer, Refused when it will not sign."""

    def __init__(self, home: Path) -> None:
        """`home` is QUELL_HOME, where the signer leaves its address."""
        self._locator = home / LOCATOR

    async def public_keys(self) -> tuple[str, str]:
        """The public keys for orders and for checkpoints, 64 hexadecimal digits each."""
        answer = await self._ask({"verb": "public_keys"})
        return str(answer["order"]), str(answer["checkpoint"])

    async def sign_order(
        self, kind: OrderKind, *, fix: int | None = None, device: int | None = None, ticket: int | None = None
    ) -> SignedByUs:
        """An order for this fix, or a `look` at a device; the signer judges by what it reads in the database itself.

        So the fix, its plan's hash and the consent must be committed before. Refused carries the code: `no_consent`,
        `other_plan`, `consent_withdrawn`, `consent_expired`, `fleet_cap`, `action_not_allowed`, `not_enrolled`,
        `revoked`, `irreversible`, `nothing_to_undo`, `already_signed` …
        """
        asked: dict[str, Json] = {"verb": "sign_order", "kind": kind, "fix": fix, "device": device, "ticket": ticket}
        signed = from_json(SignedOrder, await self._ask(asked), "answer")
        return SignedByUs(read_order(signed), signed)

    async def sign_checkpoint(self, payload: bytes) -> bytes:
        """The 64 bytes of the signature over a checkpoint; `quell.wire.signing.verify` with CHECKPOINT checks it."""
        answer = await self._ask({"verb": "sign_checkpoint", "payload": payload.hex()})
        return bytes.fromhex(str(answer["signature"]))

    async def _ask(self, asked: Mapping[str, Json]) -> Mapping[str, Json]:
        try:
            answer = parse_json(await asyncio.wait_for(self._exchange(asked), ANSWER_S_MAX), ANSWER_BYTES_MAX)
        except (OSError, ValueError, KeyError, TimeoutError) as error:
            if isinstance(error, Malformed):
                raise Broken(f"the signer answered nonsense: {error}") from error
            raise TryAgain("the signer does not answer") from error
        if not isinstance(answer, Mapping):
            raise Broken("the signer answered nonsense")
        _raise_error(answer.get("error"))
        return answer

    async def _exchange(self, asked: Mapping[str, Json]) -> bytes:
        where = json.loads(await asyncio.to_thread(self._locator.read_text))
        reader, writer = await asyncio.open_unix_connection(where["socket"], limit=ANSWER_BYTES_MAX)
        try:
            writer.write(canonical_bytes(asked) + b"\n")
            await writer.drain()
            line = await reader.readline()
        finally:
            writer.close()
        if not line:
            raise OSError("the signer hung up")
        return line.strip()


def _raise_error(error: Json) -> None:
    if not isinstance(error, Mapping):
        return
    status, code, says = error.get("status"), str(error.get("code")), str(error.get("says"))
    if status == 500:
        raise Broken(f"the signer failed: {says}")
    retry = error.get("retry_after_s")
    raise Refused(
        says, status if isinstance(status, int) else 400, code, retry_after_s=retry if isinstance(retry, int) else None
    )
