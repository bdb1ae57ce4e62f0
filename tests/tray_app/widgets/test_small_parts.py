"""Cards, labels, chips, the state's mark, bars, empty pages and toasts."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from tray_app.models.status import StatusKind
from tray_app.theme import Theme
from tray_app.widgets import (
    Card,
    ChipRow,
    ElidedLabel,
    EmptyState,
    IconLabel,
    NumberField,
    StatusDot,
    Toast,
    UsageBar,
    button,
)

PATH = "/home/someone/.local/share/claude/versions/2.1.3/bin/claude"


def picture(widget: QWidget) -> QImage:
    return widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def share_of(image: QImage, colour: QColor) -> float:
    places = [(x, y) for x in range(image.width()) for y in range(image.height())]
    return sum(image.pixelColor(x, y) == colour for x, y in places) / len(places)


def test_a_card_has_a_heading_and_room_for_content(theme: Theme, qtbot: QtBot) -> None:
    card = Card("Account")
    qtbot.addWidget(card)
    card.body.addWidget(QLabel("Signed in"))

    assert card.accessibleName() == "Account"
    assert [label.text() for label in card.findChildren(QLabel)] == ["Account", "Signed in"]


def test_headings_are_in_line_whether_or_not_a_button_is_beside_them(theme: Theme, qtbot: QtBot) -> None:
    plain, busy = Card("One"), Card("Other")
    for card in (plain, busy):
        qtbot.addWidget(card)
        card.body.addWidget(QLabel("Text"))
    busy.header.addWidget(button("Change", lambda: None))

    assert plain.sizeHint().height() == busy.sizeHint().height()


def test_a_label_without_room_elides_in_the_middle_and_has_the_whole_in_its_tooltip(theme: Theme, qtbot: QtBot) -> None:
    label = ElidedLabel(PATH)
    qtbot.addWidget(label)
    label.resize(label.sizeHint())
    roomy = label.elided
    label.resize(120, label.height())

    assert not roomy
    assert label.elided
    assert (label.text(), label.toolTip()) == (PATH, PATH)
    assert label.minimumSizeHint().width() < 80


@pytest.mark.parametrize(("width", "said"), [(120, PATH), (900, "")])
def test_the_tooltip_comes_up_only_where_something_is_cut(theme: Theme, qtbot: QtBot, width: int, said: str) -> None:
    label = ElidedLabel(PATH)
    qtbot.addWidget(label)
    label.resize(width, 20)
    with qtbot.waitExposed(label):
        label.show()
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())
    place = QPoint(5, 5)
    QApplication.sendEvent(label, QHelpEvent(QEvent.Type.ToolTip, place, label.mapToGlobal(place)))

    assert (QToolTip.text() if QToolTip.isVisible() else "") == said


def test_a_label_shows_the_colour_of_its_role(theme: Theme, qtbot: QtBot) -> None:
    label = ElidedLabel("██████")
    label.setProperty("role", "error")
    qtbot.addWidget(label)
    label.resize(label.sizeHint())

    assert share_of(picture(label), theme.colour("error")) > 0.2


def test_one_chip_is_chosen(theme: Theme, qtbot: QtBot) -> None:
    row = ChipRow([("all", "All"), ("failed", "Failed"), ("running", "Running")])
    qtbot.addWidget(row)
    chosen: list[str] = []
    row.chosen.connect(chosen.append)
    first = row.current
    qtbot.mouseClick(row.chip("failed"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(row.chip("failed"), Qt.MouseButton.LeftButton)
    row.set_current("running")

    assert (first, row.current) == ("all", "running")
    assert chosen == ["failed"]
    assert [row.chip(key).isChecked() for key in ("all", "failed", "running")] == [False, False, True]


def test_the_arrow_keys_go_from_chip_to_chip(theme: Theme, qtbot: QtBot) -> None:
    row = ChipRow([("all", "All"), ("failed", "Failed")])
    qtbot.addWidget(row)
    with qtbot.waitExposed(row):
        row.show()
    row.chip("all").setFocus()
    qtbot.keyClick(row.chip("all"), Qt.Key.Key_Right)

    assert row.current == "failed"


STATES: tuple[tuple[StatusKind, str], ...] = (
    ("stopped", "Stopped"),
    ("starting", "Changing"),
    ("running", "Running"),
    ("busy", "Busy"),
    ("attention", "Needs attention"),
    ("error", "Error"),
)


@pytest.mark.parametrize(("state", "word"), STATES)
def test_the_mark_tells_its_state_to_screen_readers(theme: Theme, qtbot: QtBot, state: StatusKind, word: str) -> None:
    dot = StatusDot()
    qtbot.addWidget(dot)
    dot.set_state(state)

    assert dot.state == state
    assert dot.accessibleName() == word


def test_the_marks_differ_in_shape(theme: Theme, qtbot: QtBot) -> None:
    shapes = set()
    for state, _ in STATES:
        dot = StatusDot(state)
        qtbot.addWidget(dot)
        image, ground = picture(dot), theme.colour("background")
        places = [(x, y) for y in range(image.height()) for x in range(image.width())]
        shapes.add(tuple(image.pixelColor(x, y) != ground for x, y in places))

    assert len(shapes) == len(STATES)


@pytest.mark.parametrize(
    ("fraction", "token"),
    [(0.3, "accent"), (0.79, "accent"), (0.8, "warning"), (0.95, "error"), (1.4, "error")],
)
def test_a_bar_fills_and_warns(theme: Theme, qtbot: QtBot, fraction: float, token: str) -> None:
    bar = UsageBar()
    qtbot.addWidget(bar)
    bar.set_value(fraction, "used")
    bar.resize(200, bar.sizeHint().height())
    line = picture(bar)
    filled = sum(line.pixelColor(x, 3) == theme.colour(token) for x in range(200))

    assert filled == pytest.approx(200 * min(1.0, fraction), abs=5)
    assert bar.accessibleName() == "used"


def test_a_bar_of_something_unknown_is_empty(theme: Theme, qtbot: QtBot) -> None:
    bar = UsageBar()
    qtbot.addWidget(bar)
    bar.set_value(None, "Not known yet")
    bar.resize(200, bar.sizeHint().height())

    assert bar.fraction is None
    assert share_of(picture(bar), theme.colour("accent")) == 0


def test_an_empty_page_offers_the_one_step(theme: Theme, qtbot: QtBot) -> None:
    steps: list[str] = []
    empty = EmptyState("mdi6.chat-outline", "Sessions appear here.", "Connect a client", lambda: steps.append("go"))
    qtbot.addWidget(empty)
    qtbot.mouseClick(empty.action, Qt.MouseButton.LeftButton)

    assert steps == ["go"]
    assert empty.accessibleName() == "Sessions appear here."


def test_an_empty_page_without_a_step_has_no_button(theme: Theme, qtbot: QtBot) -> None:
    empty = EmptyState("mdi6.chat-outline", "Nothing matches.")
    qtbot.addWidget(empty)
    without = empty.action.isHidden()
    empty.set_action("Clear the filter", lambda: None)

    assert without
    assert not empty.action.isHidden()


def test_a_toast_floats_at_the_foot_and_goes_by_itself(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 400)
    toast = Toast(window)
    with qtbot.waitExposed(window):
        window.show()
    toast.show_message("Base URL copied", seconds=0.05)
    placed = toast.geometry().center()
    window.resize(800, 400)
    moved = toast.geometry().center()

    assert placed.x() == pytest.approx(300, abs=1)
    assert placed.y() > 300
    assert moved.x() == pytest.approx(400, abs=1)
    qtbot.waitUntil(toast.isHidden)
    assert toast.text() == "Base URL copied"


def test_a_number_is_not_changed_by_scrolling_past_it(theme: Theme, qtbot: QtBot) -> None:
    field = NumberField(0, 100, 50, "hours")
    qtbot.addWidget(field)
    wheel = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field, wheel)

    assert field.value() == 50
    assert field.text() == "50 hours"


def test_an_icon_by_itself_follows_the_theme(theme: Theme, qtbot: QtBot) -> None:
    label = IconLabel("mdi6.square", "accent", 20)
    qtbot.addWidget(label)
    light = share_of(picture(label), theme.colour("accent"))
    theme.set_choice("dark")
    dark = share_of(picture(label), theme.colour("accent"))
    label.set_icon("mdi6.square", "error")

    assert light == pytest.approx(dark)
    assert light > 0.3
    assert share_of(picture(label), theme.colour("error")) == pytest.approx(light)
