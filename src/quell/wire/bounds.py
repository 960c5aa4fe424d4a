"""The bounds of single values on the wire: names, paths, hosts, numbers; each check raises Malformed with its place."""

import ipaddress
import posixpath
import re
from urllib.parse import urlsplit

from quell.wire.errors import Malformed

PATH_CHARACTERS_MAX = 255
URL_CHARACTERS_MAX = 200
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_PATTERN = re.compile(r"[A-Za-z0-9_.*?-]{1,64}")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_DRIVE = re.compile(r"[A-Z]:\\")
_HEX = re.compile(r"[0-9a-f]+")


def check_name(place: str, value: str) -> None:
    """A service, process, cache or action: a letter or digit, then at most 63 of letters, digits and `_.@-`."""
    if not _NAME.fullmatch(value):
        raise Malformed(place, "must be a name of at most 64 letters, digits and _.@-")


def check_token(place: str, value: str) -> None:
    """An identifier that one side made up: at most 100 letters, digits and `_.:-`."""
    if not _TOKEN.fullmatch(value):
        raise Malformed(place, "must be an identifier of at most 100 letters, digits and _.:-")


def check_hex(place: str, value: str, digits: int) -> None:
    """Lower case hexadecimal of exactly so many digits."""
    if len(value) != digits or not _HEX.fullmatch(value):
        raise Malformed(place, f"must be {digits} hexadecimal digits")


def check_range(place: str, value: int, least: int, most: int) -> None:
    """A whole number between two bounds, both included."""
    if not least <= value <= most:
        raise Malformed(place, f"must be from {least} to {most}")


def check_text(place: str, value: str, characters_max: int) -> None:
    """Words for a person: bounded, and free of control characters other than newline and tab."""
    if len(value) > characters_max:
        raise Malformed(place, f"is longer than {characters_max} characters")
    if any(ord(each) < 32 and each not in "\n\t" for each in value):
        raise Malformed(place, "holds control characters")


def check_path(place: str, value: str) -> None:
    """An absolute path in its shortest spelling: no `..`, no doubled slash, no control character."""
    if len(value) > PATH_CHARACTERS_MAX or any(ord(each) < 32 for each in value):
        raise Malformed(place, f"must be a path of at most {PATH_CHARACTERS_MAX} plain characters")
    if not value.startswith("/") or value.startswith("//") or posixpath.normpath(value) != value:
        raise Malformed(place, "must be an absolute path without . or ..")


def check_mount(place: str, value: str) -> None:
    """Where a file system hangs: an absolute path, or the root of a drive letter."""
    if not _DRIVE.fullmatch(value):
        check_path(place, value)


def check_pattern(place: str, value: str) -> None:
    """A pattern for file names: letters, digits, `_.-` and the wildcards `*` and `?`, never a slash."""
    if not _PATTERN.fullmatch(value):
        raise Malformed(place, "must be a file name pattern of at most 64 letters, digits and _.-*?")


def check_host(place: str, value: str) -> None:
    """A host name by the rules of the domain name system, at most 253 characters."""
    labels = value.rstrip(".").split(".")
    if not value or len(value) > 253 or not all(_LABEL.fullmatch(each) for each in labels):
        raise Malformed(place, "must be a host name")


def check_address(place: str, value: str) -> None:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise Malformed(place, "must be an IP address") from error


def check_loopback_url(place: str, value: str) -> None:
    """An http address on the device itself, so that no order can make a device call somebody else."""
    if len(value) > URL_CHARACTERS_MAX or not value.isascii() or any(ord(each) <= 32 for each in value):
        raise Malformed(place, f"must be an address of at most {URL_CHARACTERS_MAX} plain characters")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise Malformed(place, "must be an address") from error
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.username is not None or port == 0:
        raise Malformed(place, "must be an http address on the device itself (127.0.0.1, ::1 or localhost)")
