"""JSON with comments and trailing commas, the format of editors' settings.

The parser records each value's position, so that a change touches nothing else. Existing libraries read such files, but
none preserves their layout when it writes (json-five calls its own editing unfinished).
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tray_app.clients.editing.paths import Changes, Entry, Path, append_lines, edit_with, match_line_ends, nest_value
from tray_app.clients.errors import Damaged, Uneditable

_SPACE = re.compile(r"(?:[ \t\r\n\ufeff]|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b")
_REST_OF_LINE = re.compile(r"[ \t]*(?:/\*[^\r\n]*?\*/[ \t]*)*(?://[^\r\n]*)?(?=[\r\n]|$)")
_MAX_DEPTH = 200


@dataclass(slots=True)
class Node:
    """A value from `start` to `end`. `keys` are the positions of an object's keys."""

    start: int
    end: int
    value: Any
    children: list["Node"] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    comma: bool = False
    """Whether a comma follows the last child."""

    def find_child(self, step: str | Entry) -> "Node | None":
        """Find the child at `step`. Of duplicate keys the last one counts."""
        if isinstance(step, Entry):
            names = [node.value.get(step.key) if isinstance(node.value, dict) else None for node in self.children]
            return self.children[names.index(step.value)] if step.value in names else None
        found = [node for node, key in zip(self.children, self._names, strict=True) if key == step]
        return found[-1] if found else None

    _names: list[str] = field(default_factory=list)


def load(text: str) -> Any:
    """Parse `text` to Python values; None if there are only comments. Raises Damaged."""
    node = parse_jsonc(text)
    return None if node is None else node.value


def edit(text: str, changes: Changes) -> str:
    """Return `text` with the changes. Raises Damaged and Uneditable."""
    return edit_with(text, changes, load=load, put=_set_value)


