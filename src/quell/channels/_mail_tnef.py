"""Opens Outlook's winmail.dat (MS-OXTNEF): its files and words, within bounds and without trusting a count."""

import struct
from dataclasses import dataclass, field

from quell.channels._mail_charset import text_of
from quell.channels._mail_rtf import rtf_to_text, unpacked

SIGNATURE = 0x223E9F78
ATTRIBUTES_MAX = 5_000
PROPERTIES_MAX = 2_000
FILES_MAX = 100
NESTING_MAX = 3

_ATTACH_START, _ATTACH_TITLE, _ATTACH_DATA, _ATTACH_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_BODY, _PROPERTIES, _CODE_PAGE = 0x800C, 0x9003, 0x9007
_P_BODY, _P_PLAIN, _P_HTML, _P_RTF = 0x1000, 0x3FD9, 0x1013, 0x1009
_P_FILE, _P_LONG_FILE, _P_DATA, _P_CID = 0x3704, 0x3707, 0x3701, 0x3712
_MESSAGE_OBJECT = bytes.fromhex("0703020000000000c000000000000046")
# Fixed sizes of MAPI values; the sized ones (text, binary, object) carry their length.
_FIXED = {2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
_NULL = 0x0001
_SIZED = frozenset({0x001E, 0x001F, 0x000D, 0x0102})
_TEXT_8, _TEXT_16 = 0x001E, 0x001F


@dataclass
class Opened:
    """What was inside: `files` as (name, content, inline), plain words or HTML or both."""

    files: list[tuple[str, bytes, bool]] = field(default_factory=list)
    text: str = ""
    html: str = ""


@dataclass
class _File:
    name: str = ""
    content: bytes = b""
    inline: bool = False
    nested: bytes = b""


def open_tnef(raw: bytes, nesting: int = 0) -> Opened:
    """Everything readable in a TNEF stream; a broken or foreign stream gives what was readable before the break."""
    opened = Opened()
    files: list[_File] = []
    code_page = ""
    try:
        for attribute, data in _attributes(raw):
            if attribute == _CODE_PAGE and len(data) >= 4:
                code_page = f"cp{struct.unpack_from('<I', data)[0]}"
            elif attribute == _ATTACH_START and len(files) < FILES_MAX:
                files.append(_File())
            elif attribute in (_ATTACH_TITLE, _ATTACH_DATA, _ATTACH_PROPERTIES) and files:
                _fill(files[-1], attribute, data, code_page)
            elif attribute == _BODY:
                opened.text = opened.text or text_of(data.rstrip(b"\x00"), code_page)
            elif attribute == _PROPERTIES:
                _fill_words(opened, data, code_page)
    except (struct.error, IndexError):
        pass
    for each in files:
        _keep(opened, each, nesting)
    return opened


def _attributes(raw: bytes) -> list[tuple[int, bytes]]:
    if len(raw) < 6 or struct.unpack_from("<I", raw)[0] != SIGNATURE:
        return []
    found: list[tuple[int, bytes]] = []
    offset = 6
    while offset + 9 <= len(raw) and len(found) < ATTRIBUTES_MAX:
        attribute, size = struct.unpack_from("<xH2xI", raw, offset)
        if raw[offset] not in (1, 2):
            break
        found.append((attribute, raw[offset + 9 : offset + 9 + size]))
        offset += 9 + size + 2
    return found


def _fill(one: _File, attribute: int, data: bytes, code_page: str) -> None:
    if attribute == _ATTACH_TITLE:
        one.name = one.name or text_of(data.rstrip(b"\x00"), code_page)
    elif attribute == _ATTACH_DATA:
        one.content = data
    else:
        values = _values(data, code_page)
        one.name = str(values.get(_P_LONG_FILE) or values.get(_P_FILE) or one.name).rstrip("\x00")
        one.inline = bool(values.get(_P_CID))
        inside = values.get(_P_DATA)
        if isinstance(inside, bytes) and inside.startswith(_MESSAGE_OBJECT):
            one.nested = inside[len(_MESSAGE_OBJECT) :]
        elif isinstance(inside, bytes):
            one.content = one.content or inside


def _fill_words(opened: Opened, data: bytes, code_page: str) -> None:
    values = _values(data, code_page)
    body, html, rtf = values.get(_P_BODY) or values.get(_P_PLAIN), values.get(_P_HTML), values.get(_P_RTF)
    if body:
        opened.text = (body if isinstance(body, str) else text_of(body, code_page)).rstrip("\x00")
    if html:
        opened.html = (html if isinstance(html, str) else text_of(html, code_page)).rstrip("\x00")
    if isinstance(rtf, bytes) and not (opened.text.strip() or opened.html.strip()):
        opened.text = rtf_to_text(unpacked(rtf))


def _keep(opened: Opened, one: _File, nesting: int) -> None:
    if one.nested and nesting < NESTING_MAX:
        inner = open_tnef(one.nested, nesting + 1)
        opened.files += inner.files
        words = inner.text or inner.html
        if words.strip():
            opened.files.append((f"{one.name or 'message'}.txt", words.encode("utf-8", "replace"), False))
    elif one.content:
        opened.files.append((one.name, one.content, one.inline))


def _values(data: bytes, code_page: str) -> dict[int, str | bytes]:
    """The sized properties by name; the walk stops at the first thing that does not fit."""
    found: dict[int, str | bytes] = {}
    count = min(struct.unpack_from("<I", data)[0], PROPERTIES_MAX)
    offset = 4
    for _ in range(count):
        if offset + 4 > len(data):
            break
        kind, name = struct.unpack_from("<HH", data, offset)
        offset = _after_name(data, offset + 4) if name >= 0x8000 else offset + 4
        kind, many = kind & 0x0FFF, bool(kind & 0x1000)
        values, offset = _value(data, offset, kind, many)
        if offset < 0:
            break
        if values:
            found.setdefault(name, _as_words(values[0], kind, code_page))
    return found


def _after_name(data: bytes, offset: int) -> int:
    """Named properties carry a GUID and a number or a name before their value."""
    if struct.unpack_from("<I", data, offset + 16)[0] == 0:
        return offset + 24
    size = struct.unpack_from("<I", data, offset + 20)[0]
    return offset + 24 + _padded(size)


def _value(data: bytes, offset: int, kind: int, many: bool) -> tuple[list[bytes], int]:
    """The values and where the next property begins; -1 when the walk must stop."""
    if kind == _NULL and not many:
        return [], offset
    sized = kind in _SIZED
    count = 1
    if many or sized:
        count = struct.unpack_from("<I", data, offset)[0]
        offset += 4
    width = _FIXED.get(kind, 0)
    if not sized:
        end = offset + _padded(width * count)
        return [], end if width and end <= len(data) else -1
    values: list[bytes] = []
    for _ in range(min(count, PROPERTIES_MAX)):
        size = struct.unpack_from("<I", data, offset)[0]
        values.append(data[offset + 4 : offset + 4 + size])
        offset += 4 + _padded(size)
    return values, offset if count <= PROPERTIES_MAX else -1


def _as_words(value: bytes, kind: int, code_page: str) -> str | bytes:
    if kind == _TEXT_16:
        return value.decode("utf-16-le", "replace").rstrip("\x00")
    return text_of(value.rstrip(b"\x00"), code_page) if kind == _TEXT_8 else value


def _padded(size: int) -> int:
    return size + (-size % 4)
