"""The setting for people whose account is in their own Claude Code settings: what it takes over, and what not."""

import subprocess
import sys
from pathlib import Path

import openai
import orjson
import pytest

from tests.clients.live import HELLO, Serve
from tests.simulator import Simulator, client_tools, conversation

in_loop = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-ant-from-the-helper"


@pytest.fixture
def hook_ran(made_home: Path, tmp_path: Path, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write user settings with a key helper, a hook and instructions; return the file that the hook writes."""
    marker = tmp_path / "hook-ran"
    config = made_home / ".claude"
    touch = f'"{sys.executable}" -c "open({str(marker)!r}, \'w\')"'
    hook = [{"hooks": [{"type": "command", "command": touch}]}]
    settings = {
        "apiKeyHelper": f'"{sys.executable}" -c "print({KEY!r})"',
        "env": {"ANTHROPIC_BASE_URL": simulator.url},
        "hooks": {"UserPromptSubmit": hook, "SessionStart": hook, "Stop": hook},
    }
    config.mkdir(parents=True, exist_ok=True)
    (config / "settings.json").write_bytes(orjson.dumps(settings))
    (config / "CLAUDE.md").write_text("The marker is Xylophone.")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    return marker


def ran(hook: Path) -> bool:
    return hook.exists()


@in_loop
async def test_off_they_are_not_used(serve: Serve, hook_ran: Path) -> None:
    server = await serve()
    with pytest.raises(openai.AuthenticationError):
        await server.openai().chat.completions.create(model="claude-haiku-5-5", messages=HELLO)
    assert server.simulator.messages_calls == []
    assert not ran(hook_ran)


@in_loop
async def test_on_they_give_the_account_and_nothing_else(serve: Serve, hook_ran: Path) -> None:
    server = await serve(load_user_settings=True)
    completion = await server.openai().chat.completions.create(model="claude-haiku-5-5", messages=HELLO)
    assert completion.choices[0].message.content == "You said: Hello"
    call = server.sent()
    assert KEY in (call.headers.get("x-api-key"), call.headers.get("authorization", "").removeprefix("Bearer "))
    assert conversation(call) == [("user", [{"type": "text", "text": "Hello"}])]
    assert client_tools(call) == []
    assert b"Xylophone" not in call.raw
    await server.runtime.stop()
    assert not ran(hook_ran)


def test_claude_code_by_itself_would_use_them_all(cli_path: Path, hook_ran: Path, simulator: Simulator) -> None:
    """Check that the settings have an effect on Claude Code itself; otherwise the two tests above prove nothing."""
    subprocess.run([cli_path, "-p", "Hello", "--tools", ""], check=True, capture_output=True, timeout=120)
    assert ran(hook_ran)
    (call,) = simulator.messages_calls
    assert b"Xylophone" in call.raw
