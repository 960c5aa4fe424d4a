"""The pure parts stay pure: what decides does not look at the world, so that it can be replayed bit for bit."""

import ast
import sys

from tests.house.source import Module, dotted, imports, inside, modules

WORLD = frozenset(
    "asyncio concurrent ctypes fcntl ftplib glob http imaplib io locale logging mmap multiprocessing os pathlib "
    "platform poplib random secrets select selectors shelve shutil signal smtplib socket socketserver sqlite3 ssl "
    "subprocess sys tempfile threading time urllib.request uuid webbrowser".split()
)
CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})
TALKS = frozenset({"open", "print", "input", "exec", "eval"})
STANDARD = frozenset(sys.stdlib_module_names)
FOR_TYPES = frozenset({"_typeshed"})
# What a pure module may use beside the standard library; the wire needs signatures, and those are pure functions.
ALSO = {
    "core": frozenset({"quell.core", "quell.wire"}),
    "wire": frozenset({"quell.wire", "cryptography"}),
    "journey": frozenset({"quell.core", "quell.wire", "quell.seams", "quell.journey"}),
}


def pure_modules() -> list[Module]:
    """`core`, `wire`, and every `decide.py`."""
    return [each for each in modules() if each.room in ("core", "wire") or each.path.name == "decide.py"]


def test_core_and_wire_and_every_decide_use_nothing_that_touches_the_world() -> None:
    """With a clock or a query in `core`, a ticket folded twice could come out as two tickets: nothing reaches out."""
    wrong = []
    for module in pure_modules():
        for node, name in imports(module.tree):
            allowed = name.split(".")[0] in STANDARD or inside(name, ALSO[module.room]) or inside(name, FOR_TYPES)
            if inside(name, WORLD) or not allowed:
                wrong.append(f"{module.at(node)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_core_and_wire_and_every_decide_wait_for_nothing() -> None:
    """`await` is where time passes and where another writer comes between: a decision must not contain one."""
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    wrong = [m.at(node) for m in pure_modules() for node in ast.walk(m.tree) if isinstance(node, waits)]
    assert not wrong, "\n".join(wrong)


def test_core_and_wire_and_every_decide_ask_no_clock_and_say_nothing() -> None:
    """The time is an argument. A function that asks for it cannot be tested at midnight, nor replayed tomorrow."""
    wrong = []
    for module in pure_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and dotted(node.func) in CLOCKS | TALKS:
                wrong.append(f"{module.at(node)} calls {dotted(node.func)}")
    assert not wrong, "\n".join(wrong)


def test_a_room_that_decides_keeps_that_in_a_file_of_its_own() -> None:
    """The rules must be readable without the plumbing: each room has `room.py` and a pure `decide.py` beside it."""
    rooms = {each.path.parent for each in modules() if each.room == "journey" and each.path.name == "room.py"}
    assert {each.name for each in rooms} == {"intake", "triage", "diagnose", "fix", "close"}
    assert not [each.name for each in rooms if not (each / "decide.py").exists()]


def test_core_and_the_rooms_know_the_type_of_everything() -> None:
    """`Any` switches the type checker off for all that it touches, and here is where a slip costs most."""
    wrong = [
        f"{module.at(node)} uses Any"
        for module in modules()
        if module.room in ("core", "journey")
        for node, name in imports(module.tree)
        if name == "typing.Any"
    ]
    assert not wrong, "\n".join(wrong)
