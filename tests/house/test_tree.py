"""The repository builds anywhere: it names no machine, no registry, and no folder that was not meant to be."""

import re

from tests.house.source import ROOT, SOURCE, kept_files

# Put together from parts, so that this file does not contain what it looks for.
REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(parts.split()))
        for parts in (
            "pypi org",
            "files pythonhosted org",
            "registry npmjs org",
            "registry yarnpkg com",
            "deb debian org",
            "conda anaconda org",
        )
    )
)
MACHINE = re.compile(
    "|".join(("/work" + "/", "/tmp/" + "trees", "/root" + "/", "/home/" + r"\w+/", "/opt/" + "wheels"))
)
FOLDERS = frozenset(
    "wire core channels actions ml store journey replay web worker listen signer cli agent sample __pycache__".split()
)
FILES = frozenset({"__init__.py", "seams.py", "settings.py", "wiring.py", "py.typed"})
TEXT_BYTES_MAX = 2 * 1024 * 1024


def texts() -> list[tuple[str, str]]:
    """(path, text) of each file of the repository that is text."""
    found = []
    for path in kept_files():
        raw = path.read_bytes() if path.stat().st_size <= TEXT_BYTES_MAX else b"\0"
        if b"\0" not in raw:
            found.append((path.relative_to(ROOT).as_posix(), raw.decode(errors="replace")))
    return found


def test_no_registry_is_named() -> None:
    """Whoever builds behind a mirror uses his own; a host name in a lock file breaks him and tells where we sat."""
    wrong = [f"{name}: {found.group()}" for name, text in texts() for found in REGISTRIES.finditer(text)]
    assert not wrong, "\n".join(wrong)


def test_no_path_of_a_machine_is_named() -> None:
    """A path that exists on one desk only is a test that passes there only."""
    wrong = [f"{name}: {found.group()}" for name, text in texts() for found in MACHINE.finditer(text)]
    assert not wrong, "\n".join(wrong)


def test_the_house_has_only_the_rooms_that_were_drawn() -> None:
    """A folder that stands in no layer is tied by no arrow, and soon everything leans on it."""
    unknown = [each.name for each in SOURCE.iterdir() if each.is_dir() and each.name not in FOLDERS]
    unknown += [each.name for each in SOURCE.iterdir() if each.is_file() and each.name not in FILES]
    assert not unknown


def test_front_end_libraries_are_fetched_and_never_kept() -> None:
    """A copied library is one that nobody updates."""
    assert not [path for path in kept_files() if "vendor" in path.parts or "node_modules" in path.parts]
