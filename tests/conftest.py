"""Fixtures of every test: an environment without accounts, and no network beyond this machine."""

import functools
import ipaddress
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpcore2
import hypothesis
import pytest

from tests.environment import made_environment, simulated_account
from tests.soak import SOAK_EXAMPLES
from tests.systems import posix_only

if TYPE_CHECKING:
    from tests.simulator import Simulator

# Each HTTP client would load all CA certificates, which takes 40 ms; no test needs them.
httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)

# A deadline for each example, or for making the first of them, would be a timed assertion, and fail on a busy machine.
hypothesis.settings.register_profile(
    "project", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "soak", hypothesis.settings.get_profile("project"), max_examples=SOAK_EXAMPLES or 20_000
)
hypothesis.settings.load_profile("soak" if SOAK_EXAMPLES else "project")


class OutsideConnection(Exception):
    """A test reached for a host beyond this machine."""


# Hosts that were reached for. Raising alone would not do: the code under test may catch it.
_reached_for: list[str] = []


def _is_here(host: Any) -> bool:
    """Whether a host, as given to the socket functions, is this machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise for a host that is not here. Events: https://docs.python.org/3/library/audit_events.html."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if not isinstance(address, tuple):  # a Unix socket's path, or connected before
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_here(host):
        _reached_for.append(str(host))
        raise OutsideConnection(f"a test reached for {host!r}; tests talk to this machine alone")


def pytest_configure() -> None:
    """Hooks cannot be taken away again, so it is added once for the whole run."""
    sys.addaudithook(_refuse_outside)


TESTS = Path(__file__).parent
SCREEN = TESTS / "tray_app" / "screen"
COMMANDS = (TESTS / "cli", TESTS / "tools")
"""Tests of command lines, which they start as their user does."""
SLOW = tuple(TESTS / name for name in ("api", "hosting", "tray_app/pages", "tray_app/window"))
"""Tests that start an HTTP server or build a whole page each: a fifth of the tests, three quarters of the time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts programs, so that an inner loop can leave it out: see CONTRIBUTING.md."""
    for item in items:
        if "cli_path" in getattr(item, "fixturenames", ()):
            item.add_marker("cli")
        if SCREEN in item.path.parents:
            item.add_marker("screen")
            item.add_marker(posix_only("an X server"))
        if any(folder in item.path.parents for folder in COMMANDS) or hasattr(
            getattr(item, "module", None), "subprocess"
        ):
            item.add_marker("process")
        if any(folder in item.path.parents for folder in SLOW):
            item.add_marker("slow")


def _apply(environment: dict[str, str], patch: pytest.MonkeyPatch) -> None:
    """Make `environment` the whole of os.environ."""
    for name in set(os.environ) - set(environment):
        patch.delenv(name)
    for name in environment:
        if os.environ.get(name) != environment[name]:
            patch.setenv(name, environment[name])


@pytest.fixture(scope="session", autouse=True)
def _made_environment_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The made environment for fixtures that outlive a test."""
    with pytest.MonkeyPatch.context() as patch:
        _apply(made_environment(tmp_path_factory.mktemp("home"), os.environ), patch)
        yield


@pytest.fixture
def made_home(tmp_path: Path) -> Path:
    """The test's home directory; HOME and its kin name it."""
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def _made_environment(made_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _apply(made_environment(made_home, os.environ), monkeypatch)


@pytest.fixture
def outside_connections() -> list[str]:
    """The hosts beyond this machine that the test reached for. Whatever it leaves in there fails it."""
    return _reached_for


@pytest.fixture(autouse=True)
def _no_outside_connections() -> Iterator[None]:
    _reached_for.clear()
    yield
    if _reached_for:
        pytest.fail(f"reached for hosts beyond this machine: {', '.join(_reached_for)}")


@pytest.fixture(scope="session")
def cli_path() -> Path:
    """The claude program: the one that is pinned with the packages, else the one on PATH."""
    name = "claude.exe" if sys.platform == "win32" else "claude"
    try:
        import claude_agent_sdk
    except ModuleNotFoundError:
        found = shutil.which(name)
    else:
        found = str(Path(claude_agent_sdk.__file__).parent / "_bundled" / name)
    assert found is not None, "no claude: install the extra bundled-cli (dev.py does)"
    return Path(found)


@pytest.fixture
def simulator() -> Iterator["Simulator"]:
    """A running simulator, for this test alone."""
    from tests.simulator import Simulator

    with Simulator() as running:
        yield running


@pytest.fixture
def claude_environment(simulator: "Simulator") -> dict[str, str]:
    """The whole environment for a CLI process that works for the simulator."""
    return dict(os.environ) | simulated_account(simulator.url)
