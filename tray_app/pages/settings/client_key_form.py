"""The form for a client key's rules: widgets, and their texts as values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPlainTextEdit, QWidget

from server.core.errors import SetupError
from server.core.messages import EFFORTS
from server.secrets.client_keys import MAX_NAME, ClientKey
from tray_app.formatting import exact_time
from tray_app.pages.settings.fields import ChoiceField, Field, NameField, TextField
from tray_app.translation import tr
from tray_app.window.labels import make_label

_DAY = 86400.0
_LABELS = 150
_LABEL_TOP = 7
"""Aligns a label with the text in its field, in pixels."""
_SYSTEM_LINES = 3
_Widget = Field | QWidget


class ClientKeyForm(QWidget):
    """The fields of a key, filled from `key`, or empty for a new one. `now` is in epoch seconds."""

    def __init__(self, key: ClientKey | None, models: Sequence[str], now: float) -> None:
        super().__init__()
        self._now = now
        self.name = QLineEdit(maxLength=MAX_NAME, placeholderText=tr("Such as Zed"))
        self.model, self.models = NameField(), TextField(placeholder=tr("All models"))
        self.model.set_choices(models)
        self.model.edit.setPlaceholderText(tr("As in the settings"))
        self.effort = ChoiceField([(None, tr("As the client asks")), *((effort, effort) for effort in EFFORTS)])
        self.system = QPlainTextEdit(tabChangesFocus=True, placeholderText=tr("No text"))
        self.system.setProperty("role", "field")
        lines = self.system.fontMetrics().lineSpacing() * _SYSTEM_LINES
        self.system.setFixedHeight(lines + 18)
        self.position = ChoiceField([("prepend", tr("Before the client's own")), ("append", tr("After it"))])
        self.requests_a_minute = TextField(short=True, placeholder=tr("No limit"), unit=tr("requests a minute"))
        self.concurrent = TextField(short=True, placeholder=tr("No limit"), unit=tr("requests at the same time"))
        self.tokens_a_day = TextField(short=True, placeholder=tr("No limit"), unit=tr("tokens a day"))
        self.usd_a_day = TextField(short=True, placeholder=tr("No limit"), unit=tr("US dollars a day, at list prices"))
        self.expires = ChoiceField(self._expiry_choices())
        self._arrange(key)
        self._fill(key)

    def rules(self) -> dict[str, Any]:
        """The rules as entered. Raises SetupError for what is no number."""
        return {
            "model": self.model.raw_value(),
            "effort": self.effort.raw_value(),
            "models": tuple(part for part in self.models.raw_value().replace(";", ",").split(",") if part.strip()),
            "system": self.system.toPlainText().strip(),
            "system_position": self.position.raw_value(),
            "requests_a_minute": _whole_number(self.requests_a_minute.raw_value(), tr("Requests a minute")),
            "concurrent": _whole_number(self.concurrent.raw_value(), tr("Requests at the same time")),
            "tokens_a_day": _whole_number(self.tokens_a_day.raw_value(), tr("Tokens a day")),
            "usd_a_day": _amount(self.usd_a_day.raw_value(), tr("US dollars a day")),
            "expires_at": self.expires.raw_value(),
        }

    def _expiry_choices(self) -> list[tuple[float | None, str]]:
        spans = ((1, tr("In a day")), (7, tr("In 7 days")), (30, tr("In 30 days")), (90, tr("In 90 days")))
        choices: list[tuple[float | None, str]] = [(None, tr("Never"))]
        for days, text in (*spans, (365, tr("In a year"))):
            moment = self._now + days * _DAY
            choices.append((moment, f"{text} ({datetime.fromtimestamp(moment):%Y-%m-%d})"))
        return choices

    def _arrange(self, key: ClientKey | None) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, _LABELS)
        grid.setColumnStretch(1, 1)
        self.name.setVisible(key is None)
        rows: list[tuple[str, _Widget]] = [
            *([(tr("Name"), self.name)] if key is None else []),
            (tr("Default model"), self.model),
            (tr("Allowed models"), self.models),
            (tr("Default effort"), self.effort),
            (tr("System text"), self.system),
            ("", self.position),
            (tr("Limits"), self.requests_a_minute),
            ("", self.concurrent),
            ("", self.tokens_a_day),
            ("", self.usd_a_day),
            (tr("Expires"), self.expires),
        ]
        for line, (label, widget) in enumerate(rows):
            name = make_label(label)
            name.setBuddy(widget.focusProxy() or widget)
            name.setContentsMargins(0, _LABEL_TOP, 0, 0)
            grid.addWidget(name, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(widget, line, 1)
        self._name_for_screen_readers()

    def _name_for_screen_readers(self) -> None:
        self.name.setAccessibleName(tr("Name"))
        self.system.setAccessibleName(tr("System text"))
        named: tuple[tuple[Field, str, str], ...] = (
            (self.model, tr("Default model"), tr("For requests that name no model.")),
            (self.models, tr("Allowed models"), tr("Separated by commas.")),
            (self.effort, tr("Default effort"), tr("For requests that ask for no effort.")),
            (self.position, tr("Place of the system text"), ""),
            (self.requests_a_minute, tr("Requests a minute"), ""),
            (self.concurrent, tr("Requests at the same time"), ""),
            (self.tokens_a_day, tr("Tokens a day"), ""),
            (self.usd_a_day, tr("US dollars a day"), ""),
            (self.expires, tr("Expires"), ""),
        )
        for field, name, description in named:
            field.name_for_screen_readers(name, description)
            field.setToolTip(description)

    def _fill(self, key: ClientKey | None) -> None:
        if key is None:
            self.effort.show_value(None)
            return
        if key.expires_at is not None:
            self.expires.box.addItem(tr("On {time}").format(time=exact_time(key.expires_at)[:-3]), key.expires_at)
        self.system.setPlainText(key.system)
        shown: tuple[tuple[Field, Any], ...] = (
            (self.model, key.model),
            (self.models, key.models),
            (self.effort, key.effort),
            (self.position, key.system_position),
            (self.requests_a_minute, key.requests_a_minute),
            (self.concurrent, key.concurrent),
            (self.tokens_a_day, key.tokens_a_day),
            (self.usd_a_day, key.usd_a_day),
            (self.expires, key.expires_at),
        )
        for field, value in shown:
            field.show_value(value)


def _whole_number(text: str, name: str) -> int | None:
    plain = text.replace(",", "").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    if not plain:
        return None
    if not plain.isdecimal() or not int(plain):
        raise SetupError(tr("{name}: enter a whole number from 1, or leave it empty.").format(name=name))
    return int(plain)


def _amount(text: str, name: str) -> float | None:
    plain = text.strip().removeprefix("$").strip().replace(",", ".")
    if not plain:
        return None
    try:
        amount = float(plain)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise SetupError(tr("{name}: enter an amount above 0, such as 2.50, or leave it empty.").format(name=name))
    return amount
