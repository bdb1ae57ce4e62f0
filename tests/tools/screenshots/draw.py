"""The window with a server at work, page by page into pictures."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from server.backends.claude_cli.self_check import schedule
from server.config.settings import Settings
from server.hosting.port_check import next_free_port
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.simulator import Simulator
from tests.tools.screenshots.life import a_day_of, damage_database, fill_disk, live
from tests.tools.screenshots.png import save_png
from tests.tools.screenshots.updates import draw_updates
from tests.waiting import until
from tray_app.context import Context
from tray_app.desktop.autostart import system_autostart
from tray_app.preferences import Preferences
from tray_app.theme import Theme
from tray_app.window.main_window import MainWindow
from tray_app.window.pages import other_entries, rail_entries

PORT = 8000
SETTLE_SECONDS = 1.5
"""Until charts are drawn and lists are read. Nothing tells of the last of it; only a person waits for this."""


class KeyInKeyring(MemoryStorage):
    """Says what most people will read on the overview."""

    kind = "keyring"

    def __init__(self) -> None:
        super().__init__()
        self.description = "in the system keyring"


async def draw(
    api: Simulator,
    place: Path,
    out: Path,
    *,
    pages: Sequence[str],
    themes: Sequence[str],
    size: tuple[int, int],
    empty: bool,
    trouble: bool,
) -> None:
    """Write `PAGE-THEME.png` into `out` for each, in trouble `PAGE-trouble-THEME.png`."""
    port = await next_free_port("127.0.0.1", PORT - 1)
    settings = Settings(data_dir=place / "data", config_dir=place / "config", port=port)
    if "updates" in pages:
        await draw_updates(place / "updates", out, themes=themes, size=size)
    pages = [page for page in pages if page != "updates"]
    if not pages:
        return
    theme = Theme("light")
    context = Context(
        settings,
        key_store=KeyStore(KeyInKeyring()),
        theme=theme,
        autostart=system_autostart(),
        preferences=Preferences(settings.config_dir),
    )
    if trouble:
        damage_database(settings)
    await context.open()
    window = MainWindow(context, rail_entries(), other_entries())
    window.resize(*size)
    window.bring_up()
    # The card of Claude Code shows what the check has found.
    schedule.QUIET_SECONDS = 0.0
    await context.server.start()
    if not empty:
        await until(lambda: context.bridge.cli_check.fast_paths)
        await a_day_of(context)
        session = await live(context, api)
        context.show_page("sessions", session_id=session)
    if trouble:
        await fill_disk(context)
    kind = "-trouble" if trouble else ""
    out.mkdir(parents=True, exist_ok=True)
    for choice in themes:
        theme.set_choice(cast("Literal['light', 'dark']", choice))
        for page in pages:
            window.go_to_page(page)
            window.current_page.refresh()
            await asyncio.sleep(SETTLE_SECONDS)
            save_png(window.grab().toImage(), out / f"{page}{kind}-{choice}.png")
    await window.finish_pending()
    await context.close()
