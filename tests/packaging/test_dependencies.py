"""What the server imports is installed without the extras."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Imported where they are there, or after a question for them.
OPTIONAL = {"claude-agent-sdk", "jeepney", "opentelemetry-sdk", "secretstorage"}
BROUGHT_ALONG = {"h11", "pydantic-core", "typing-extensions"}
"""By uvicorn and pydantic."""
LATER_STANDARD_LIBRARY = {"compression"}  # Python 3.14


def imported_names(path: Path) -> Iterator[str]:
    """Top-level names of the modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_server_imports_only_what_the_project_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {canonical(re.split(r"[ ;<>=\[]", requirement)[0]) for requirement in project["dependencies"]}
    names = {name for path in (ROOT / "server").rglob("*.py") for name in imported_names(path)}
    assert {"fastapi", "filelock"} <= names
    installed = packages_distributions()
    missing = {}
    for name in names - set(sys.stdlib_module_names) - LATER_STANDARD_LIBRARY - {"server"}:
        owners = {canonical(owner) for owner in installed.get(name, [name])}
        if not owners & (required | OPTIONAL | BROUGHT_ALONG) and not any(
            owner.startswith("opentelemetry") for owner in owners
        ):
            missing[name] = owners
    assert not missing
