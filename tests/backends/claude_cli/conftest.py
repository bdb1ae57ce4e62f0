"""The backend on the real CLI, which talks to the simulator."""

import os
from contextlib import asynccontextmanager

import pytest

from server.backends.claude_cli.backend import ClaudeCliBackend, CliConfig
from server.backends.claude_cli.pool.pool import PoolLimits
from server.core.events import EventBus


@pytest.fixture
def start_backend(simulator, cli_path, claude_environment, tmp_path):
    """`async with start_backend(spares=1, ...) as backend`."""

    @asynccontextmanager
    async def start(
        environment=claude_environment,
        bus=None,
        load_user_settings=False,
        claude_path=cli_path,
        facilities=None,
        **limits,
    ):
        config = CliConfig(
            directory=tmp_path / "work",
            outer=environment,
            claude_path=claude_path,
            # The queue is not under test here: on a busy computer a wait may take long.
            limits=PoolLimits(**{"spares": 0, "queue_seconds": 300.0, **limits}),
            load_user_settings=load_user_settings,
        )
        backend = ClaudeCliBackend(config, bus or EventBus(), facilities)
        await backend.start()
        try:
            yield backend
        finally:
            await backend.stop()

    return start


@pytest.fixture
async def backend(start_backend):
    async with start_backend() as backend:
        yield backend


@pytest.fixture
def nobody():
    """Drop root's permissions, to which no folder is closed."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
