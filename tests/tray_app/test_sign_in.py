"""Sign-in: with the real CLI as far as possible without a network, and with stand-ins for the rest."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import psutil
import pytest

from server.core.errors import CliNotFound, NotSignedIn
from tests.systems import posix_only
from tests.waiting import until
from tray_app.claude.sign_in import SignIn, sign_in_environment

pytestmark = posix_only("a script as the program")

SCRIPT = """#!{python}
import os, sys
assert sys.argv[1:3] == ["auth", "login"], sys.argv
print("Opening browser to sign in...", flush=True)
print("If the browser didn't open, visit:\\nhttps://claude.invalid/oauth?code=true&state=x" + "".join(sys.argv[3:]))
print("Paste code here if prompted > ", end="", flush=True)
for line in sys.stdin:
    if line == "right#code\\n":
        open(os.environ["HOME"] + "/signed-in", "w").close()
        print("Login successful.")
        sys.exit(0)
    if "#" in line:
        print("Couldn't log in: the code has expired", file=sys.stderr, flush=True)
        sys.exit(1)
    print("That doesn't look like the full code.", file=sys.stderr, flush=True)
sys.exit(1)
"""


def program(path: Path, text: str) -> Path:
    path.write_text(text.replace("{python}", sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    return program(tmp_path / "claude", SCRIPT)


class Attempt:
    """A running sign-in; counts its changes."""

    def __init__(self, path: Path, outer: dict[str, str] | None = None, *, console: bool = False) -> None:
        self.news = 0
        self._before = psutil.Process().children(recursive=True)
        self.sign_in = SignIn(path, outer or dict(os.environ), console=console, on_change=self._count)
        self.task = asyncio.get_running_loop().create_task(self.sign_in.run())

    def _count(self) -> None:
        self.news += 1

    def children(self) -> list[psutil.Process]:
        """The processes that the sign-in has started."""
        return [child for child in psutil.Process().children(recursive=True) if child not in self._before]


def name_of(process: psutil.Process) -> str:
    """Return the command line; empty if the process has ended."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


async def test_the_page_is_named_and_its_code_signs_in(claude, made_home):
    attempt = Attempt(claude)
    await until(lambda: attempt.sign_in.url)
    assert attempt.sign_in.url == "https://claude.invalid/oauth?code=true&state=x"
    attempt.sign_in.submit_code(" right#\ncode\n")
    assert attempt.sign_in.checking_code
    await attempt.task
    assert (made_home / "signed-in").exists()
    assert attempt.news > 1
    await until(lambda: attempt.children() == [])


async def test_a_code_that_cannot_be_one_may_be_given_again(claude):
    attempt = Attempt(claude)
    await until(lambda: attempt.sign_in.url)
    attempt.sign_in.submit_code("half")
    await until(lambda: attempt.sign_in.code_error)
    assert attempt.sign_in.code_error == "That doesn't look like the full code."
    assert not attempt.sign_in.checking_code
    attempt.sign_in.submit_code("right#code")
    assert attempt.sign_in.code_error == ""
    await attempt.task


async def test_a_refusal_says_why_and_what_else_there_is(claude):
    attempt = Attempt(claude)
    await until(lambda: attempt.sign_in.url)
    attempt.sign_in.submit_code("wrong#code")
    with pytest.raises(NotSignedIn, match="the code has expired") as caught:
        await attempt.task
    assert f"{claude} auth login" in caught.value.hint


async def test_giving_up_ends_the_program(claude):
    attempt = Attempt(claude)
    await until(lambda: attempt.sign_in.url)
    attempt.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt.task
    await until(lambda: attempt.children() == [])


async def test_an_account_that_pays_by_use(claude):
    attempt = Attempt(claude, console=True)
    await until(lambda: attempt.sign_in.url)
    assert attempt.sign_in.url.endswith("--console")
    attempt.task.cancel()
    await asyncio.wait([attempt.task])


async def test_a_program_that_ends_without_a_word(tmp_path):
    attempt = Attempt(program(tmp_path / "claude", "#!/bin/sh\nexit 3\n"))
    with pytest.raises(NotSignedIn, match="status 3"):
        await attempt.task


async def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(CliNotFound, match="could not be started"):
        await Attempt(tmp_path / "claude").task


async def test_half_an_address_is_none(tmp_path):
    text = """#!{python}
import sys, time
sys.stdout.write("visit: https://claude.inv"); sys.stdout.flush()
sys.stdin.readline()
print("alid/oauth", flush=True)
sys.stdin.readline()
"""
    attempt = Attempt(program(tmp_path / "claude", text))
    await until(lambda: attempt.news)
    assert attempt.sign_in.url == ""
    attempt.sign_in.submit_code("go")
    await until(lambda: attempt.sign_in.url)
    assert attempt.sign_in.url == "https://claude.invalid/oauth"
    attempt.task.cancel()
    await asyncio.wait([attempt.task])


def test_the_environment_is_the_servers_and_the_way_to_a_browser():
    outer = {"HOME": "/home/me", "DISPLAY": ":0", "GITHUB_TOKEN": "secret", "CLAUDE_CODE_SESSION": "another"}
    made = sign_in_environment(outer)
    assert made["DISPLAY"] == ":0"
    assert made["HOME"] == "/home/me"
    assert "GITHUB_TOKEN" not in made
    assert "CLAUDE_CODE_SESSION" not in made


async def test_the_real_cli_opens_the_browser_names_a_page_and_takes_a_code(cli_path, made_home, tmp_path):
    browser = program(
        tmp_path / "browser", f'#!/bin/sh\necho "$1" > {tmp_path}/asked\nmv {tmp_path}/asked {tmp_path}/opened\n'
    )
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    attempt = Attempt(cli_path, dict(os.environ) | nowhere | {"BROWSER": str(browser)})
    opened = tmp_path / "opened"
    await until(lambda: attempt.sign_in.url and opened.exists())
    assert attempt.sign_in.url.startswith("https://claude.")
    assert "localhost" in opened.read_text()
    attempt.sign_in.submit_code("half")
    await until(lambda: attempt.sign_in.code_error)
    assert "full code" in attempt.sign_in.code_error
    attempt.task.cancel()
    await asyncio.wait([attempt.task])
    await until(lambda: not any(name_of(child).startswith("claude") for child in attempt.children()))
    assert not (made_home / ".claude" / ".credentials.json").exists()
