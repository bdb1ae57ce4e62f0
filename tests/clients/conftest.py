"""The product on a real socket, once for each module: all clients' tests of a module run on its event loop."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.clients.live import Live, Serve, go_live
from tests.environment import simulated_account
from tests.simulator import Simulator


@pytest.fixture(scope="module")
def api() -> Iterator[Simulator]:
    """The module's simulator."""
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _account_between_tests(api: Simulator) -> Iterator[None]:
    """For the processes that a module's server starts when no test runs."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in simulated_account(api.url).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(autouse=True)
def _account(api: Simulator, _made_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI's account, in the variables that the server passes on."""
    for name, value in simulated_account(api.url).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def simulator(api: Simulator) -> Simulator:
    """The module's simulator, as new."""
    api.reset()
    return api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(api: Simulator, cli_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """The module's server."""
    directory = tmp_path_factory.mktemp("server")
    async with AsyncExitStack() as stack:
        places = {"data_dir": directory / "data", "config_dir": directory / "config"}
        yield await go_live(stack, api, claude_path=cli_path, spares=1, max_conversations=4, **places)


@pytest_asyncio.fixture(loop_scope="module")
async def server(running: Live, simulator: Simulator) -> AsyncIterator[Live]:
    """The module's server, with clients for this test. What its dialects do not promise fails the test."""
    async with AsyncExitStack() as stack:
        live = Live(running.runtime, simulator, stack)
        yield live
    assert live.watch.faults == []


@pytest_asyncio.fixture(loop_scope="module")
async def serve(simulator: Simulator, cli_path: Path, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts servers for this test alone: `await serve(max_conversations=3)`."""
    started: list[Live] = []
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Live:
            places = {"data_dir": tmp_path / "data", "config_dir": tmp_path / "config", "claude_path": cli_path}
            started.append(await go_live(stack, simulator, **{**places, **changes}))
            return started[-1]

        yield start
    assert [fault for live in started for fault in live.watch.faults] == []
