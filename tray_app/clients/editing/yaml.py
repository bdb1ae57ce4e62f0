"""YAML, changed at the positions that ruamel.yaml provides.

Its own round trip preserves comments, but rewrites the whole file: indentation and line ends would change elsewhere.
"""

import io
import json
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tray_app.clients.editing.paths import Changes, Entry, Path, append_lines, edit_with, match_line_ends, nest_value
from tray_app.clients.errors import Damaged, Uneditable


def load(text: str) -> Any:
    """Parse `text`; None if there are only comments. Raises Damaged."""
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise Damaged(error.problem or "not valid YAML", line, column) from None
    except YAMLError as error:
        raise Damaged(str(error).partition("\n")[0], 1, 1) from None


def edit(text: str, changes: Changes) -> str:
    """Return `text` with the changes. Raises Damaged and Uneditable."""
    return edit_with(text, changes, load=load, put=_set_value)


def _set_value(text: str, path: Path, value: Any) -> str:
    node = YAML(typ="safe", pure=True).compose(text)
    if node is None:
        return append_lines(text, _dump_lines(nest_value(path, value), 0))
    for index, step in enumerate(path):
        rest = nest_value(path[index + 1 :], value)
        child = _find_child(node, step)
        if child is None:
            return _insert_last(text, node, step, rest)
        if _is_empty(child):
            return _fill_empty(text, _key_end(node, step), rest, _column_of(node))
        if index == len(path) - 1 or _is_null(child):
            return _replace_value(text, child, rest, _column_of(node))
        node = child
    raise AssertionError("a path has steps")


def _find_child(node: Node, step: str | Entry) -> Node | None:
    if isinstance(step, Entry):
        items = node.value if isinstance(node, SequenceNode) else []
        return next((item for item in items if _is_entry(item, step)), None)
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for key, value in pairs if key.value == step), None)


def _is_entry(item: Node, entry: Entry) -> bool:
    name = _find_child(item, entry.key)
    return isinstance(name, ScalarNode) and name.value == entry.value


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _is_empty(node: Node) -> bool:
    return _is_null(node) and node.value == ""


def _key_end(node: Node, step: str | Entry) -> int:
    return next(int(key.end_mark.index) for key, _ in node.value if key.value == step)


def _insert_last(text: str, node: Node, step: str | Entry, value: Any) -> str:
    """Insert a key or an entry after the last one."""
    if not isinstance(node, SequenceNode if isinstance(step, Entry) else MappingNode):
        raise Uneditable(f"{step!r} holds another kind of value")
    new = [{step.key: step.value, **value}] if isinstance(step, Entry) else {step: value}
    if node.flow_style:
        return _insert_in_flow(text, node, new)
    end = _end_of_line(text, _content_end(node))
    return text[:end] + match_line_ends(text, "\n" + _dump_lines(new, _column_of(node)).rstrip("\n")) + text[end:]


def _insert_in_flow(text: str, node: Node, new: Any) -> str:
    """Insert within brackets or braces, as JSON, which is valid YAML there."""
    written = json.dumps(new, ensure_ascii=False)[1:-1]
    if not node.value:
        return f"{text[: node.start_mark.index + 1]}{written}{text[node.end_mark.index - 1 :]}"
    end = _content_end(node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1])
    return f"{text[:end]}, {written}{text[end:]}"


def _fill_empty(text: str, key_end: int, value: Any, column: int) -> str:
    """Set the value of a key that has none, before or after a comment."""
    colon = text.index(":", key_end) + 1
    if isinstance(value, dict | list) and value:
        colon = _end_of_line(text, colon)
    return text[:colon] + match_line_ends(text, _dump_value(value, column)) + text[colon:]


def _replace_value(text: str, node: Node, value: Any, column: int) -> str:
    start = node.start_mark.index
    if isinstance(value, dict | list) and value:
        start = len(text[:start].rstrip(" "))
        return text[:start] + match_line_ends(text, _dump_value(value, column)) + text[_content_end(node) :]
    return text[:start] + _dump_value(value, column)[1:] + text[_content_end(node) :]


def _dump_value(value: Any, column: int) -> str:
    """Format a value as it follows a colon."""
    if isinstance(value, dict | list) and value:
        return "\n" + _dump_lines(value, column + 2).rstrip("\n")
    return " " + _dump_lines([value], 0)[2:].rstrip("\n")


def _content_end(node: Node) -> int:
    """The end of a value's text, before the comments that ruamel includes."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        key, value = last if isinstance(node, MappingNode) else (None, last)
        return max(_content_end(value), key.end_mark.index if key is not None else 0)
    return int(node.end_mark.index)


def _end_of_line(text: str, index: int) -> int:
    if text[:index].endswith("\n"):  # a block scalar includes its line end
        return len(text[:index].rstrip("\r\n"))
    line = re.compile(r"[^\r\n]*").match(text, index)
    return line.end() if line else index


def _column_of(node: Node) -> int:
    return int(node.start_mark.column)


def _dump_lines(value: Any, indent: int) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    stream = io.StringIO()
    yaml.dump(value, stream)
    lines = stream.getvalue().removesuffix("\n").split("\n")
    if isinstance(value, list):
        # The offset applies to lists within mappings only.
        lines = [line[2:] for line in lines]
    return "".join(" " * indent + line + "\n" for line in lines)
