"""`python -m tests.tools.screenshots`: draw every page of the window, light and dark, in a real state.

The server runs in the window as it does for a person, Claude Code answers its requests, and a simulated Messages API
thinks for it. Only the day before is made up: it is written into the store.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from server.backends.claude_cli.transport.locate import find_bundled
from tests.environment import made_environment, simulated_account
from tests.simulator import Simulator

ROOT = Path(__file__).parents[3]
PAGES = ("overview", "requests", "sessions", "clients", "settings", "guide")
ALSO = ("updates",)
"""Drawn only if it is named: a page that is seen seldom, in each of its states."""
THEMES = ("light", "dark")
SIZES = {"": (1120, 720), "narrow": (760, 520)}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="dev.py screenshots", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "pages",
        nargs="*",
        metavar="PAGE",
        help=f"one of {', '.join((*PAGES, *ALSO))}; the first {len(PAGES)} without one",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots", metavar="DIR")
    parser.add_argument("--scale", default="1", help="the scale factor of the screen, as 1.25 or 2")
    parser.add_argument("--size", choices=SIZES, default="", help="the size of the window")
    parser.add_argument("--empty", action="store_true", help="the pages as they are at the first start")
    parser.add_argument("--trouble", action="store_true", help="after a damaged database, on a full disk")
    parser.add_argument("--theme", choices=THEMES, action="append", help="light or dark; both without it")
    options = parser.parse_args(arguments)
    if unknown := set(options.pages) - {*PAGES, *ALSO}:
        parser.error(f"there is no page {', '.join(sorted(unknown))}")
    return options


def main(arguments: Sequence[str]) -> int:
    """Draw what is asked for."""
    options = parse(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-", ignore_cleanup_errors=True) as place,
        Simulator() as api,
    ):
        environment = made_environment(Path(place), os.environ) | simulated_account(api.url)
        # Signed in to a plan, whose windows the overview shows.
        del environment["ANTHROPIC_API_KEY"]
        environment["CLAUDE_CODE_OAUTH_TOKEN"] = "sk-ant-oat01-made-up"
        environment["PATH"] = f"{_claude_at_home(Path(place))}{os.pathsep}{environment['PATH']}"
        environment |= {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": options.scale}
        os.environ.clear()
        os.environ.update(environment)
        # Only now: what it imports reads the environment.
        from tests.tools.screenshots.draw import draw
        from tray_app.desktop.loop.event_loop import EventLoop
        from tray_app.desktop.loop.qt_application import make_qapplication

        with EventLoop(make_qapplication()) as loop:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(
                draw(
                    api,
                    Path(place),
                    options.out,
                    pages=options.pages or PAGES,
                    themes=options.theme or THEMES,
                    size=SIZES[options.size],
                    empty=options.empty,
                    trouble=options.trouble,
                )
            )
    return 0


def _claude_at_home(home: Path) -> Path:
    """The folder where most people have the program: the pictures show its place, and not this computer's."""
    folder = home / ".local" / "bin"
    folder.mkdir(parents=True)
    program = next(path for path in find_bundled() if path.is_file())
    (folder / program.name).symlink_to(program)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
