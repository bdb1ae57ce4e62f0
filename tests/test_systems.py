"""The suite runs on Windows too: what needs POSIX is marked, and can be imported there."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systems import POSIX_MODULES, POSIX_NAMES

TESTS = Path(__file__).parent
MODULES = sorted(path for path in TESTS.rglob("*.py") if path.name not in ("systems.py", "test_systems.py"))
MARK = "posix_only"
SCRIPT = "#!"
"""Start of a program's text that Windows does not start. `systems.INERT` is for files that no test starts."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def dotted(node: ast.AST) -> str:
    """`a.b` for an attribute of a name, otherwise an empty text."""
    return (
        f"{node.value.id}.{node.attr}" if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""
    )


def needs_posix(node: ast.AST) -> bool:
    """Whether the node itself is something that Windows has not."""
    match node:
        case ast.Attribute():
            return dotted(node) in POSIX_NAMES or node.attr == "st_mode"
        case ast.Import(names=names):
            return any(alias.name.split(".")[0] in POSIX_MODULES for alias in names)
        case ast.ImportFrom(module=str(module)):
            return module.split(".")[0] in POSIX_MODULES
        case ast.Constant(value=str(text)):
            return text.startswith(("/proc/", SCRIPT))
    return False


def scripts_of(tree: ast.Module) -> set[str]:
    """Names of a module's scripts."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    written = [one for one in assigned if any(needs_posix(part) for part in unguarded(one))]
    return {target.id for one in written for target in one.targets if isinstance(target, ast.Name)}


def names_system(node: ast.AST) -> bool:
    """Whether an expression asks for the system, as `sys.platform == "win32"` does."""
    return any(dotted(part) == "sys.platform" for part in ast.walk(node))


def unguarded(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, except branches that depend on the system."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If | ast.IfExp | ast.BoolOp) and names_system(child)):
            yield from unguarded(child)


def run_at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """What importing a module runs: all but the bodies of functions."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            if isinstance(node, Function) and child in node.body:
                continue
            if isinstance(child, ast.If | ast.IfExp | ast.BoolOp) and names_system(child):
                continue
            pending.append(child)


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def marks_in(tree: ast.Module) -> set[str]:
    """Names of the marks that a module makes, such as `posix = posix_only("...")`."""
    marks: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and mentions_mark(node.value, marks):
            marks |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return marks


def mentions_mark(node: ast.AST, marks: set[str]) -> bool:
    return any(isinstance(part, ast.Name) and part.id in marks | {MARK} for part in ast.walk(node))


def functions_of(tree: ast.Module, marks: set[str], marked: bool = False) -> Iterator[tuple[Function, bool]]:
    """Every function of a module and of its classes, and whether it is marked."""
    for node in tree.body:
        own = marked or any(mentions_mark(decorator, marks) for decorator in getattr(node, "decorator_list", ()))
        if isinstance(node, Function):
            yield node, own
        elif isinstance(node, ast.ClassDef):
            yield from functions_of(node, marks, own)  # type: ignore[arg-type]


def find_needing(tree: ast.Module, given: frozenset[str] = frozenset()) -> set[str]:
    """Functions that need POSIX, by themselves or by another one or a fixture; `given` are those of other modules."""
    uses: dict[str, set[str]] = {}
    needing = set(given) | scripts_of(tree)
    for one, _ in functions_of(tree, set()):
        parts = list(unguarded(one))
        used = uses.setdefault(one.name, set())
        used |= {argument.arg for argument in (*one.args.args, *one.args.kwonlyargs)}
        used |= {part.id for part in parts if isinstance(part, ast.Name)}
        used |= {dotted(part).removeprefix("self.") for part in parts} - {""}
        if any(needs_posix(part) for part in parts):
            needing.add(one.name)
    while more := {name for name, used in uses.items() if used & needing} - needing:
        needing |= more
    return needing


@functools.cache
def find_given(path: Path) -> frozenset[str]:
    """Functions that need POSIX and that a module has from others: imported, or fixtures of a conftest.py above it."""
    given: set[str] = set()
    for folder in path.parents:
        if TESTS.parent not in folder.parents:
            break
        conftest = folder / "conftest.py"
        # Only what pytest collects has fixtures.
        if conftest.is_file() and conftest != path and path.name.startswith(("test_", "conftest")):
            given |= find_needing(parse(conftest), find_given(conftest))
    for node in ast.walk(parse(path)):
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("tests.")
            and node.module != "tests.systems"
        ):
            source = TESTS.parent.joinpath(*str(node.module).split(".")).with_suffix(".py")
            if source.is_file():
                needing = find_needing(parse(source), find_given(source))
                given |= {alias.asname or alias.name for alias in node.names if alias.name in needing}
    return frozenset(given)


def find_unmarked(tree: ast.Module, given: frozenset[str] = frozenset()) -> list[str]:
    """Tests that need POSIX and are not marked."""
    marks = marks_in(tree)
    if "pytestmark" in marks:
        return []
    needing = find_needing(tree, given)
    tests = [(one.name, marked) for one, marked in functions_of(tree, marks) if one.name.startswith("test")]
    return [name for name, marked in tests if name in needing and not marked]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_a_module_can_be_imported_on_windows(path: Path) -> None:
    texts = ast.Constant | ast.JoinedStr
    needed = [node for node in run_at_import(parse(path)) if needs_posix(node) and not isinstance(node, texts)]
    assert [ast.unparse(node) for node in needed] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_what_needs_posix_is_marked(path: Path) -> None:
    assert find_unmarked(parse(path), find_given(path)) == []


EXAMPLE = """
import os, signal, sys
from tests.systems import posix_only
posix = posix_only("signals")
KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL

def kill(process): os.kill(process, signal.SIGKILL)
def test_by_itself(): os.getuid()
def test_by_a_function(): kill(1)
@posix
def test_marked(): kill(1)
def test_on_this_system_alone():
    if sys.platform != "win32":
        kill(1)
class Group:
    def test_in_a_class(self): import resource
PROGRAM = "#!/bin/sh"
def test_with_a_script(): start(PROGRAM)
"""


def test_the_check_finds_what_it_should() -> None:
    unmarked = ["test_by_itself", "test_by_a_function", "test_in_a_class", "test_with_a_script"]
    assert find_unmarked(ast.parse(EXAMPLE)) == unmarked
    assert find_unmarked(ast.parse(EXAMPLE + "\npytestmark = posix")) == []


@pytest.mark.parametrize(
    "line",
    ["import pwd", "from fcntl import flock", "NUMBERS = [signal.SIGHUP]", "@mark(signal.SIGKILL)\ndef test(): pass"],
)
def test_the_check_finds_what_an_import_runs(line: str) -> None:
    assert any(needs_posix(node) for node in run_at_import(ast.parse(line)))


def test_a_branch_for_one_system_may_have_what_others_have_not() -> None:
    line = "NUMBERS = [signal.SIGINT] if sys.platform == 'win32' else [signal.SIGHUP]"
    assert not any(needs_posix(node) for node in run_at_import(ast.parse(line)))
    assert not any(needs_posix(node) for node in run_at_import(ast.parse("def f():\n    import pwd")))
