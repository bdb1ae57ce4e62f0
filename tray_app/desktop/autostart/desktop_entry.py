"""Reading and writing of desktop entries, as far as start at login needs it.

Format: https://specifications.freedesktop.org/desktop-entry-spec/latest/ (escapes in "Values", quoting in "Exec").
"""

import re
from collections.abc import Mapping, Sequence

GROUP = "Desktop Entry"
_RESERVED = re.compile(r"""[\s"'\\><~|&;$*?#()`]""")
_ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_FIELD_CODE = re.compile(r"%(.)")
_ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)


def parse_entry(text: str) -> dict[str, str]:
    """Parse and unescape the keys of the main group; invalid lines are ignored."""
    keys: dict[str, str] = {}
    group = ""
    for line in text.splitlines():
        if line.startswith("[") and line.rstrip().endswith("]"):
            group = line.strip()[1:-1]
        elif group == GROUP and not line.startswith("#") and "=" in line:
            name, _, value = line.partition("=")
            keys.setdefault(name.strip(), _unescape_value(value.strip()))
    return keys


def format_entry(keys: Mapping[str, str]) -> str:
    """Format an entry with these keys."""
    lines = [f"{name}={_escape_value(value)}" for name, value in keys.items()]
    return "\n".join([f"[{GROUP}]", *lines, ""])


def format_exec(command: Sequence[str]) -> str:
    """Format the value of Exec that runs exactly `command`."""
    return " ".join(_quote_argument(argument) for argument in command)


def parse_exec(value: str) -> list[str]:
    """Parse a value of Exec into its command, without field codes for files."""
    arguments = []
    for match in _ARGUMENT.finditer(value):
        quoted, plain = match.groups()
        argument = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        expanded = _FIELD_CODE.sub(lambda code: "%" if code[1] == "%" else "", argument)
        if expanded or not argument:
            arguments.append(expanded)
    return arguments


def is_true(value: str | None) -> bool:
    """Whether a boolean is true: `true` or, in older files, `1`."""
    return value is not None and value.lower() in ("true", "1")


def _quote_argument(argument: str) -> str:
    escaped = argument.replace("%", "%%")
    if argument and not _RESERVED.search(argument):
        return escaped
    return '"' + re.sub(r'(["`$\\])', r"\\\1", escaped) + '"'


def _escape_value(value: str) -> str:
    escaped = value.replace("\\", "\\\\")
    for letter, character in (("n", "\n"), ("t", "\t"), ("r", "\r")):
        escaped = escaped.replace(character, f"\\{letter}")
    # A leading space would be read as part of the equals sign.
    return f"\\s{escaped[1:]}" if escaped.startswith(" ") else escaped


def _unescape_value(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), value)
