"""TOML: other values are preserved, and errors have a position."""

import pytest

from tray_app.clients.editing import toml
from tray_app.clients.errors import Damaged, Uneditable

CHANGES = [(("model",), "m"), (("providers", "ours", "url"), "u")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'model = "m"\n\n[providers.ours]\nurl = "u"\n'),
        ("# words\n[a]\nb = 1 # x\n", '# words\nmodel = "m"\n\n[a]\nb = 1 # x\n\n[providers.ours]\nurl = "u"\n'),
        (
            "model = 'old' # was\n[providers.ours]\nurl='x'\nk=1\n",
            'model = "m" # was\n[providers.ours]\nurl="u"\nk=1\n',
        ),
    ],
)
def test_a_change(before: str, after: str) -> None:
    assert toml.edit(before, CHANGES) == after
    assert toml.edit(after, CHANGES) == after


@pytest.mark.parametrize(
    ("text", "line", "column"), [("a = 1\nb = \n", 2, 5), ("a = 1\na = 2", 2, 6), ("x = [1", 1, 7)]
)
def test_error_has_a_position(text: str, line: int, column: int) -> None:
    with pytest.raises(Damaged) as raised:
        toml.edit(text, CHANGES)
    assert (raised.value.line, raised.value.column) == (line, column)


def test_parent_of_another_type_is_not_replaced() -> None:
    with pytest.raises(Uneditable):
        toml.edit("providers = 1\n", CHANGES)
