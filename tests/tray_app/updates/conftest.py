"""A server with releases."""

from collections.abc import Iterator

import pytest

from tests.release_server import ReleaseServer


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    """A running server that lists no releases at first."""
    with ReleaseServer().running() as running:
        yield running
