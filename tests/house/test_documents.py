"""The documents stay true: each thing that a user can name is described, and each place that they name exists."""

import ast
import re
from pathlib import Path

import pytest

from quell.seams import Action, Channel, find
from tests.house.source import ROOT, SOURCE, modules

DOCS = ROOT / "docs"
WORDS_MAX_OF_A_PAGE = 450


def headings(page: Path, level: int = 2) -> list[str]:
    """The headings of one level, without code marks."""
    found = re.findall(rf"^{'#' * level} (.+)$", page.read_text(), re.MULTILINE)
    return [each.replace("`", "").strip() for each in found]


def section(page: Path, heading: str) -> str:
    """The text under a heading, up to the next of its level."""
    _, _, after = page.read_text().replace("`", "").partition(f"\n## {heading}\n")
    return after.partition("\n## ")[0]


def test_each_setting_is_described_and_each_described_one_is_read() -> None:
    """A setting that only the code knows cannot be used; one that only the page knows does nothing."""
    settings = next(each for each in modules() if each.path.name == "settings.py" and each.room == "settings")
    texts = [node.value for node in ast.walk(settings.tree) if isinstance(node, ast.Constant)]
    read = {text for text in texts if isinstance(text, str) and re.fullmatch(r"QUELL_[A-Z_]+\w", text)}
    described = set(re.findall(r"^\| `(QUELL_\w+)`", (DOCS / "reference" / "settings.md").read_text(), re.MULTILINE))
    assert read == described


def test_no_other_setting_is_named_anywhere() -> None:
    """A page or a script that names a variable which nobody reads sends its reader down a dead end."""
    known = set(re.findall(r"`(QUELL_\w+)`", (DOCS / "reference" / "settings.md").read_text()))
    places = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(each.path for each in modules()), ROOT / "Makefile"]
    places += [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in places
        for name in re.findall(r"\bQUELL_[A-Z_]*[A-Z]\b", path.read_text(errors="replace"))
        if name not in known
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("folder", "constant", "kind"), [("channels", "CHANNEL", Channel), ("actions", "ACTION", Action)]
)
def test_each_channel_and_action_has_its_section_and_no_section_is_left_over(
    folder: str, constant: str, kind: type
) -> None:
    """What is found by scanning a folder is not found by a reader: the page is his index."""
    found = find(f"quell.{folder}", constant, kind)
    assert sorted(headings(DOCS / "reference" / f"{folder}.md")) == sorted(found)


def test_each_setting_of_a_channel_is_named_in_its_section() -> None:
    """`quell channel add NAME --set key=value` is only as good as the list of keys."""
    page = DOCS / "reference" / "channels.md"
    found = find("quell.channels", "CHANNEL", Channel)
    wrong = [
        f"{name}: {setting.key}"
        for name, channel in found.items()
        for setting in channel.settings
        if not re.search(rf"\b{re.escape(setting.key)}\b", section(page, name))
    ]
    assert not wrong, "\n".join(wrong)


def test_each_parameter_of_an_action_is_named_in_its_section() -> None:
    """Whoever allows an action on his devices must be able to read what it can be told."""
    page = DOCS / "reference" / "actions.md"
    found = find("quell.actions", "ACTION", Action)
    wrong = [
        f"{name}: {parameter}"
        for name, action in found.items()
        for parameter in action.parameters
        if not re.search(rf"\b{re.escape(parameter)}\b", section(page, name))
    ]
    assert not wrong, "\n".join(wrong)


def test_each_command_is_described_and_each_described_one_exists() -> None:
    """`quell --help` lists a command's name; what it does to one's data stands on the page."""
    from click import Group

    from quell.cli.main import main

    def names(group: Group, before: str) -> list[str]:
        found = []
        for name, command in group.commands.items():
            found += names(command, f"{before} {name}") if isinstance(command, Group) else [f"{before} {name}"]
        return found

    assert isinstance(main, Group)
    assert sorted(headings(DOCS / "reference" / "commands.md")) == sorted(names(main, "quell"))


def test_where_is_it_points_to_places_that_exist() -> None:
    """The table is the first thing that a newcomer trusts; one dead line in it and he trusts nothing."""
    table = re.findall(r"^\| (Where .+?\?) \| (.+?) \|$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert len(table) >= 15
    wrong = []
    for question, answer in table:
        pointed = re.findall(r"`([\w./-]+)`", answer)
        if not pointed:
            wrong.append(f"{question} points nowhere")
        path = SOURCE
        for each in pointed:
            if "/" in each or "." in each:
                path = SOURCE / each if (SOURCE / each).exists() else ROOT / each
                wrong += [] if path.exists() else [f"{question} {each} is not there"]
            elif not (path.is_file() and re.search(rf"\b{each}\b", path.read_text())):
                wrong.append(f"{question} {each} is not in {path.name}")
    assert not wrong, "\n".join(wrong)


def test_each_promise_of_security_points_to_code_that_exists() -> None:
    """A promise that no code keeps any more is worse than none."""
    promised = re.findall(r"`([\w*]+/[\w./*]*)`", (ROOT / "SECURITY.md").read_text())
    assert len(promised) >= 8
    assert not [each for each in promised if not list(SOURCE.glob(each))]


def test_the_glossary_has_each_noun_of_the_core() -> None:
    """One word, one meaning: what is not in the glossary does not go into code."""
    nouns = {each.path.stem for each in modules() if each.room == "core"} - {"__init__"}
    terms = {
        each.lower() for each in re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "GLOSSARY.md").read_text(), re.MULTILINE)
    }
    assert not {noun.replace("_", " ") for noun in nouns} - terms


def test_decisions_are_numbered_without_a_gap_and_fit_a_page_each() -> None:
    """What needs two pages is two decisions; a gap in the numbers is one that was taken back in silence."""
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert len(pages) >= 10
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert len(text.split()) <= WORDS_MAX_OF_A_PAGE, page.name


def test_links_between_documents_lead_somewhere() -> None:
    """A moved page leaves its links behind."""
    wrong = []
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if "://" not in link and not link.startswith("mailto:") and not (page.parent / link).exists():
                wrong.append(f"{page.relative_to(ROOT)}: {link}")
    assert not wrong, "\n".join(wrong)
