"""The pairs that a FactGrid shows."""

from tray_app.models.requests.detail import Pair
from tray_app.pages.requests.facts import FactGrid


def shown_pairs(grid: FactGrid) -> list[Pair]:
    return [(name.text(), value.text()) for name, value in grid._lines if not value.isHidden()]
