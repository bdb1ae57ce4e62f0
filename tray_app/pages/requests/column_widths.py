"""Column layout of the request table: visible columns and their widths."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tray_app.models.requests.columns import RequestColumn


class Widths(NamedTuple):
    """Minimum and preferred width of a column in pixels."""

    minimum: int
    preferred: int


def fit_columns(
    columns: Sequence[RequestColumn], room: int, sizes: Mapping[str, Widths], chosen: Mapping[str, int]
) -> dict[str, int]:
    """The widths of the visible columns; their sum is `room` if the columns of rank 0 fit.

    `chosen` are the widths set by the user. If the minimum widths do not fit, the columns of the highest rank are
    hidden. If the preferred widths do not fit, all columns shrink in proportion to their slack.
    """
    shown = list(columns)
    while sum(sizes[column.key].minimum for column in shown) > room and any(column.rank for column in shown):
        highest = max(column.rank for column in shown)
        shown = [column for column in shown if column.rank < highest]
    preferred = {column.key: chosen.get(column.key, sizes[column.key].preferred) for column in shown}
    widths = {key: max(sizes[key].minimum, width) for key, width in preferred.items()}
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
    for index, key in enumerate(takers):
        share = extra // (len(takers) - index)
        widths[key] += share
        extra -= share
