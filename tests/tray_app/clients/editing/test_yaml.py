"""YAML: other text is preserved exactly, and errors have a position."""

import pytest

from tray_app.clients.editing import Entry, yaml
from tray_app.clients.errors import Damaged, Uneditable

OURS = ("models", Entry("name", "ours"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1 # one\n", "a: 1 # one\nb: x\n"),
        ("a: 1", "a: 1\nb: x"),
        ("", "b: x\n"),
        ("# only words\n#b: y\n", "# only words\n#b: y\nb: x\n"),
        ("# only words", "# only words\nb: x\n"),
        ("b: 'y' # was\na: 1\n", "b: x # was\na: 1\n"),
        ("b: # nothing\na: 1\n", "b: x # nothing\na: 1\n"),
        ("b:\na: 1\n", "b: x\na: 1\n"),
        ("---\na: |\n  text\n\n# end\n", "---\na: |\n  text\nb: x\n\n# end\n"),
        ("a: 1\r\nc: 2\r\n", "a: 1\r\nc: 2\r\nb: x\r\n"),
        ("{a: 1}\n", '{a: 1, "b": "x"}\n'),
        ("b: x\n", "b: x\n"),
    ],
)
def test_a_value_at_the_top(before: str, after: str) -> None:
    assert yaml.edit(before, [(("b",), "x")]) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("models:\n- name: a # 1\n  # b\n\n# e\n", "models:\n- name: a # 1\n- name: ours\n  url: u\n  # b\n\n# e\n"),
        ("models:\n    - name: a\nrest: []\n", "models:\n    - name: a\n    - name: ours\n      url: u\nrest: []\n"),
        ("models: # none\nrest: 1\n", "models: # none\n  - name: ours\n    url: u\nrest: 1\n"),
        ("models: [] # none\n", 'models: [{"name": "ours", "url": "u"}] # none\n'),
        ("models: [{name: a}]\n", 'models: [{name: a}, {"name": "ours", "url": "u"}]\n'),
        ("models:\n  - name: ours\n    url: old\n    k: v\n", "models:\n  - name: ours\n    url: u\n    k: v\n"),
        ("models:\n  - k: v\n    name: ours\n", "models:\n  - k: v\n    name: ours\n    url: u\n"),
    ],
)  # fmt: skip
def test_an_entry_of_a_list(before: str, after: str) -> None:
    assert yaml.edit(before, [((*OURS, "url"), "u")]) == after
    assert yaml.edit(after, [((*OURS, "url"), "u")]) == after


def test_a_list_as_a_value() -> None:
    after = yaml.edit("models:\n- name: ours\n", [((*OURS, "roles"), ["chat", "edit"])])
    assert after == "models:\n- name: ours\n  roles:\n    - chat\n    - edit\n"


@pytest.mark.parametrize("value", ["yes", "1.0", "null", "a: b", "#x", "", "é\u2028", "- x", '"', "{{x}}"])
def test_texts_stay_texts(value: str) -> None:
    assert yaml.load(yaml.edit("a: 1\n", [(("b",), value)])) == {"a": 1, "b": value}


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1", 1), ("a: 1\nb: c: d\n", 2), ("\tx: 1", 1), ("a: 1\na: 2", 2), ("a: 1\n---\nb: 1\n", 2), ("a: \x07", 1)],
)
def test_error_has_a_position(text: str, line: int) -> None:
    with pytest.raises(Damaged) as raised:
        yaml.edit(text, [(("b",), "x")])
    assert raised.value.line == line


@pytest.mark.parametrize("text", ["- a\n", "text\n", "models: 1\n", "x: &x []\nmodels: *x\n"])
def test_what_cannot_be_changed_safely_is_not_touched(text: str) -> None:
    with pytest.raises(Uneditable):
        yaml.edit(text, [((*OURS, "url"), "u")])
