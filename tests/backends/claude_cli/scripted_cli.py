"""A program in the place of the CLI: a few lines of Python that speak its wire, for what the real one never does."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import psutil

WORDS = '''
import json, os, signal, subprocess, sys

def say(**line):
    """A line, flushed."""
    sys.stdout.write(json.dumps(line) + "\\n")
    sys.stdout.flush()

def hear():
    """The host's next line; at the end of its input the program ends."""
    line = sys.stdin.readline()
    return json.loads(line) if line else sys.exit(0)

def grant(line, **payload):
    """The answer to a control request."""
    response = {"subtype": "success", "request_id": line["request_id"], "response": payload}
    say(type="control_response", response=response)

def refuse(line, error):
    """The refusal of one."""
    say(type="control_response", response={"subtype": "error", "request_id": line["request_id"], "error": error})

def event(**event):
    """A stream event of the turn."""
    say(type="stream_event", event=event, parent_tool_use_id=None)

def call(tool_use_id, request_id="c1"):
    """A `tools/call` for the client."""
    params = {"name": "look", "_meta": {"claudecode/toolUseId": tool_use_id}}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    request = {"subtype": "mcp_message", "server_name": "client", "message": message}
    say(type="control_request", request_id=request_id, request=request)

def sleep():
    """Do nothing, for good."""
    while True:
        signal.pause()
'''


def program(lines: str) -> list[str]:
    """The command that runs `lines`, which have the words above: say, hear, grant, refuse, event, call, sleep."""
    return [sys.executable, "-I", "-S", "-c", WORDS + lines]


def runs(pid: int) -> bool:
    """Whether that process has not ended, even if nobody has asked how yet. It may do so at any moment."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Heard:
    """What a callback was given, and the waiting for more of it."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._more = asyncio.Event()

    def __call__(self, value: Any) -> None:
        self.all.append(value)
        self._more.set()

    async def until(self, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """All that was heard, once that is enough."""
        while not enough(self.all):
            self._more.clear()
            await self._more.wait()
        return self.all

    async def first(self) -> Any:
        """The first value."""
        return (await self.until(bool))[0]
