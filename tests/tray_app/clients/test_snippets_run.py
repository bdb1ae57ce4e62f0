"""The displayed programs and commands work against a real server."""

import asyncio
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.scripted_backend import ScriptedBackend, answer
from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Snippet
from tray_app.clients.connection import Connection
from tray_app.context import Context

PROGRAMS = [snippet for client in CLIENTS for snippet in client.snippets if snippet.language == "python"]
COMMANDS = [snippet for client in CLIENTS if client.id == "curl" for snippet in client.snippets]


async def output_of(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize("required", [True, False], ids=["key", "no key"])
@pytest.mark.parametrize("snippet", PROGRAMS, ids=lambda snippet: str(snippet.title))
async def test_python(
    context: Context, backend: ScriptedBackend, tmp_path: Path, snippet: Snippet, required: bool
) -> None:
    if not required:
        await context.change_settings({"api_key_required": False})
    await context.server.start()
    backend.script(answer("It works."))
    program = tmp_path / "hello.py"
    to = Connection(context.server.base_url.removesuffix("/v1"), await context.api_key(), "opus")
    program.write_text(snippet.text(to), encoding="utf-8")
    assert await output_of(sys.executable, str(program)) == "It works.\n"


@pytest.mark.parametrize("snippet", COMMANDS, ids=lambda snippet: str(snippet.title))
async def test_curl(context: Context, backend: ScriptedBackend, snippet: Snippet) -> None:
    """Run by curl if it is installed, otherwise by an equal request."""
    await context.server.start()
    backend.script(answer("It works."))
    command = snippet.text(Connection(str(context.server.url), await context.api_key(), "opus"))
    if shutil.which("curl") is not None:
        assert "It works." in await output_of("sh", "-c", command.replace("curl ", "curl -sS ", 1))
        return
    words = shlex.split(command.replace("\\\n", " "))
    assert "It works." in await output_of(sys.executable, "-c", _POST, *words)


_POST = """
import sys, urllib.request
url, *options = sys.argv[2:]
given = list(zip(options[::2], options[1::2]))
headers = dict(value.split(": ", 1) for name, value in given if name == "-H")
(body,) = [value for name, value in given if name == "-d"]
print(urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)).read().decode())
"""
