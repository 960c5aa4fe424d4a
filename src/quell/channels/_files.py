"""Names of files from outside: no path, nothing invisible, never too long."""

import re

from quell.channels._clean import one_line

ATTACHMENTS_MAX = 20
NAME_CHARS_MAX = 150

_FORBIDDEN = re.compile(r'[<>:"|?*]')


def file_name(words: str) -> str:
    """The last part of a name, whatever system's path it is, bounded and visible; empty when nothing is left."""
    name = one_line(words, 2_000).replace("\\", "/").rpartition("/")[2]
    name = _FORBIDDEN.sub("_", name).strip(" .")
    if len(name) <= NAME_CHARS_MAX:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: NAME_CHARS_MAX - 11]}.{ending[:10]}" if dot else name[:NAME_CHARS_MAX]
