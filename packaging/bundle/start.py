"""Entry point of the bundle."""

import os
import sys

# First of all: whatever the program starts, such as the user's browser, would inherit the bundle's variables.
# An AppImage's runtime sets these. zsh calls every command by ARGV0, which breaks those that go by their names.
if "APPDIR" in os.environ:
    os.environ.pop("ARGV0", None)
    os.environ.pop("OWD", None)

# The bootloader sets it for the loading of the bundle's libraries, which is over.
if "LD_LIBRARY_PATH_ORIG" in os.environ:
    os.environ["LD_LIBRARY_PATH"] = os.environ.pop("LD_LIBRARY_PATH_ORIG")
else:
    os.environ.pop("LD_LIBRARY_PATH", None)

# An upgrade replaces the program's file while it runs. Modules that are imported after it must still come from the
# file that was started: the new one has others, at other positions.
if sys.platform == "linux" and (importers := sys.modules.get("pyimod02_importers")):
    importers.pyz_archive._filename = "/proc/self/exe"

from tray_app.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
