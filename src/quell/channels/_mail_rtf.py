"""Unpacks the compressed rich text of Outlook (MS-OXRTFCP) and reads the words out of it."""

import re
import struct

UNPACKED_BYTES_MAX = 4 * 1024 * 1024

_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_PRELOAD = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    + b"\r\n"
    + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN = re.compile(r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|([^\\{}]+)", re.IGNORECASE)
_SKIPPED = frozenset({"fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "themedata"})
_BREAKS = {
    "par": "\n", "line": "\n", "tab": "\t", "row": "\n", "cell": "  ", "emdash": "—", "endash": "–", "bullet": "•",
}  # fmt: skip


def unpacked(raw: bytes) -> bytes:
    """The rich text inside a compressed one; empty when it is neither packed nor plain, bounded in length."""
    if len(raw) < 16:
        return b""
    packed_size, plain_size, kind = struct.unpack_from("<III", raw)
    if kind == _PLAIN:
        return raw[16 : 16 + min(plain_size, UNPACKED_BYTES_MAX)]
    if kind != _PACKED:
        return b""
    return _unpack(raw[16 : packed_size + 4], min(plain_size, UNPACKED_BYTES_MAX))


def rtf_to_text(raw: bytes) -> str:
    """The words of rich text; of HTML that was wrapped in it only the words, too."""
    words: list[str] = []
    skip_depth: list[bool] = [False]
    starred = fallback = False
    for found in _TOKEN.finditer(raw.decode("latin-1")):
        name, number, coded, sign, brace, plain = found.groups()
        if brace == "{":
            skip_depth.append(skip_depth[-1])
        elif brace == "}" and len(skip_depth) > 1:
            skip_depth.pop()
        elif sign == "*":
            starred = True
            continue
        elif name and (starred or name.lower() in _SKIPPED):
            skip_depth[-1] = True
        elif not skip_depth[-1] and not (fallback and coded):
            words.append(_word(name, number, coded, sign, plain[1:] if plain and fallback else plain))
        starred, fallback = False, name == "u" and bool(number)
    return re.sub(r"\n{3,}", "\n\n", "".join(words)).strip()


def _word(name: str | None, number: str | None, coded: str | None, sign: str | None, plain: str | None) -> str:
    if plain:
        return plain.replace("\r", "").replace("\n", "")
    if coded:
        return bytes([int(coded, 16)]).decode("cp1252", "replace")
    if sign:
        return {"~": "\xa0", "_": "-", "\n": "\n", "\r": ""}.get(sign, sign if sign in "\\{}" else "")
    if name == "u" and number:
        return chr(int(number) % 65536)
    return _BREAKS.get((name or "").lower(), "")


def _unpack(packed: bytes, size: int) -> bytes:
    window = bytearray(_PRELOAD) + bytearray(4096 - len(_PRELOAD))
    write, out, offset = len(_PRELOAD), bytearray(), 0
    while offset < len(packed) and len(out) < size:
        control, offset = packed[offset], offset + 1
        for bit in range(8):
            if control & (1 << bit):
                if offset + 2 > len(packed):
                    return bytes(out)
                pair, offset = struct.unpack_from(">H", packed, offset)[0], offset + 2
                read, length = pair >> 4, (pair & 0xF) + 2
                if read == write % 4096:
                    return bytes(out)
                run = [(read + step) % 4096 for step in range(length)]
            else:
                if offset >= len(packed):
                    return bytes(out)
                window[write % 4096], offset = packed[offset], offset + 1
                out.append(window[write % 4096])
                write += 1
                continue
            for place in run:
                window[write % 4096] = window[place]
                out.append(window[place])
                write += 1
    return bytes(out)
