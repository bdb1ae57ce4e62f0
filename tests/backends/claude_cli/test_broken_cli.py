"""A CLI that stops during an answer or sends invalid events: a prompt error, and no process is left."""

import logging
import sys

import pytest

from server.backends.claude_cli.chat import conversation as conversations
from server.core.errors import DragomanError, ProcessDied, UpstreamFailed, UpstreamTimeout
from tests.asking import ask
from tests.backends.claude_cli.scripted_cli import WORDS
from tests.systems import posix_only

pytestmark = posix_only("a script as the program")

# Up to the question; the probe's process ends with its input.
SERVE = """
def until(kind):
    while True:
        line = hear()
        if line["type"] == "control_request":
            grant(line)
        if line["type"] == kind:
            return

def start():
    event(type="message_start", message={"id": "msg_1", "role": "assistant", "content": [], "usage": {}})

def block(**block):
    event(type="content_block_start", index=0, content_block=block)

def words():
    block(type="text", text="")
    event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"})

until("user")
"""


@pytest.fixture
def broken(start_backend, tmp_path):
    """`async with broken(lines) as backend`, whose CLI runs the lines when a question comes."""

    def start(lines):
        program = tmp_path / "claude"
        program.write_text(f"#!{sys.executable} -IS\n{WORDS}{SERVE}{lines}\n")
        program.chmod(0o755)
        return start_backend(claude_path=program)

    return start


async def failure_of(backend):
    """The error of a request, and the types of the events before it."""
    kinds = []

    async def read():
        async for event in backend.stream(ask("Hi")):
            kinds.append(event["type"])  # noqa: PERF401 - those before the error count

    with pytest.raises(DragomanError) as caught:
        await read()
    return caught.value, kinds


BEGUN = ["message_start", "content_block_start", "content_block_delta"]


async def test_a_closed_output_is_the_end(broken):
    async with broken("start()\nwords()\nos.close(1)\nsleep()") as backend:
        error, kinds = await failure_of(backend)
        assert isinstance(error, ProcessDied)
        assert "closed its output" in error.message
        assert kinds == BEGUN
        assert not backend.pool.list_processes()


async def test_the_status_of_one_that_ends_by_itself_is_not_lost(broken):
    async with broken("start()\nwords()\nos.close(1)\nsys.stderr.write('no disk')\nsys.exit(3)") as backend:
        error, _ = await failure_of(backend)
        assert "status 3" in error.message
        assert "no disk" in error.message


@pytest.mark.parametrize(
    ("lines", "waits"),
    [
        ("words()", "text"),
        ('words()\nsys.stdout.write(\'{"type": "stream_ev\')\nsys.stdout.flush()', "text"),
        ("block(type='text', text='')", "text"),
        ("", "long"),
        ("block(type='thinking', thinking='')", "long"),
        ("block(type='tool_use', id='1', name='mcp__client__look', input={})", "long"),
        ("words()\nevent(type='content_block_stop', index=0)", "long"),
    ],
    ids=["text", "half a line", "no word yet", "before a block", "thinking", "tool input", "between blocks"],
)
async def test_silence(broken, monkeypatch, lines, waits):
    """Silence within a text soon ends the turn; thinking and tool input are given more time."""
    never = 1000.0
    monkeypatch.setattr(conversations, "TEXT_TIMEOUT_SECONDS", 0.5 if waits == "text" else never)
    # This one also applies before the answer begins, which takes time on a busy computer.
    monkeypatch.setattr(conversations, "OUTPUT_TIMEOUT_SECONDS", never if waits == "text" else 5.0)
    async with broken(f"start()\n{lines}\nsleep()") as backend:
        error, kinds = await failure_of(backend)
        assert isinstance(error, UpstreamTimeout)
        assert kinds[0] == "message_start"
        assert not backend.pool.list_processes()


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("start()\nwords()\nstart()", "message_start"),
        ("start()\nstart()", "message_start"),
        ("words()", "content_block_start"),
        ("start()\nevent(type='content_block_delta', index=3, delta={'type': 'text_delta', 'text': 'x'})", "delta"),
        ("start()\nevent(type='content_block_stop', index=0)", "content_block_stop"),
        ("start()\nevent(type='content_block_start', index=0)", "content_block_start"),
        ("start()\nwords()\nevent(type='content_block_delta', index=0, delta={'type': 'text_delta'})", "delta"),
        ("event(type='message_delta', delta={'stop_reason': 'end_turn'}, usage={})", "message_delta"),
    ],
    ids=[
        "twice, with words",
        "twice",
        "no start",
        "no block",
        "no block to end",
        "no content",
        "no text",
        "no message",
    ],
)
async def test_events_that_do_not_fit_are_an_error_without_a_trace(broken, caplog, lines, kind):
    async with broken(f"{lines}\nsleep()") as backend:
        error, kinds = await failure_of(backend)
        assert isinstance(error, UpstreamFailed)
        assert kind in error.message
        assert kinds.count("message_start") <= 1
        assert not backend.pool.list_processes()
    assert [line for line in caplog.records if line.exc_info or line.levelno >= logging.ERROR] == []
