"""A scripted stand-in for the CLI: lines of Python that speak its protocol, for behaviour the real one lacks."""

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


def is_running(pid: int) -> bool:
    """Whether the process is running; a zombie is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class CallRecorder:
    """A callback that records its arguments and lets a test wait for them."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._more = asyncio.Event()

    def __call__(self, value: Any) -> None:
        self.all.append(value)
        self._more.set()

    async def until(self, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """Wait until the recorded values are enough, and return them."""
        while not enough(self.all):
            self._more.clear()
            await self._more.wait()
        return self.all

    async def first(self) -> Any:
        """Wait for the first value."""
        return (await self.until(bool))[0]