def parse_jsonc(text: str) -> Node | None:
    """Parse the whole text to nodes; None if there are only comments. Raises Damaged."""
    parser = _Parser(text)
    start = parser.skip_space(0)
    if start == len(text):
        return None
    node = parser.parse_value(start, 0)
    rest = parser.skip_space(node.end)
    if rest < len(text):
        parser.fail_at(rest, "unexpected text after the end")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text

    def fail_at(self, index: int, reason: str) -> NoReturn:
        line = self._text.count("\n", 0, index) + 1
        raise Damaged(reason, line, index - self._text.rfind("\n", 0, index))

    def skip_space(self, index: int) -> int:
        found = _SPACE.match(self._text, index)
        end = found.end() if found else index
        if self._text.startswith("/*", end):
            self.fail_at(end, "unterminated comment")
        return end

    def parse_value(self, index: int, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            self.fail_at(index, "nested too deeply")
        first = self._text[index : index + 1]
        if first in ("{", "["):
            return self._parse_container(index, depth)
        if first == '"':
            end = self._find_string_end(index)
            return Node(index, end, self._decode_string(index, end))
        if scalar := _SCALAR.match(self._text, index):
            return Node(index, scalar.end(), json.loads(scalar[0]))
        self.fail_at(index, "missing value" if first in ("", ",", "}", "]") else "not valid JSON")

    def _parse_container(self, index: int, depth: int) -> Node:
        is_object = self._text[index] == "{"
        close = "}" if is_object else "]"
        node = Node(index, index, {} if is_object else [])
        index = self.skip_space(index + 1)
        while self._text[index : index + 1] != close:
            if node.children and not node.comma:
                self.fail_at(index, f"missing comma or {close}")
            index = self._parse_member(node, index, depth) if is_object else self._parse_item(node, index, depth)
            node.comma = self._text[index : index + 1] == ","
            index = self.skip_space(index + 1) if node.comma else index
            if index >= len(self._text):
                self.fail_at(node.start, f"missing closing {close}")
        if index >= len(self._text):
            self.fail_at(node.start, f"missing closing {close}")
        node.end = index + 1
        return node

    def _parse_member(self, node: Node, index: int, depth: int) -> int:
        if self._text[index : index + 1] != '"':
            self.fail_at(index, "missing name in double quotes")
        end = self._find_string_end(index)
        colon = self.skip_space(end)
        if self._text[colon : colon + 1] != ":":
            self.fail_at(colon, "missing colon")
        child = self.parse_value(self.skip_space(colon + 1), depth + 1)
        name = self._decode_string(index, end)
        node.value[name] = child.value
        node.keys.append(index)
        node._names.append(name)
        node.children.append(child)
        return self.skip_space(child.end)

    def _parse_item(self, node: Node, index: int, depth: int) -> int:
        child = self.parse_value(index, depth + 1)
        node.value.append(child.value)
        node.children.append(child)
        return self.skip_space(child.end)

    def _find_string_end(self, index: int) -> int:
        found = _STRING.match(self._text, index)
        if found is None:
            self.fail_at(index, "missing closing quote")
        return found.end()

    def _decode_string(self, start: int, end: int) -> str:
        try:
            return str(json.loads(self._text[start:end]))
        except ValueError:
            self.fail_at(start, "invalid escape")


def _set_value(text: str, path: Path, value: Any) -> str:
    node = parse_jsonc(text)
    if node is None:
        return append_lines(text, _dump_value(nest_value(path, value), "", "  ") + "\n")
    unit = _indent_unit(text, node)
    for index, step in enumerate(path):
        child = node.find_child(step)
        if child is None:
            return _insert_last(text, node, step, nest_value(path[index + 1 :], value), unit)
        if child.value is None or index == len(path) - 1:
            new = _dump_value(nest_value(path[index + 1 :], value), _indent_at(text, child.start), unit)
            return text[: child.start] + match_line_ends(text, new) + text[child.end :]
        node = child
    raise AssertionError("a path has steps")


def _insert_last(text: str, node: Node, step: str | Entry, value: Any, unit: str) -> str:
    """Insert a member or an item after the last one."""
    if not isinstance(node.value, list if isinstance(step, Entry) else dict):
        raise Uneditable(f"{step!r} holds another kind of value")
    if isinstance(step, Entry):
        name, value = "", {step.key: step.value, **value}
    else:
        name = json.dumps(step, ensure_ascii=False) + ": "
    if not node.children:
        return _insert_first(text, node, name, value, unit)
    first = (node.keys or [node.children[0].start])[0]
    indent = _indent_at(text, first)
    own_line = text[: node.end].rfind("\n") > node.start and not text[:first].rpartition("\n")[2].strip()
    if not own_line:
        end = node.children[-1].end
        return f"{text[:end]}, {name}{json.dumps(value, ensure_ascii=False)}{text[end:]}"
    return _insert_line(text, node, indent + name + _dump_value(value, indent, unit))


def _insert_first(text: str, node: Node, name: str, value: Any, unit: str) -> str:
    outer = _indent_at(text, node.start)
    line = outer + unit + name + _dump_value(value, outer + unit, unit)
    inside = text[node.start + 1 : node.end - 1].rstrip()
    new = f"{inside}\n{line}\n{outer}"
    return text[: node.start + 1] + match_line_ends(text, new) + text[node.end - 1 :]


def _insert_line(text: str, node: Node, line: str) -> str:
    """Insert a line after the last child and the comment in its line."""
    end = node.children[-1].end
    if node.comma:
        comma = text.index(",", _Parser(text).skip_space(end))
        behind = comma + 1
    else:
        text = f"{text[:end]},{text[end:]}"
        behind = end + 1
    rest = _REST_OF_LINE.match(text, behind)
    behind = rest.end() if rest else behind
    tail = "," if node.comma else ""
    return text[:behind] + match_line_ends(text, f"\n{line}{tail}") + text[behind:]


def _dump_value(value: Any, indent: str, unit: str) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=unit).split("\n")
    return "\n".join([lines[0], *(indent + line for line in lines[1:])])


def _indent_at(text: str, index: int) -> str:
    line = text[text.rfind("\n", 0, index) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _indent_unit(text: str, root: Node) -> str:
    """The indentation of the file's top-level members."""
    if root.keys and "\n" in text[root.start : root.keys[0]]:
        return _indent_at(text, root.keys[0]) or "  "
    return "  "
