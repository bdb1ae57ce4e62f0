"""`key` as a process: standard output holds the key and nothing else."""

import re
from pathlib import Path

from tests.commands.processes import run


def test_the_key_is_made_printed_and_found_again(tmp_path: Path) -> None:
    first = run("key", "--data-dir", str(tmp_path))
    assert first.returncode == 0
    assert re.fullmatch(r"cct-[\w-]{43}\n", first.stdout)
    assert str(tmp_path / "secrets.json") in first.stderr
    assert run("key", "--data-dir", str(tmp_path)).stdout == first.stdout


def test_rotating_prints_the_new_key(tmp_path: Path) -> None:
    old = run("key", "--data-dir", str(tmp_path)).stdout
    rotated = run("key", "--rotate", "--data-dir", str(tmp_path))
    assert rotated.returncode == 0
    assert re.fullmatch(r"cct-[\w-]{43}\n", rotated.stdout)
    assert rotated.stdout != old
    assert "until it is started again" in rotated.stderr
    assert run("key", "--data-dir", str(tmp_path)).stdout == rotated.stdout


def test_without_a_place_to_keep_it_there_is_no_key_to_print() -> None:
    result = run("key", CLAUDE_CODE_TRAY_KEY_STORAGE="keyring")
    assert (result.returncode, result.stdout) == (1, "")
    assert "in memory only" in result.stderr
    assert "printed its key when it started" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_key_from_the_environment_is_printed_and_not_rotated() -> None:
    assert run("key", CLAUDE_CODE_TRAY_API_KEY="my-own-key").stdout == "my-own-key\n"
    result = run("key", "--rotate", CLAUDE_CODE_TRAY_API_KEY="my-own-key")
    assert (result.returncode, result.stdout) == (1, "")
    assert "CLAUDE_CODE_TRAY_API_KEY" in result.stderr


def test_a_damaged_file_of_secrets_is_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    result = run("key", "--data-dir", str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert str(tmp_path / "secrets.json") in result.stderr
    assert "Traceback" not in result.stderr
