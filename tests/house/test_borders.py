"""Time, chance and the environment come in at the borders, and each of them at one kind of place only."""

import ast
import re

from tests.house.source import Module, dotted, imports, inside, modules

DOORS = frozenset({"web", "worker", "listen", "signer", "cli", "agent", "wiring"})
CLOCKS = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.localtime"}
)
CHANCE = frozenset({"random", "numpy.random"})
SECRETS = frozenset({"secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom"})
# What is replayed has to come out the same again.
REPEATABLE = frozenset({"core", "wire", "seams", "journey", "replay", "ml", "actions"})
# Secrets that these hand out must not be guessed, and decide nothing: an enrolment token, the key in a hook's address.
TOKENS = frozenset({"src/quell/journey/agents.py", "src/quell/journey/desk.py"})
SQL_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(\s*\)"
    r"|\bCURRENT_(TIMESTAMP|DATE|TIME)\b|\bLOCALTIME(STAMP)?\b",
    re.IGNORECASE,
)


def of_the_queue(module: Module) -> bool:
    """`store/jobs` and its migrations: the queue counts real seconds, whatever a replay's clock says."""
    return module.room == "store" and module.path.name.removesuffix(".py").endswith("jobs")


def test_only_doors_look_at_the_clock() -> None:
    """A replay of last March must see March: whoever needs the time is handed it by the door that he came in by."""
    wrong = []
    for module in modules():
        if module.room in DOORS:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call | ast.Attribute) and dotted(getattr(node, "func", node)) in CLOCKS:
                wrong.append(f"{module.at(node)} asks the clock")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_the_database_is_not_asked_for_the_time_either() -> None:
    """`DEFAULT now()` in one table would make a replayed ticket overdue at birth; time is a value that we write."""
    wrong = []
    for module in modules():
        if of_the_queue(module):
            continue
        docstrings = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(module.tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if id(node) not in docstrings and SQL_CLOCK.search(text):
                wrong.append(f"{module.at(node)} says {text[:60]!r}")
            if isinstance(node, ast.Attribute) and dotted(node) in ("func.now", "func.current_timestamp"):
                wrong.append(f"{module.at(node)} says {dotted(node)}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_to_chance() -> None:
    """A model that draws numbers of its own gives another answer to the same ticket; a seed is an argument."""
    wrong = []
    for module in modules():
        chance = (CHANCE if module.room not in DOORS else frozenset()) | (
            SECRETS if module.room in REPEATABLE and module.place not in TOKENS else frozenset()
        )
        for node, name in imports(module.tree):
            if inside(name, chance):
                wrong.append(f"{module.at(node)} imports {name}")
        for node in ast.walk(module.tree):
            used = isinstance(node, ast.Attribute) and dotted(node).replace("np.", "numpy.", 1)
            if used and inside(used, chance):
                wrong.append(f"{module.at(node)} uses {used}")
    assert not wrong, "\n".join(wrong)


def test_only_a_door_hands_over_the_environment() -> None:
    """Settings read everywhere are settings that nobody can list: `settings.read` gets the environment, once."""
    wrong = []
    for module in modules():
        if module.room in ("settings", "cli", "agent") or module.path.name == "__main__.py":
            continue
        names = [name for _, name in imports(module.tree)]
        uses = [dotted(node) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]
        if {"os.environ", "os.getenv", "os.environb"} & {*names, *uses}:
            wrong.append(module.place)
    assert not wrong, "\n".join(wrong)


def test_a_broad_except_stands_only_at_a_door() -> None:
    """A swallowed bug looks like a quiet day. Rooms name the error that they expect; doors log what they did not."""
    wrong = []
    for module in modules():
        if module.room in DOORS:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or dotted(node.type) == "Exception"):
                wrong.append(module.at(node))
    assert not wrong, "\n".join(wrong)
