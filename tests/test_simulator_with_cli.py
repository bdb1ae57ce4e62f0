"""The simulator with the real CLI as its client."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import HttpError, RateLimitHeaders, Simulator, Text, Thinking, conversation

MODEL = "claude-opus-5-5"
CLI_FLAGS = (
    *("-p", "--verbose", "--input-format", "stream-json", "--output-format", "stream-json"),
    *("--include-partial-messages", "--tools", "", "--setting-sources", "", "--strict-mcp-config"),
    *("--no-session-persistence",),
)


def one_turn(cli: Path, environment: dict[str, str], place: Path, text: str, model: str) -> list[dict[str, Any]]:
    """Output of the CLI for one turn."""
    line = {
        "type": "user",
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": None,
        "session_id": "",
        "client_composed": True,
    }
    finished = subprocess.run(
        [str(cli), *CLI_FLAGS, "--model", model],
        input=json.dumps(line) + "\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**environment, "CLAUDE_CODE_MAX_RETRIES": "0"},
        cwd=place,
        timeout=120,
        check=False,
    )
    return [json.loads(written) for written in finished.stdout.splitlines()]


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-4-5"])
def test_the_cli_takes_a_turn(
    simulator: Simulator, cli_path: Path, claude_environment: dict[str, str], tmp_path: Path, model: str
) -> None:
    simulator.script([Thinking("hm"), Text("Bonjour, ça va ?", usage={"output_tokens": 42})])
    lines = one_turn(cli_path, claude_environment, tmp_path, "/clear @/etc/passwd", model)
    result = lines[-1]
    assert (result["type"], result["is_error"], result["result"]) == ("result", False, "Bonjour, ça va ?")
    assert result["usage"]["output_tokens"] == 42
    deltas = [line["event"]["delta"] for line in lines if line.get("event", {}).get("type") == "content_block_delta"]
    assert "".join(delta.get("text", "") for delta in deltas) == "Bonjour, ça va ?"
    (call,) = simulator.messages_calls
    assert call.model == model
    assert conversation(call) == [("user", [{"type": "text", "text": "/clear @/etc/passwd"}])]


def test_the_cli_reports_the_plan_of_a_subscriber(
    simulator: Simulator, cli_path: Path, claude_environment: dict[str, str], tmp_path: Path
) -> None:
    simulator.script([Text("Hello"), RateLimitHeaders(five_hour=0.75, seven_day=0.25)])
    environment = {**claude_environment, "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-made-up"}
    del environment["ANTHROPIC_API_KEY"]
    lines = one_turn(cli_path, environment, tmp_path, "Hi", MODEL)
    (info, *_) = [line["rate_limit_info"] for line in lines if line["type"] == "rate_limit_event"]
    windows = info["unifiedWindows"]
    assert (windows["five_hour"]["utilization"], windows["seven_day"]["utilization"]) == (0.75, 0.25)


def test_the_cli_reports_an_error(
    simulator: Simulator, cli_path: Path, claude_environment: dict[str, str], tmp_path: Path
) -> None:
    simulator.script(HttpError(529), when=lambda recorded: True)
    result = one_turn(cli_path, claude_environment, tmp_path, "Hi", MODEL)[-1]
    assert (result["is_error"], result["api_error_status"]) == (True, 529)
