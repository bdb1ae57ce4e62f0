"""The choice of start at login by platform."""

import os
from pathlib import Path

import pytest

from tray_app.desktop.autostart import autostart_for, system_autostart
from tray_app.desktop.autostart.linux import XdgAutostart
from tray_app.desktop.autostart.macos import LaunchAgent


@pytest.mark.parametrize(("platform", "kind"), [("linux", XdgAutostart), ("freebsd14", XdgAutostart)])
def test_desktops_that_follow_the_xdg_specifications(platform: str, kind: type) -> None:
    assert isinstance(autostart_for(platform, ["tray"]), kind)


def test_macos_has_launch_agents(made_home: Path) -> None:
    agent = autostart_for("darwin", ["tray"])
    assert isinstance(agent, LaunchAgent)
    assert str(Path("Library") / "LaunchAgents") in agent.description


def test_system_autostart_can_be_turned_on_and_off(made_home: Path) -> None:
    autostart = system_autostart()
    assert not autostart.is_enabled()
    autostart.enable()
    assert autostart.is_enabled()
    entry = Path(os.environ["XDG_CONFIG_HOME"]) / "autostart" / "dragoman.desktop"
    assert "--hidden" in entry.read_text()
    autostart.disable()
    assert not autostart.is_enabled()
