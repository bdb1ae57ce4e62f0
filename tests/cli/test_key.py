"""`key` as a process: standard output is the key only."""

import os
import re
from pathlib import Path

import pytest

from server.secrets import KeyStore
from server.secrets.storage import FileStorage
from tests.cli.processes import rest_of, run, started
from tests.systems import posix_only

ANTHROPIC_KEY = "sk-ant-api03-made-up-for-this-test_0123456789"


async def stored(data_dir: Path) -> str | None:
    return await KeyStore(FileStorage(data_dir)).get("anthropic_api_key")


def test_the_key_is_made_printed_and_found_again(tmp_path: Path) -> None:
    first = run("key", "--data-dir", str(tmp_path))
    assert first.returncode == 0
    assert re.fullmatch(r"dgm-[\w-]{43}\n", first.stdout)
    assert str(tmp_path / "secrets.json") in first.stderr
    assert run("key", "--data-dir", str(tmp_path)).stdout == first.stdout


def test_rotating_prints_the_new_key(tmp_path: Path) -> None:
    old = run("key", "--data-dir", str(tmp_path)).stdout
    rotated = run("key", "--rotate", "--data-dir", str(tmp_path))
    assert rotated.returncode == 0
    assert re.fullmatch(r"dgm-[\w-]{43}\n", rotated.stdout)
    assert rotated.stdout != old
    assert "until you restart it" in rotated.stderr
    assert run("key", "--data-dir", str(tmp_path)).stdout == rotated.stdout


def test_without_a_place_to_keep_it_there_is_no_key_to_print() -> None:
    result = run("key", DRAGOMAN_KEY_STORAGE="keyring")
    assert (result.returncode, result.stdout) == (1, "")
    assert "in memory only" in result.stderr
    assert "printed its key at startup" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_key_from_the_environment_is_printed_and_not_rotated() -> None:
    assert run("key", DRAGOMAN_API_KEY="my-own-key").stdout == "my-own-key\n"
    result = run("key", "--rotate", DRAGOMAN_API_KEY="my-own-key")
    assert (result.returncode, result.stdout) == (1, "")
    assert "DRAGOMAN_API_KEY" in result.stderr


def test_a_damaged_file_of_secrets_is_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    result = run("key", "--data-dir", str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert str(tmp_path / "secrets.json") in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("ending", ["\n", "", "  \n", "\r\n"])
async def test_an_anthropic_key_is_read_from_standard_input_and_kept(tmp_path: Path, ending: str) -> None:
    result = run("key", "--anthropic", "--data-dir", str(tmp_path), stdin=ANTHROPIC_KEY + ending)
    assert (result.returncode, result.stdout) == (0, "")
    assert str(tmp_path / "secrets.json") in result.stderr
    assert ANTHROPIC_KEY not in result.stderr
    assert await stored(tmp_path) == ANTHROPIC_KEY


async def test_the_servers_own_key_is_another(tmp_path: Path) -> None:
    own = run("key", "--data-dir", str(tmp_path)).stdout
    run("key", "--anthropic", "--data-dir", str(tmp_path), stdin=ANTHROPIC_KEY)
    assert run("key", "--data-dir", str(tmp_path)).stdout == own


@pytest.mark.parametrize("given", ["", "\n", "sk-proj-of-somebody-else", "sk-ant-with a space", "sk-ant-ü", "x" * 1000])
async def test_what_is_no_anthropic_key_is_refused_and_not_repeated(tmp_path: Path, given: str) -> None:
    result = run("key", "--anthropic", "--data-dir", str(tmp_path), stdin=given)
    assert (result.returncode, result.stdout) == (1, "")
    assert "sk-ant-" in result.stderr
    assert not given.strip() or given.strip() not in result.stderr
    assert "Traceback" not in result.stderr
    assert await stored(tmp_path) is None


async def test_an_anthropic_key_is_forgotten(tmp_path: Path) -> None:
    run("key", "--anthropic", "--data-dir", str(tmp_path), stdin=ANTHROPIC_KEY)
    result = run("key", "--forget-anthropic", "--data-dir", str(tmp_path))
    assert (result.returncode, result.stdout) == (0, "")
    assert "was removed" in result.stderr
    assert await stored(tmp_path) is None
    again = run("key", "--forget-anthropic", "--data-dir", str(tmp_path))
    assert again.returncode == 0
    assert "No Anthropic API key is stored" in again.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DRAGOMAN_KEY_STORAGE": "keyring"}, "no permanent place"),
        ({"DRAGOMAN_KEY_STORAGE": "memory"}, "no permanent place"),
        ({"DRAGOMAN_API_KEY": "my-own-key"}, "DRAGOMAN_API_KEY"),
    ],
)
async def test_an_anthropic_key_that_would_not_be_kept_is_refused(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    result = run("key", "--anthropic", "--data-dir", str(tmp_path), stdin=ANTHROPIC_KEY, **variables)
    assert (result.returncode, result.stdout) == (1, "")
    assert said in result.stderr
    assert not tmp_path.joinpath("secrets.json").exists()


def test_a_key_that_is_switched_off_says_so(tmp_path: Path) -> None:
    off = {"DRAGOMAN_ANTHROPIC_FALLBACK": "false"}
    result = run("key", "--anthropic", "--data-dir", str(tmp_path), stdin=ANTHROPIC_KEY, **off)
    assert result.returncode == 0
    assert "anthropic_fallback" in result.stderr


@posix_only("Windows has no such terminals")
async def test_a_terminal_does_not_show_the_key(tmp_path: Path) -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    try:
        with started("-m", "server", "key", "--anthropic", "--data-dir", str(tmp_path), stdin=theirs) as process:
            assert process.stderr is not None
            asked = ""
            while not asked.endswith("hidden): "):
                character = process.stderr.read(1)
                assert character, asked
                asked += character
            assert not termios.tcgetattr(theirs)[3] & termios.ECHO
            os.write(ours, f"{ANTHROPIC_KEY}\n".encode())
            out, err = rest_of(process)
        assert process.returncode == 0, err
        assert ANTHROPIC_KEY not in asked + out + err
        assert await stored(tmp_path) == ANTHROPIC_KEY
    finally:
        os.close(ours)
        os.close(theirs)
