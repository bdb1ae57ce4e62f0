"""Desktop entries: escapes, and the quoting of commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tray_app.desktop.autostart.desktop_entry import format_entry, format_exec, is_true, parse_entry, parse_exec


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (["/opt/tray/dragoman", "--hidden"], "/opt/tray/dragoman --hidden"),
        (["/home/me/My Apps/tray", "--hidden"], '"/home/me/My Apps/tray" --hidden'),
        (["/a/100%/tray"], "/a/100%%/tray"),
        (["/a/$HOME`x`\\y/tray"], '"/a/\\$HOME\\`x\\`\\\\y/tray"'),
        (["tray", 'say "it"', ""], 'tray "say \\"it\\"" ""'),
    ],
)
def test_a_command_is_quoted_as_the_specification_says(command: list[str], value: str) -> None:
    assert format_exec(command) == value


arguments = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from("\n\t\\\"'$`% "))


@given(st.lists(arguments, min_size=1))
def test_any_command_comes_back_from_the_file(command: list[str]) -> None:
    assert parse_exec(parse_entry(format_entry({"Exec": format_exec(command)}))["Exec"]) == command


def test_field_codes_are_removed() -> None:
    assert parse_exec('"/opt/a b/tray" %U --hidden %%') == ["/opt/a b/tray", "--hidden", "%"]


def test_other_groups_and_invalid_lines_are_ignored() -> None:
    text = "# by hand\n[Desktop Entry]\nnonsense\nName = Tray\nHidden=false\n\n[Desktop Action new]\nHidden=true\n"
    assert parse_entry(text) == {"Name": "Tray", "Hidden": "false"}


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("false", False), ("", False)])
def test_booleans(value: str, expected: bool) -> None:
    assert is_true(value) is expected


def test_missing_value_is_not_true() -> None:
    assert not is_true(None)
