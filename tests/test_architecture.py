"""ARCHITECTURE.md names files, classes and functions. Each of them has to exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FOREIGN = {"sessions/PID.json", "env.CLAUDE_CODE_EXTRA_BODY", "CLAUDE_CODE_EXTRA_BODY.tools", "Dragoman"}
"""Names of the CLI's, and the product's own."""
NAMES = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)) - FOREIGN)
FILES = [
    name for name in NAMES if re.fullmatch(r"\w[\w.-]*(/[\w.-]*)*", name) and ("/" in name or name.endswith(".py"))
]
DOTTED = [name for name in NAMES if re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", name) and not name.endswith(".py")]
CLASSES = [name for name in NAMES if re.fullmatch(r"([A-Z][a-z]+)+", name)]


@cache
def paths() -> tuple[str, ...]:
    """The paths of the checkout's own files and folders, with a slash before each."""
    tops = [ROOT / name for name in ("server", "tray_app", "packaging", "resources", "tests")]
    found = [path for top in tops for path in (top, *top.rglob("*"))]
    return tuple(f"/{path.relative_to(ROOT).as_posix()}" for path in found)


@cache
def definitions() -> frozenset[str]:
    """Modules, classes, functions and module-level or class-level variables of the product, by name."""
    names: set[str] = set()
    for path in [*(ROOT / "server").rglob("*.py"), *(ROOT / "tray_app").rglob("*.py")]:
        names.add(path.stem)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    names.add(name)
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    names.add(name)
    return frozenset(names)


def test_the_page_names_enough_to_be_checked() -> None:
    assert len(FILES) > 30
    assert len(DOTTED) > 10
    assert len(CLASSES) > 10


@pytest.mark.parametrize("name", FILES)
def test_a_named_file_exists(name: str) -> None:
    end = f"/{name.strip('/')}"
    in_tests = name.startswith("test") or name.split("/")[0] in ("simulator", "tools")
    assert any(path.endswith(end) and (in_tests or not path.startswith("/tests/")) for path in paths())


@pytest.mark.parametrize("name", DOTTED)
def test_a_named_member_exists(name: str) -> None:
    assert [part for part in name.split(".") if part not in definitions()] == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_named_class_exists(name: str) -> None:
    assert name in definitions()
