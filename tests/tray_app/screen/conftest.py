"""Tests with a real screen, which is an X server of Debian's."""

import sys
from collections.abc import Iterator

import pytest

from tests.tray_app.screen.desktop import Desktop

if sys.platform != "linux":
    collect_ignore_glob = ["*"]


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    """A desktop for this test alone, with a tray and an unlocked keyring."""
    with Desktop() as desktop:
        yield desktop
