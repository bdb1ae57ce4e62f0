"""A process dies with its parent, even if the parent is killed and the process does not read its input."""

import asyncio
import os
import signal
import sys

import pytest

from server.backends.claude_cli.transport import parent_death
from tests.backends.claude_cli.scripted_cli import is_running
from tests.systems import posix_only
from tests.waiting import until

PARENT = """
import asyncio, sys
from server.backends.claude_cli.transport import parent_death
async def main():
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(1000)", **parent_death.start_options()
    )
    parent_death.bind_to_parent(child.pid)
    print(child.pid, flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has nothing of the kind")
async def test_it_dies_with_its_killed_parent():
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    child = int(await parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    await until(lambda: not is_running(child))
    await parent.wait()


@posix_only("Windows has its own kind of groups")
async def test_the_terminals_interrupt_does_not_reach_it():
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(1000)", **parent_death.start_options()
    )
    try:
        assert os.getpgid(child.pid) != os.getpgid(0)
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()
