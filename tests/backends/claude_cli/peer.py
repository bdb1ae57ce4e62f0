"""Another Claude Code session of the same user, which writes to the other sessions on this computer."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import orjson

from tests.simulator import Recorded, Simulator, Text, ToolUse, conversation

TOOLS = "ListAgents,SendMessage"


def is_peers(call: Recorded) -> bool:
    """Whether an API call comes from the peer and not from the product."""
    return any(tool["name"] == "SendMessage" for tool in call.body.get("tools") or [])


def record(config: Path, pid: int) -> dict[str, str]:
    """The session record of a process."""
    found: dict[str, str] = orjson.loads((config / "sessions" / f"{pid}.json").read_bytes())
    return found


async def send(
    simulator: Simulator, cli: Path, environment: Mapping[str, str], directory: Path, to: str, words: str
) -> tuple[str, str]:
    """Start a session whose model lists the others and sends `words`. Returns the list and the outcome."""
    answers: list[str] = []

    def model(call: Recorded) -> Text | ToolUse:
        blocks = conversation(call)[-1][1]
        answers.extend(str(block["content"]) for block in blocks if block["type"] == "tool_result")
        steps = [ToolUse("ListAgents"), ToolUse("SendMessage", {"to": to, "message": words, "summary": "hello"})]
        return [*steps, Text("Done.")][min(len(answers), len(steps))]

    simulator.script(model, when=is_peers, times=3)
    command = [cli, "-p", "Write to the others.", "--tools", TOOLS, "--allowedTools", TOOLS]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**environment, "ENABLE_TOOL_SEARCH": "false"},
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said
    listed, sent = answers
    return listed, sent
