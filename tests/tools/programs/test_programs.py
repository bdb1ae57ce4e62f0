"""Checks of the programs that need no installation."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.simulator import Recorded, Simulator, Text, ToolUse
from tests.tools.programs.__main__ import ROOT, chosen, parse
from tests.tools.programs.alone import alone
from tests.tools.programs.every import PROGRAMS
from tests.tools.programs.installing import NotInstalled, commands_of, install, install_commands
from tests.tools.programs.program import Package, Program
from tests.tools.programs.stage import Stage, client_of, staged
from tests.tools.programs.table import table
from tests.tools.programs.trying import TASK, Failed, Result, attempt, count_answers, run, step
from tray_app.clients.connection import Connection

NPM = Package("npm", ("@openai/codex@0.169.0", "other@1.0"))
PIP = Package("pip", ("aider-chat==0.86.2",))
READ = ToolUse("read", {"path": "notes.txt"})
each_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


@each_program
def test_a_program_stands_for_a_client_and_is_pinned(program: Program) -> None:
    assert client_of(program.client).name
    for requirement in program.package.requirements if program.package else ():
        assert re.fullmatch(r"@?[\w./-]+(@|==)\d+(\.\d+)+", requirement), "one version, and no address"


@each_program
def test_the_readme_says_with_which_version_it_was_run(program: Program) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    versions = re.findall(r"^\| [^|]+ \| ([\w.]+) \|", readme.partition("<!-- programs -->")[2], re.MULTILINE)
    assert program.package is None or program.package.version in versions


def test_each_pin_has_its_own_directory() -> None:
    assert (NPM.version, PIP.version) == ("0.169.0", "0.86.2")
    assert (NPM.directory, PIP.directory) == ("openai-codex@0.169.0+other@1.0", "aider-chat@0.86.2")
    pinned = {
        program.package.requirements: program.package.directory for program in PROGRAMS.values() if program.package
    }
    assert len(set(pinned.values())) == len(pinned)


def test_how_packages_are_installed(tmp_path: Path) -> None:
    [npm] = install_commands(NPM, tmp_path)
    assert npm[:4] == ["npm", "install", "--prefix", str(tmp_path)]
    assert npm[-2:] == list(NPM.requirements)
    venv, pip = install_commands(PIP, tmp_path)
    assert venv[1:] == ["-m", "venv", str(tmp_path)]
    assert Path(pip[0]).parent == commands_of(PIP, tmp_path)
    assert pip[-1] == "aider-chat==0.86.2"


def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    (tmp_path / NPM.directory).mkdir()
    (tmp_path / NPM.directory / "complete").touch()
    assert install(NPM, tmp_path) == tmp_path / NPM.directory / "node_modules" / ".bin"


def test_what_cannot_be_installed_says_so_and_is_not_taken_for_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for _ in range(2):
        with pytest.raises(NotInstalled, match="npm is not on this machine"):
            install(NPM, tmp_path / "cache")


def test_without_names_the_large_ones_are_left_out() -> None:
    assert {one.name for one in chosen([])} == {name for name, one in PROGRAMS.items() if not one.large} < set(PROGRAMS)
    assert [one.name for one in chosen(["open-webui", "aider"])] == ["aider", "open-webui"]


def test_a_name_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(["aider"]).names == ["aider"]
    with pytest.raises(SystemExit):
        parse(["aider", "emacs"])
    assert "no such program: emacs" in capsys.readouterr().err


def test_a_command_alone_is_the_command_in_namespaces_or_none() -> None:
    command = alone(["true", "x"])
    assert command is None or (command[0] == "unshare" and command[-2:] == ["true", "x"])


def test_the_table() -> None:
    well = Result(
        "aider", "0.86.2", chat=True, jobs={"patch": True}, called={"OpenAI/Python 2"}, warnings={"one", "another"}
    )
    ill = Result("opencode", "1.18", chat=True, tools=False, problems=["tools: why"])
    assert (well.well, ill.well) == (True, False)
    head, first, second, _, problem = table([well, ill]).splitlines()
    assert head.split() == ["program", "version", "chat", "tools", "more", "called", "in", "the", "log", "warnings"]
    assert first == "aider     0.86.2   ok    -       patch ok  OpenAI/Python 2    another; one"
    assert second.split() == ["opencode", "1.18", "ok", "FAILED", "-", "-", "-"]
    assert problem == "opencode: tools: why"


@pytest.mark.parametrize(
    ("body", "answers"),
    [
        ({"messages": [{"role": "user"}, {"role": "assistant"}, {"role": "tool"}, {"role": "assistant"}]}, 2),
        ({"input": "Hello"}, 0),
        ({"input": [{"role": "user"}, {"type": "reasoning"}, {"type": "function_call"}, {"role": "assistant"}]}, 1),
        ({"input": [{"type": "function_call"}, {"type": "function_call_output"}, {"role": "assistant"}]}, 2),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, None),
        ({"input": "More", "previous_response_id": "resp_1"}, None),
    ],
)
def test_the_answers_in_a_history(body: dict[str, object], answers: int | None) -> None:
    assert count_answers(body) == answers


def recorded(*messages: dict[str, object], tools: tuple[str, ...] = ("read",)) -> Recorded:
    body = {"messages": list(messages), "tools": [{"name": f"mcp__client__{name}"} for name in tools]}
    return Recorded("POST", "/v1/messages", {}, b"", body)


def test_what_the_model_does_with_the_task() -> None:
    asked = {"role": "user", "content": TASK}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "1: The word is word-0a1b2c3d."}
    assert step(recorded(asked), READ) == READ
    assert step(recorded(asked, tools=()), READ) == Text("Notes"), "a title is asked for"
    assert step(recorded(asked, {"role": "user", "content": [result]}), READ) == Text("It is d3c2b1a0-drow.")
    refused = {**result, "content": "denied"}
    said = step(recorded(asked, {"role": "user", "content": [refused]}), READ)
    assert isinstance(said, Text)
    assert "drow" not in said.text


@pytest.mark.parametrize("name", ["curl-openai", "curl-anthropic", "node-openai", "node-anthropic"])
def test_the_words_get_into_the_lines_of_the_page(name: str, simulator: Simulator, tmp_path: Path) -> None:
    to = Connection("http://127.0.0.1:8000", "dgm-key", "sonnet")
    stage = Stage(tmp_path, None, simulator, to, os.environ, tmp_path / "log")
    stage.work.mkdir()
    command = PROGRAMS[name].ask(stage, "What now?")
    files = [file.read_text(encoding="utf-8") for file in stage.work.iterdir()]
    assert any('"What now?"' in text for text in (*command, *files))


ASKS = """
import json, sys, urllib.request
url, key, words = sys.argv[1:]
def ask(*messages):
    tools = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object", "properties": {}}}}]
    body = {"model": "sonnet", "messages": messages, "tools": tools}
    headers = {"authorization": "Bearer " + key, "user-agent": "made-up/1.0"}
    request = urllib.request.Request(url + "/chat/completions", json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))["choices"][0]["message"]
