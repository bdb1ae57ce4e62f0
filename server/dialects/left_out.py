"""What a client sent and the server does not pass on: named in warnings, since the client may count on it."""

from collections.abc import Iterable

_MOST = 20
_LONGEST = 64


def left_out_warnings(paths: Iterable[str]) -> list[str]:
    """A warning for each field, given by its path (`messages.content.detail`); of very many the first, and a count."""
    names = list(dict.fromkeys(path[:_LONGEST] for path in paths))
    warnings = [f"{name} is not passed on and was left out" for name in names[:_MOST]]
    if len(names) > _MOST:
        warnings.append(f"{len(names) - _MOST} further fields are not passed on and were left out")
    return warnings
