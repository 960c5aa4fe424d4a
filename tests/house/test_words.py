"""Every file says what lives in it, and no name hides what it is."""

import ast

from tests.house.source import modules

VAGUE = frozenset("util utils helper helpers common commons manager managers service base misc stuff lib".split())
VAGUE_ENDS = ("_util", "_utils", "_helper", "_helpers", "_common", "_manager", "_base", "_misc")
SENTENCE_MAX = 200


def test_every_module_begins_with_one_sentence_that_says_what_lives_there() -> None:
    """A newcomer reads the first lines only; a file that cannot be said in one sentence is two files."""
    wrong = []
    for module in modules():
        first = (ast.get_docstring(module.tree) or "").split("\n\n")[0].replace("\n", " ")
        if not first or first[-1] not in ".:?" or len(first) > SENTENCE_MAX or ". " in first.replace("e.g. ", ""):
            wrong.append(f"{module.place}: {first!r}")
    assert not wrong, "\n".join(wrong)


def test_no_module_has_a_name_that_anything_would_fit() -> None:
    """What has no name of its own ends in `utils`, and from then on everything else does too."""
    wrong = []
    for module in modules():
        parts = module.path.with_suffix("").parts[-2:]
        wrong += [module.place for part in parts if part in VAGUE or part.endswith(VAGUE_ENDS)]
    assert not wrong, "\n".join(wrong)
