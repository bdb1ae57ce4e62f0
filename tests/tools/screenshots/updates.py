"""The page of updates in each of its states. A server here stands for GitHub."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, cast

from packaging.version import Version

from server.config.settings import Settings
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.release_server import REPOSITORY, Answer, ReleaseServer, listing, release, reply
from tests.tools.screenshots.png import save_png
from tests.waiting import until
from tray_app.context import Context
from tray_app.desktop.autostart import system_autostart
from tray_app.preferences import Preferences
from tray_app.theme import Theme
from tray_app.updates.check import UpdateCheck
from tray_app.updates.feed import ReleaseFeed
from tray_app.updates.install_method import InstallMethod, PythonPackage
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries

SETTLE_SECONDS = 0.5
RUNNING = Version("0.1.0")
HOST = "api.github.com"

NOTES = """\
### Added

- Ollama's **embeddings**, by a model on this computer; see [the page](https://github.com/dragoman/dragoman#readme).
- `dragoman serve --socket PATH` listens on a Unix socket.

### Fixed

- A stream that was cut while it waited for a tool's result ended without `response.failed`.

| port | before | after |
|---|---|---|
| 8000 in use | stops | offers 8001 |

```sh
dragoman quit && dragoman --hidden
```

![A picture from elsewhere](https://example.com/a.png) <b>and HTML</b> stay text.
"""
OLDER = "- Plan limits are read again after the computer's sleep.\n- Sessions open faster.\n\n```\nnever closed"
OLDEST = "1. First of many.\n2. Second.\n\n> A quotation.\n"

PIP = InstallMethod(
    "package",
    Path("/home/ada/.venvs/dragoman"),
    package=PythonPackage("pip", "index", Path("/home/ada/.venvs/dragoman/bin/python"), extras=("bundled-cli", "tray")),
)
DEB = InstallMethod("deb", Path("/usr/lib/dragoman/dragoman"))
APPIMAGE = InstallMethod("appimage", Path("/home/ada/Applications/Dragoman.AppImage"))
STATES: dict[str, tuple[Answer, InstallMethod]] = {
    "current": (listing(release("v0.1.0")), DEB),
    "available": (
        listing(release("v0.3.0", NOTES), release("v0.2.1", OLDER), release("v0.2.0", OLDEST), release("v0.1.0")),
        PIP,
    ),
    "deb": (listing(release("v0.2.0", OLDER)), DEB),
    "appimage": (listing(release("v0.2.0", OLDEST)), APPIMAGE),
    "limited": (reply(403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}), PIP),
    "garbage": (reply(200, b"<html>Sign in to the hotel's network</html>"), PIP),
    "idle": (listing(), PIP),
    "nowhere": (listing(), InstallMethod("checkout", Path("/home/ada/src/dragoman"))),
}


class _FeedHere(ReleaseFeed):
    """GitHub's feed to the user, this computer's to the network."""

    __slots__ = ()

    @property
    def host(self) -> str:
        return HOST


async def draw_updates(place: Path, out: Path, *, themes: Sequence[str], size: tuple[int, int]) -> None:
    """Write `updates-STATE-THEME.png` into `out` for each."""
    out.mkdir(parents=True, exist_ok=True)
    for state, (answer, method) in STATES.items():
        server = ReleaseServer()
        with server.running():
            server.answer = answer
            feed = None if state == "nowhere" else _FeedHere(server.feed().url, REPOSITORY)
            for choice in themes:
                await _draw_state(place / state / choice, out, state, choice, size, _maker(feed, method))


def _maker(feed: ReleaseFeed | None, method: InstallMethod) -> Callable[[Context], UpdateCheck]:
    def make(context: Context) -> UpdateCheck:
        check = UpdateCheck(context, lambda: feed, lambda: method)
        check.running = RUNNING
        return check

    return make


async def _draw_state(
    place: Path, out: Path, state: str, choice: str, size: tuple[int, int], make: Callable[[Context], UpdateCheck]
) -> None:
    settings = Settings(data_dir=place / "data", config_dir=place / "config", port=0)
    context = Context(
        settings,
        key_store=KeyStore(MemoryStorage()),
        theme=Theme(cast("Literal['light', 'dark']", choice)),
        autostart=system_autostart(),
        preferences=Preferences(settings.config_dir),
        updates=make,
    )
    await context.open()
    window = MainWindow(context, rail_entries(), other_entries())
    window.resize(*size)
    window.bring_up()
    if state not in ("idle", "nowhere"):
        window.go_to_page("overview")
        context.updates.check_now()
        await until(lambda: context.updates.state in ("done", "failed"))
        if context.updates.is_announced:
            await asyncio.sleep(SETTLE_SECONDS)
            save_png(window.grab().toImage(), out / f"updates-{state}-banner-{choice}.png")
    window.go_to_page("updates")
    await asyncio.sleep(SETTLE_SECONDS)
    save_png(window.grab().toImage(), out / f"updates-{state}-{choice}.png")
    await window.finish_pending()
    window.close()
    await context.close()
    window.deleteLater()
