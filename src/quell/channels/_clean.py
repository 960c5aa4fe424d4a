"""Makes text from outside safe to keep: no NUL, no half characters, and one-line forms for subjects and file names."""

import re

SUBJECT_CHARS_MAX = 500
LABEL_CHARS_MAX = 2_000
LABELS_MAX = 100

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BIDI = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_BLANKS = re.compile(r"\s+")


def storable(text: str) -> str:
    """The same text without what PostgreSQL and UTF-8 cannot hold: NUL and lone surrogates become U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return _SURROGATE.sub("\ufffd", text)


def one_line(text: str, chars_max: int = SUBJECT_CHARS_MAX) -> str:
    """One visible line: control and direction characters out, blanks squeezed, cut at `chars_max`."""
    text = _BIDI.sub("", _CONTROL.sub(" ", storable(text[: chars_max * 4])))
    text = _BLANKS.sub(" ", text).strip()
    return text if len(text) <= chars_max else text[: chars_max - 1].rstrip() + "…"


def labels_of(pairs: dict[str, str]) -> dict[str, str]:
    """A machine's labels, storable and bounded in number and length."""
    kept = list(pairs.items())[:LABELS_MAX]
    return {one_line(key, 200): storable(value[:LABEL_CHARS_MAX]) for key, value in kept}
