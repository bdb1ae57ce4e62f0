"""Nothing on the machine gets into a conversation: a marked text in every place that Claude Code reads."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.config.paths import CLI_DIRECTORY
from tests.asking import tool
from tests.backends.claude_cli.canaries import (
    ANTHROPIC_VARIABLES,
    HOOK_EVENTS,
    VARIABLES,
    Canaries,
    find_canaries,
    find_canaries_in_text,
)
from tests.clients.live import HELLO, Live, Serve
from tests.simulator import Simulator, client_system, client_tools, conversation

in_loop = pytest.mark.asyncio(loop_scope="module")

LOOK = tool("look")
MODELS = ("claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-4-5")
"""After 5 and before: the CLI puts its notes into other places."""

# What the user's ANTHROPIC_* variables are there for: they go to the API beside a conversation, not into it.
IN_HEADERS = {"variable-custom-headers", "variable-betas"}

# What Claude Code takes by itself, started in the same place: without these the tests would prove nothing.
TAKEN_FROM_FOLDERS = {
    f"{folder}-{what}"
    for folder in ("cwd", "parent0", "parent1")
    for what in ("memory", "local-memory", "inner-memory", "rule", "skill", "agent", "command", "mcp")
}
TAKEN = TAKEN_FROM_FOLDERS | {
    "home-memory",
    "user-memory", "user-rule", "user-skill", "user-agent", "user-command", "user-mcp", "user-hook",
    "user-style-text", "user-language", "project-entry-mcp", "cwd-project-hook", "cwd-local-hook",
    "cwd-local-headers", "cwd-local-extra-body", "cwd-local-auto-memory",
    "plugin-skill", "plugin-agent", "plugin-command", "plugin-mcp", "plugin-hook",
    "git-branch", "git-commit", "git-user",
    "variable-betas", "variable-entrypoint", "variable-client-app",
}  # fmt: skip


@pytest.fixture
def data_dir(made_home: Path) -> Path:
    """The server's data, some folders below the home."""
    return made_home / "data" / "up"


@pytest.fixture
def canaries(
    data_dir: Path, made_home: Path, cli_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Canaries:
    """Plant all marked texts and set the variables."""
    parents = (data_dir, data_dir.parent)
    canaries = Canaries(
        made_home / ".claude", made_home, data_dir / CLI_DIRECTORY, tmp_path / "marks" / "hooks", parents
    )
    canaries.plant()
    canaries.install_plugin(cli_path, os.environ)
    for name, value in {**VARIABLES, **ANTHROPIC_VARIABLES}.items():
        monkeypatch.setenv(name, value)
    return canaries


async def talk(server: Live) -> None:
    """Conversations with and without a system prompt and tools, three turns long."""
    for model in MODELS:
        messages: list[dict[str, Any]] = list(HELLO)
        first = await ask(server, model=model, messages=messages)
        messages += [first, {"role": "user", "content": "call look"}]
        more = {"model": model, "system": "Be brief.", "tools": [LOOK]}
        call = await ask(server, **more, messages=messages)
        result = {"type": "tool_result", "tool_use_id": call["content"][-1]["id"], "content": "seen"}
        await ask(server, **more, messages=[*messages, call, {"role": "user", "content": [result]}])


async def ask(server: Live, **body: Any) -> dict[str, Any]:
    """The assistant's turn."""
    response = await server.http().post("/v1/messages", json={"max_tokens": 100, **body})
    assert response.status_code == 200, response.text
    return {"role": "assistant", "content": response.json()["content"]}


def assert_as_sent(simulator: Simulator) -> None:
    """Check that a body contains only what `talk` said."""
    calls = simulator.messages_calls
    assert len(calls) == 3 * len(MODELS)
    for call in calls:
        assert find_canaries_in_text(call.raw) == set()
        assert call.body["model"] in MODELS
        assert client_tools(call) == ([] if client_system(call) == "" else [LOOK])
        assert client_system(call) in ("", "Be brief.")
        assert conversation(call)[0] == ("user", [{"type": "text", "text": "Hello"}])


@in_loop
async def test_none_of_it_gets_into_a_conversation(serve: Serve, canaries: Canaries, data_dir: Path) -> None:
    server = await serve(data_dir=data_dir, spares=1)
    await talk(server)
    assert_as_sent(server.simulator)
    assert find_canaries(*server.simulator.requests) == IN_HEADERS
    await server.runtime.stop()
    assert canaries.hooks_run() == set()


@in_loop
async def test_nor_from_a_home_without_a_variable(
    serve: Serve, canaries: Canaries, data_dir: Path, made_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without CLAUDE_CONFIG_DIR, Claude Code keeps one of its files beside its folder."""
    shutil.copy(canaries.config / ".claude.json", made_home)
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    server = await serve(data_dir=data_dir)
    await talk(server)
    assert_as_sent(server.simulator)
    assert find_canaries(*server.simulator.requests) == IN_HEADERS


@in_loop
async def test_the_users_settings_give_the_account_alone(
    serve: Serve, canaries: Canaries, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `load_user_settings`: the key of their helper, and variables that are taken from a shell, too."""
    file = canaries.config / "settings.json"
    settings = orjson.loads(file.read_bytes())
    file.write_bytes(orjson.dumps({**settings, "apiKeyHelper": "echo sk-ant-of-the-helper"}))
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    server = await serve(data_dir=data_dir, load_user_settings=True, spares=1)
    await talk(server)
    assert_as_sent(server.simulator)
    assert {call.headers["x-api-key"] for call in server.simulator.messages_calls} == {"sk-ant-of-the-helper"}
    # Their settings take precedence over the environment, in Claude Code as well.
    assert find_canaries(*server.simulator.requests) == {"user-headers", "variable-betas"}
    await server.runtime.stop()
    assert canaries.hooks_run() == set()


def test_claude_code_by_itself_takes_it_all(cli_path: Path, canaries: Canaries, simulator: Simulator) -> None:
    """Otherwise the tests before would prove nothing."""
    for sources in ([], ["--setting-sources", ""]):
        command = [cli_path, "-p", "Hello", "--model", MODELS[0], *sources]
        subprocess.run(command, cwd=canaries.work, check=True, capture_output=True, timeout=120)
    assert find_canaries(*simulator.requests) >= TAKEN
    hooks = {"cwd-project", "cwd-local", "user", "plugin"}
    assert canaries.hooks_run() == {f"{hook}-{event}" for hook in hooks for event in HOOK_EVENTS}
