"""The clients, in display order."""

from tray_app.clients.catalogue.aider import AIDER
from tray_app.clients.catalogue.cline import CLINE
from tray_app.clients.catalogue.codex import CODEX
from tray_app.clients.catalogue.continue_dev import CONTINUE
from tray_app.clients.catalogue.curl import CURL
from tray_app.clients.catalogue.jetbrains import JETBRAINS
from tray_app.clients.catalogue.node import NODE
from tray_app.clients.catalogue.ollama import OLLAMA
from tray_app.clients.catalogue.open_webui import OPEN_WEBUI
from tray_app.clients.catalogue.opencode import OPENCODE
from tray_app.clients.catalogue.python import PYTHON
from tray_app.clients.catalogue.vscode import VSCODE
from tray_app.clients.catalogue.zed import ZED
from tray_app.clients.client import Client

CLIENTS: tuple[Client, ...] = (
    CONTINUE,
    CLINE,
    AIDER,
    ZED,
    JETBRAINS,
    VSCODE,
    CODEX,
    OPENCODE,
    OPEN_WEBUI,
    OLLAMA,
    PYTHON,
    NODE,
    CURL,
)

__all__ = ["CLIENTS"]
