"""Which columns there is room for, and how wide each is."""

from collections.abc import Mapping, Sequence

from tray_app.models.requests_columns import Column


def fit(columns: Sequence[Column], room: int, chosen: Mapping[str, int]) -> dict[str, int]:
    """The widths of the columns that are shown, in pixels; together they are `room`.

    `chosen` are the widths that the person gave. Where the least widths do not fit, the columns of the highest rank
    go; where the wished ones do not, all give way in proportion to what they can give.
    """
    shown = list(columns)
    while sum(column.least for column in shown) > room and any(column.rank for column in shown):
        highest = max(column.rank for column in shown)
        shown = [column for column in shown if column.rank < highest]
    widths = {column.key: max(column.least, chosen.get(column.key, column.width)) for column in shown}
    missing = sum(widths.values()) - room
    if missing > 0:
        _shrink(shown, widths, missing)
    elif missing < 0:
        _widen(shown, widths, -missing, chosen)
    return widths


def _shrink(shown: Sequence[Column], widths: dict[str, int], missing: int) -> None:
    for column in shown:
        slack = sum(widths[other.key] - other.least for other in shown[shown.index(column) :])
        give = (
            min(widths[column.key] - column.least, round(missing * (widths[column.key] - column.least) / slack))
            if (slack)
            else 0
        )
        widths[column.key] -= give
        missing -= give


def _widen(shown: Sequence[Column], widths: dict[str, int], extra: int, chosen: Mapping[str, int]) -> None:
    free = [column for column in shown if column.stretches and column.key not in chosen]
    takers = free or [column for column in shown if column.stretches] or list(shown[-1:])
    for place, column in enumerate(takers):
        share = extra // (len(takers) - place)
        widths[column.key] += share
        extra -= share
