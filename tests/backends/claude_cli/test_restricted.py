"""CLAUDE_CODE_RESTRICTED has no side effects: requests and sign-in stay the same."""

import re
import shutil
import subprocess
import sys

import orjson
import pytest

from server.backends.claude_cli.transport.command_line import SET
from tests.asking import ask, assistant, fold, text, tool, user
from tests.backends.claude_cli.canaries import Canaries, find_canaries, write
from tests.simulator import Text, Thinking, ToolUse, conversation
from tests.systems import posix_only

pytestmark = posix_only("a script as the program")

LOOK = tool("look", what={"type": "string"})
OF_THE_PROCESS = re.compile(
    rb'"[a-z_]*session_id\\?":\\?"[^"\\]*|"(x-claude-code-session-id|x-client-request-id|content-length|host)":"[^"]*"'
    rb"|cc_version=[0-9a-f.]*|toolu_[0-9a-f]*"
)
"""What is another in every process."""
CREDENTIALS = {
    "claudeAiOauth": {
        "accessToken": "sk-ant-oat01-of-the-file",
        "refreshToken": "sk-ant-ort01-made-up",
        "expiresAt": 4_102_444_800_000,
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
}


async def talk(backend, simulator):
    """Use thinking, a tool, a system prompt and parameters on two models. Returns the sent requests."""
    # The first process in a home creates the device id; two at once would create two.
    await backend.wait_for_probe()
    simulator.reset()
    for model in ("claude-opus-5-5", "claude-sonnet-4-5"):
        simulator.script([Thinking("hm"), Text("Let me see."), ToolUse("look", {"what": "x"}, id="toolu_1")])
        more = {"model": model, "system": ["Be brief."], "tools": [LOOK], "max_tokens": 50000}
        first = await fold(backend.stream(ask("Hi", **more)))
        result = user({"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"})
        messages = ["Hi", assistant(*first.content), result]
        second = await fold(backend.stream(ask(*messages, **more)))
        await fold(backend.stream(ask(*messages, assistant(*second.content), "more", **more)))
        await fold(backend.stream(ask("a", assistant("b"), "c", model=model, stop_sequences=["x"])))
    calls = simulator.messages_calls
    assert len(calls) == 8
    return [OF_THE_PROCESS.sub(b"", orjson.dumps([dict(call.headers), call.body])) for call in calls]


async def test_requests_are_the_same(start_backend, simulator, monkeypatch):
    async with start_backend() as backend:
        restricted = await talk(backend, simulator)
    monkeypatch.delitem(SET, "CLAUDE_CODE_RESTRICTED")
    async with start_backend() as backend:
        assert await talk(backend, simulator) == restricted


@pytest.mark.parametrize(
    ("variables", "header", "value"),
    [
        ({"ANTHROPIC_API_KEY": "sk-ant-of-the-variable"}, "x-api-key", "sk-ant-of-the-variable"),
        ({"ANTHROPIC_AUTH_TOKEN": "of-a-gateway"}, "authorization", "Bearer of-a-gateway"),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-x"}, "authorization", "Bearer sk-ant-oat01-x"),
        ({}, "authorization", "Bearer sk-ant-oat01-of-the-file"),
    ],
    ids=["API key", "token of a gateway", "token of a plan", "file of credentials"],
)
async def test_every_way_to_sign_in_works(
    start_backend, simulator, claude_environment, made_home, variables, header, value
):
    if not variables:
        write(made_home / ".claude" / ".credentials.json", orjson.dumps(CREDENTIALS)).chmod(0o600)
    nobody = {name: value for name, value in claude_environment.items() if name != "ANTHROPIC_API_KEY"}
    async with start_backend(environment=nobody | variables) as backend:
        assert (await backend.wait_for_probe()).signed_in
        await fold(backend.stream(ask("Hi")))
    assert simulator.messages_calls[-1].headers[header] == value


@pytest.fixture
def managed_cli(cli_path, tmp_path):
    """`managed_cli(fill)`: the CLI with an administrator's settings, which `fill(folder)` writes.

    It runs in its own mount namespace with another /etc.
    """
    if sys.platform != "linux" or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("no mount namespace may be made here, which keeps the machine's own /etc as it is")

    def make(fill):
        etc = tmp_path / "etc"
        shutil.copytree("/etc", etc, symlinks=True)
        fill(etc / "claude-code")
        line = f'mount --bind "{etc}" /etc && exec "{cli_path}" "$@"'
        program = write(tmp_path / "claude", f"#!/bin/sh\nexec unshare --mount sh -c '{line}' claude \"$@\"\n")
        program.chmod(0o755)
        return program

    return make


async def test_an_administrators_settings_apply_but_open_no_inbox(
    start_backend, simulator, managed_cli, made_home, tmp_path
):
    """They take precedence by design. Their instructions, rules and skills are still not loaded."""
    canaries = Canaries(made_home / ".claude", made_home, tmp_path / "work", tmp_path / "marks" / "hooks")

    def fill(folder):
        settings = {"crossSessionInbound": "accept", "language": "canary-managed-language"}
        canaries.settings(folder / "managed-settings.json", "managed", claudeMd="canary-managed-memory", **settings)
        canaries.extensions(folder / ".claude", "managed")
        write(folder / "CLAUDE.md", "canary-managed-memory")

    async with start_backend(claude_path=managed_cli(fill)) as backend:
        await fold(backend.stream(ask("Hi")))
        ((pid, *_),) = backend.pool.list_processes()
        record = orjson.loads((made_home / ".claude" / "sessions" / f"{pid}.json").read_bytes())
        assert "messagingSocketPath" not in record
    (call,) = simulator.messages_calls
    assert conversation(call) == [("user", [text("Hi")])]
    assert find_canaries(call) == {"managed-hook", "managed-language", "managed-headers", "managed-extra-body"}
