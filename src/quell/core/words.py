"""Words from outside made fit to show: control and direction marks out, a title of one line."""

import unicodedata

TITLE_CHARACTERS_MAX = 160
UNTITLED = "(no words)"


def visible(text: str) -> str:
    """The text without control, direction and other invisible characters; line breaks and tabs stay."""
    return "".join(
        each for each in text if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )


def title_of(subject: str | None, text: str) -> str:
    """One line that names a report: its subject, else the first line with words in it."""
    for candidate in (subject or "", *text.splitlines()):
        line = " ".join(visible(candidate).split())
        if line:
            return line if len(line) <= TITLE_CHARACTERS_MAX else line[: TITLE_CHARACTERS_MAX - 1].rstrip() + "…"
    return UNTITLED
