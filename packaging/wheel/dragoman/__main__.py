"""Entry point of the command `dragoman` and of `python -m dragoman`."""

import sys
from pathlib import Path

PACKAGES = Path(__file__).parent


def main() -> int:
    """Run the program with the arguments of the command line. Returns the exit code."""
    # First on the path: another distribution may have installed a package with one of these general names. A checkout
    # and a bundle have them elsewhere.
    if (PACKAGES / "server").is_dir():
        sys.path.insert(0, str(PACKAGES))
    from tray_app.__main__ import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