asked = {"role": "user", "content": words}
answer = ask(asked)
if calls := answer.get("tool_calls"):
    result = {"role": "tool", "tool_call_id": calls[0]["id"], "content": open("notes.txt").read()}
    answer = ask(asked, answer, result)
print(answer["content"])
"""
FLATTENS = ASKS.replace("ask(asked, answer, result)", 'ask({**asked, "content": words + result["content"]})')


@pytest.mark.parametrize(("code", "chat", "tools"), [(ASKS, True, True), (FLATTENS, True, False), ("", False, False)])
def test_a_program_of_our_own(tmp_path: Path, cli_path: Path, code: str, chat: bool, tools: bool) -> None:
    """One that does all as it should, one that tells a tool's result in words, and one that says nothing."""
    program = Program(
        name="ours",
        client="curl",
        set_up=lambda _: None,
        ask=lambda stage, words: [
            *(sys.executable, "-c", code), stage.connection.openai_url, stage.connection.secret, words
        ],
        reading=lambda _: ToolUse("read", {}),
        streams=False,
    )  # fmt: skip
    result = Result("ours", "1.0")
    home = tmp_path / "home-of-the-program"
    with staged(home, None, cli_path, alone=False) as stage:
        attempt(program, stage, result)
        if code:
            assert result.called == {"made-up/1.0"}
    assert (result.chat, result.tools, result.well) == (chat, tools, chat and tools), result.problems


def test_a_program_that_is_not_there_or_ends_badly(simulator: Simulator, tmp_path: Path) -> None:
    to = Connection("http://127.0.0.1:8000", None, "sonnet")
    stage = Stage(tmp_path, None, simulator, to, os.environ, tmp_path / "log")
    stage.work.mkdir()
    with pytest.raises(Failed, match="is not on this machine"):
        run(stage, ["no-such-program"])
    with pytest.raises(Failed, match=r"ended with 3:\nsorry"):
        run(stage, [sys.executable, "-c", "import sys; print('sorry'); sys.exit(3)"])
