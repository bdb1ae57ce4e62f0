"""Open WebUI: started by the variables of the Clients page; a browser's requests are made by a program."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of

BROWSER = Path(__file__).with_name("open_webui_browser.py")
OFFLINE = "WEBUI_AUTH=False OFFLINE_MODE=true HF_HUB_OFFLINE=1"
"""Nobody signs in, and it does not look for models of its own."""


def _ask(stage: Stage, words: str) -> Sequence[str]:
    snippet = client_of("open-webui").snippets[-1].text(stage.connection)
    exports, _, command = snippet.rstrip().rpartition("\n")
    started = f"{exports}\nexport {OFFLINE} DATA_DIR={shlex.quote(str(stage.home / 'open-webui'))}\nexec {command}"
    return [sys.executable, str(BROWSER), started, stage.connection.model, words]


OPEN_WEBUI = Program(
    name="open-webui",
    client="open-webui",
    package=versions.OPEN_WEBUI,
    set_up=lambda _: None,
    ask=_ask,
    large=True,
)
