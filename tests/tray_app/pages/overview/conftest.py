"""A context whose server uses the real Claude Code."""

import pytest

from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.tray_app.conftest import KEY, MadeAutostart
from tray_app.context import Context
from tray_app.preferences import Preferences


@pytest.fixture
async def with_claude(settings, theme, cli_path, claude_environment, monkeypatch):
    """A context whose server works with the real CLI and the simulator."""
    for name, value in claude_environment.items():
        monkeypatch.setenv(name, value)
    overrides = {"data_dir": settings.data_dir, "config_dir": settings.config_dir}
    context = Context(
        settings.model_copy(update={"claude_path": cli_path, "port": 0, "spares": 1}),
        key_store=KeyStore(MemoryStorage(), fixed_key=KEY),
        theme=theme,
        autostart=MadeAutostart(),
        preferences=Preferences(settings.config_dir),
        overrides=overrides,
    )
    await context.open()
    yield context
    await context.close()
