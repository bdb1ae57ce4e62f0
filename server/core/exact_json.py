"""JSON that keeps every digit of integers.

orjson is several times faster than the standard library, but reads integers beyond 64 bits as floats and refuses to
write them. Documents with such integers (database ids, bounds in schemas) are left to the standard library.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import orjson

_DIGITS_AS_ZEROS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * 19
"""Integers of 19 digits may exceed 64 bits. Digits in strings only cost time.

Searched in translated bytes, ten times faster than by a regular expression: bodies may have megabytes.
"""


def loads(data: bytes | str) -> Any:
    """Parse JSON. Raises `orjson.JSONDecodeError`, also beyond 4300 digits."""
    value = orjson.loads(data)
    raw = data.encode() if isinstance(data, str) else data
    if _LONG_NUMBER not in raw.translate(_DIGITS_AS_ZEROS):
        return value
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise orjson.JSONDecodeError(str(error), raw.decode(errors="replace")[:100], 0) from error


def dumps(
    value: Any, *, sort_keys: bool = False, indent: bool = False, default: Callable[[Any], Any] | None = None
) -> bytes:
    """Write compact or indented JSON in UTF-8. `default` converts other types.

    Raises `orjson.JSONEncodeError`, a TypeError.
    """
    option = (orjson.OPT_SORT_KEYS if sort_keys else 0) | (orjson.OPT_INDENT_2 if indent else 0)
    try:
        return orjson.dumps(value, default, option)
    except orjson.JSONEncodeError as error:
        if "64-bit" not in str(error):
            raise
    separators = (",", ": ") if indent else (",", ":")
    spaces = 2 if indent else None
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=sort_keys, indent=spaces, separators=separators, default=default
    )
    return text.encode("utf-8", "surrogatepass")


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
