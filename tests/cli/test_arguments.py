"""The command line: subcommands and usage errors."""

import pytest

from server import __version__
from server.__main__ import main
from server.cli.arguments import parse_arguments
from tests.cli.processes import run


@pytest.mark.parametrize("arguments", [[], ["--port", "0"], ["--no-auth"]])
def test_without_a_subcommand_it_serves(arguments: list[str]) -> None:
    run_it, namespace = parse_arguments(arguments)
    assert (run_it, namespace.subcommand) == (parse_arguments(["serve"])[0], "serve")


@pytest.mark.parametrize(
    "arguments",
    [
        ["dance"],
        ["serve", "--dance"],
        ["serve", "extra"],
        ["serve", "--port"],
        ["serve", "--por", "1"],
        ["key", "--json"],
        ["key", "--rotate", "--anthropic"],
        ["key", "--anthropic", "--forget-anthropic"],
        ["key", "--anthropic", "sk-ant-on-the-command-line"],
    ],
)
def test_usage_errors_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: dragoman" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--port", "many"], ["--port", "65536"], ["--log-level", "loud"], ["--host", ""]]
)
def test_values_that_no_setting_takes_are_usage_errors(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("dragoman: The setting")
    assert "command line" in captured.err


def test_a_wrong_value_elsewhere_is_no_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRAGOMAN_PORT", "many")
    assert main(["serve"]) == 1
    assert "DRAGOMAN_PORT" in capsys.readouterr().err


def test_the_version_is_printed() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"dragoman {__version__}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["doctor", "-h"]])
def test_help_needs_nothing_heavy(arguments: list[str]) -> None:
    result = run(*arguments, PYTHONPROFILEIMPORTTIME="1")
    assert result.returncode == 0
    assert "usage: dragoman" in result.stdout
    assert "argparse" in result.stderr
    assert not [name for name in ("pydantic", "fastapi", "uvicorn", "structlog") if name in result.stderr]
