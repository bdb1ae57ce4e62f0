"""Settings of dmgbuild, which runs this file with `defines`: the window shows the program beside Applications."""

from pathlib import Path

_app = Path(defines["app"])  # type: ignore[name-defined]  # noqa: F821

format = "ULFO"
filesystem = "APFS"
files = [str(_app)]
symlinks = {"Applications": "/Applications"}
icon = str(_app / "Contents" / "Resources" / "app.icns")
default_view = "icon-view"
window_rect = ((200, 200), (520, 300))
icon_size = 96
icon_locations = {_app.name: (140, 130), "Applications": (380, 130)}
