"""The CLI driven directly: what the server is measured against. Independent of the server's own driver."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.tools.bench.answers import CLI, Answer, NotAnswered, read_answer
from tests.tools.bench.clients import MODEL, SYSTEM
from tests.tools.bench.scene import Scene

LINE_BYTES = 64 * 1024 * 1024
RESULT = b'"type":"result"'
"""In the line that ends a turn; within texts quotes are escaped."""


def command(claude: Path) -> list[str]:
    """A CLI that takes turns on its standard input and streams its answers, without tools and settings."""
    return [
        str(claude),
        "-p",
        *("--input-format", "stream-json", "--output-format", "stream-json"),
        *("--verbose", "--include-partial-messages", "--thinking-display", "summarized"),
        *("--model", MODEL, "--system-prompt", SYSTEM),
        *("--tools", "", "--setting-sources", "", "--strict-mcp-config", "--no-session-persistence"),
    ]


class CliItself:
    """A CLI process that is kept open for one conversation."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._tail = b""

    @classmethod
    async def start(cls, scene: Scene, tools: Sequence[Mapping[str, Any]] = ()) -> Self:
        """Start a process, with tools of the host's if there are any. It comes up while it is asked already."""
        cli = cls(
            await asyncio.create_subprocess_exec(
                *command(scene.claude),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=scene.cli_environment,
                cwd=scene.empty_directory,
                limit=LINE_BYTES,
            )
        )
        if tools:
            cli._stdin.write(with_tools(tools))
        return cli

    async def ask(self, text: str) -> Answer:
        """Send a turn and read its answer; returns when the process is ready for the next. Raises NotAnswered."""
        line = json.dumps(
            {
                "type": "user",
                "message": {"role": "user", "content": text},
                "parent_tool_use_id": None,
                "session_id": "",
                "client_composed": True,
            }
        )
        asked = time.perf_counter()
        self._stdin.write(line.encode() + b"\n")
        answer = await read_answer(self._read, CLI, asked)
        await self._until_result()
        return answer

    async def stop(self) -> None:
        """End its input, at which it exits."""
        self._stdin.close()
        await self._process.wait()

    async def _read(self, size: int) -> bytes:
        self._tail = await self._stdout.read(size)
        return self._tail

    async def _until_result(self) -> None:
        *lines, begun = self._tail.split(b"\n")
        while not any(RESULT in line for line in lines):
            rest = await self._stdout.readline()
            if not rest:
                raise NotAnswered("the CLI ended after its answer")
            lines, begun = [begun + rest], b""


def with_tools(tools: Sequence[Mapping[str, Any]]) -> bytes:
    """The line that gives a process its host's tools: SDKControlInitializeRequest of `sdk.d.ts`."""
    listed = [
        {"name": tool["name"], "description": tool["description"], "inputSchema": tool["input_schema"]}
        for tool in tools
    ]
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "t", "version": "1"},
    }
    manifest = {"t": {"initializeResult": hello, "toolsListResult": {"tools": listed}}}
    request = {"subtype": "initialize", "sdkMcpServers": ["t"], "sdkMcpServerManifests": manifest, "hooks": None}
    return json.dumps({"type": "control_request", "request_id": "r1", "request": request}).encode() + b"\n"


@contextlib.asynccontextmanager
async def kept_open(scene: Scene, tools: Sequence[Mapping[str, Any]] = ()) -> AsyncIterator[CliItself]:
    """A process for several turns."""
    cli = await CliItself.start(scene, tools)
    try:
        yield cli
    finally:
        await cli.stop()


async def ask_new_process(scene: Scene, text: str) -> Answer:
    """Start a process for one question, and end it. The seconds count from before the start. Raises NotAnswered."""
    began = time.perf_counter()
    async with kept_open(scene) as cli:
        starting = time.perf_counter() - began
        answer = await cli.ask(text)
    return Answer(answer.text, starting + answer.first_delta, starting + answer.whole)
