"""The direction of imports between the packages, as far as ruff does not check it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def imported_modules(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_command_line(module: str) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in ("server.cli", "server.__main__"))


def test_the_desktop_application_does_not_use_the_servers_command_line() -> None:
    files = sorted((ROOT / "tray_app").rglob("*.py"))
    assert len(files) > 100
    wrong = [(str(path.relative_to(ROOT)), name) for path in files for name in imported_modules(path)]
    assert [entry for entry in wrong if is_command_line(entry[1])] == []
