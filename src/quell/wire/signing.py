"""Ed25519 over exact bytes, with a purpose in front, so that a signature for one thing never fits another."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from quell.wire.bounds import check_hex
from quell.wire.canonical import sha256_hex
from quell.wire.errors import Untrusted

KEY_DIGITS = 64
SIGNATURE_DIGITS = 128
FINGERPRINT_DIGITS = 16

ORDER = b"quell.order.v1\n"
MESSAGE = b"quell.message.v1\n"
CHECKPOINT = b"quell.checkpoint.v1\n"


def new_key() -> Ed25519PrivateKey:
    """A fresh private key, from the operating system's randomness."""
    return Ed25519PrivateKey.generate()


def private_from_hex(text: str) -> Ed25519PrivateKey:
    """The private key with this seed (64 hexadecimal digits)."""
    check_hex("private_key", text, KEY_DIGITS)
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def private_to_hex(key: Ed25519PrivateKey) -> str:
    """The seed of a private key in 64 hexadecimal digits: keep it in a file that only its owner reads."""
    return key.private_bytes_raw().hex()


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half in 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def fingerprint(public_key: str) -> str:
    """A short name of a public key that a person can compare: 16 hexadecimal digits."""
    check_hex("public_key", public_key, KEY_DIGITS)
    return sha256_hex(bytes.fromhex(public_key))[:FINGERPRINT_DIGITS]


def sign(key: Ed25519PrivateKey, purpose: bytes, body: bytes) -> str:
    """The signature of these bytes for this purpose, in 128 hexadecimal digits."""
    return key.sign(purpose + body).hex()


def verify(public_key: str, purpose: bytes, body: bytes, signature: str) -> None:
    """Raise Untrusted (`bad_signature`) unless the key's owner signed exactly these bytes for this purpose."""
    check_hex("public_key", public_key, KEY_DIGITS)
    check_hex("signature", signature, SIGNATURE_DIGITS)
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), purpose + body)
    except InvalidSignature as error:
        raise Untrusted("bad_signature", "the signature does not fit") from error
