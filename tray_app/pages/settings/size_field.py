"""The field for a number of bytes."""

import re
from typing import Any, Literal

from tray_app.pages.settings.fields import TextField
from tray_app.translation import tr

Unit = Literal["kB", "MB"]

_BYTES = {
    "": 1,
    "b": 1,
    "bytes": 1,
    "kb": 1024,
    "kib": 1024,
    "mb": 1024**2,
    "mib": 1024**2,
    "gb": 1024**3,
    "gib": 1024**3,
}
# "1,024" is ambiguous: the comma may be a decimal or a thousands separator. Longer numbers are not sizes.
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12}|,[0-9]{1,2})?)\s*([a-z]*)", re.IGNORECASE)
_DECIMALS_FROM = 0.1


class SizeField(TextField):
    """Bytes, shown and entered in `unit`. Each unit is 1024 of the next smaller one.

    The user may enter another unit as well ("500 kB"). The number shown is rounded; the value stays exact until it is
    edited, and the tooltip shows it.
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        super().__init__(short=True, unit=unit, format_value=lambda value: _round_to_unit(value, unit))

    def entered_value(self) -> int | str:
        """The number of bytes entered, or the text if it is not a size."""
        found = _SIZE.fullmatch(self.raw_value())
        unit = (found[2] or self._unit).lower() if found else ""
        if found is None or unit not in _BYTES:
            return self.raw_value()
        return round(float(found[1].replace(",", ".")) * _BYTES[unit])

    def input_problem(self) -> str:
        if isinstance(self.entered_value(), int):
            return ""
        return tr("Enter a size in {unit}, such as {example}.").format(
            unit=self._unit, example="32" if self._unit == "MB" else "64"
        )

    def format_value(self, value: Any) -> str:
        return f"{_round_to_unit(value, self._unit)} {self._unit}"

    def _set_value(self, value: Any) -> None:
        super()._set_value(value)
        self.edit.setToolTip(tr("{n} bytes").format(n=value))


def _round_to_unit(value: int, unit: Unit) -> str:
    size = value / _BYTES[unit.lower()]
    # A small size must not be shown as 0.
    return f"{size:.2f}".rstrip("0").rstrip(".") if size >= _DECIMALS_FROM or not size else f"{size:.2g}"
