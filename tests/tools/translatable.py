"""`python -m tests.tools.translatable > dragoman_xx.ts`: all texts of the window, as Qt Linguist reads them.

Qt's lupdate files Python texts by class name, where `tr()` would never find them.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tray_app.translation import CONTEXT

SOURCE = Path(__file__).parents[2] / "tray_app"
TEXTS = {"tr": slice(0, 1), "Later": slice(0, 1), "counted": slice(1, 3)}
"""Which arguments of which functions are texts."""


def text_arguments(tree: ast.AST) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Each argument of a call in `tree` that is a text, with its call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TEXTS:
            for argument in node.args[TEXTS[node.func.id]]:
                yield node, argument


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """The application's modules, except the one that defines the functions."""
    for path in sorted(SOURCE.rglob("*.py")):
        if path != SOURCE / "translation.py":
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def non_literals() -> list[str]:
    """Places where a text is not a literal, so that translators would not see it."""
    return [
        f"{path.relative_to(SOURCE.parent)}:{call.lineno}"
        for path, tree in sources()
        for call, argument in text_arguments(tree)
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str))
    ]


def messages() -> dict[str, bool]:
    """Collect all texts, and whether each has plural forms."""
    found: dict[str, bool] = {}
    for _, tree in sources():
        for call, argument in text_arguments(tree):
            if isinstance(argument, ast.Constant) and argument.value:
                plural = "%n" in argument.value or (len(call.args) == 3 and argument is call.args[2])
                found[argument.value] = found.get(argument.value, False) or plural
    return found


def as_ts() -> ElementTree.Element:
    """The texts as a .ts file without translations."""
    root = ElementTree.Element("TS", version="2.1", sourcelanguage="en")
    context = ElementTree.SubElement(root, "context")
    ElementTree.SubElement(context, "name").text = CONTEXT
    for text, plural in messages().items():
        message = ElementTree.SubElement(context, "message", {"numerus": "yes"} if plural else {})
        ElementTree.SubElement(message, "source").text = text
        translation = ElementTree.SubElement(message, "translation", type="unfinished")
        if plural:
            ElementTree.SubElement(translation, "numerusform")
    ElementTree.indent(root)
    return root


if __name__ == "__main__":
    sys.stdout.write(ElementTree.tostring(as_ts(), encoding="unicode") + "\n")
