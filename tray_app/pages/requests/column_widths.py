"""Which columns there is room for, and how wide each is."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tray_app.models.requests.columns import RequestColumn


class Widths(NamedTuple):
    """In pixels: what a column needs, and what it would like."""

    minimum: int
    preferred: int


def fit_columns(
    columns: Sequence[RequestColumn], room: int, sizes: Mapping[str, Widths], chosen: Mapping[str, int]
) -> dict[str, int]:
    """The widths of the columns that are shown; together they are `room`, as long as rank 0 has room.

    `chosen` are the widths that the person gave. Where the least widths do not fit, the columns of the highest rank
    go; where the wished ones do not, all give way in proportion to what they can give.
    """
    shown = list(columns)
    while sum(sizes[column.key].minimum for column in shown) > room and any(column.rank for column in shown):
        highest = max(column.rank for column in shown)
        shown = [column for column in shown if column.rank < highest]
    wished = {column.key: chosen.get(column.key, sizes[column.key].preferred) for column in shown}
    widths = {key: max(sizes[key].minimum, wish) for key, wish in wished.items()}
    extra = room - sum(widths.values())
    if extra < 0:
        _shrink_columns(widths, {key: widths[key] - sizes[key].minimum for key in widths}, -extra)
    else:
        _widen_columns(widths, shown, extra, chosen)
    return widths


def _shrink_columns(widths: dict[str, int], slack: Mapping[str, int], missing: int) -> None:
    left = sum(slack.values())
    for key, can_give in slack.items():
        give = min(can_give, round(missing * can_give / left)) if left else 0
        widths[key] -= give
        missing -= give
        left -= can_give


def _widen_columns(
    widths: dict[str, int], shown: Sequence[RequestColumn], extra: int, chosen: Mapping[str, int]
) -> None:
    stretching = [column.key for column in shown if column.stretches]
    takers = [key for key in stretching if key not in chosen] or stretching or [column.key for column in shown[-1:]]
    for place, key in enumerate(takers):
        share = extra // (len(takers) - place)
        widths[key] += share
        extra -= share
