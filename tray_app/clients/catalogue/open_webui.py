"""Open WebUI: https://docs.openwebui.com/getting-started/env-configuration/.

In a container 127.0.0.1 is the container. On Linux it can share the host's network; elsewhere Docker gives the host the
name host.docker.internal, which this server has to be told to take.
"""

import shlex

from tray_app.clients.client import Client, Field, Snippet, Traces
from tray_app.clients.connection import Connection

HOST = "host.docker.internal"
_IMAGE = "ghcr.io/open-webui/open-webui:main"
_REST = ["-v", "open-webui:/app/backend/data", "--name", "open-webui", "--restart", "always", _IMAGE]


def _variables(url: str, connection: Connection) -> list[str]:
    return [f"OPENAI_API_BASE_URL={url}", f"OPENAI_API_KEY={connection.secret}"]


def _docker(network: list[str], url: str, connection: Connection) -> str:
    options = [f"-e {shlex.quote(variable)}" for variable in _variables(url, connection)]
    lines = ["docker run -d " + shlex.join(network), *options, shlex.join(_REST)]
    return " \\\n  ".join(lines) + "\n"


def _on_linux(connection: Connection) -> str:
    return _docker(["--network=host"], connection.openai_url, connection)


def _on_desktop(connection: Connection) -> str:
    network = ["-p", "3000:8080", f"--add-host={HOST}:host-gateway"]
    return _docker(network, f"http://{HOST}:{connection.port}/v1", connection)


def _without_docker(connection: Connection) -> str:
    exports = [f"export {shlex.quote(variable)}" for variable in _variables(connection.openai_url, connection)]
    return "\n".join([*exports, "open-webui serve"]) + "\n"


OPEN_WEBUI = Client(
    id="open-webui",
    name="Open WebUI",
    icon="mdi6.web",
    summary="Chat in the browser",
    dialect="chat completions",
    documentation="https://docs.openwebui.com/getting-started/quick-start/connect-a-provider/starting-with-openai-compatible",
    steps=(
        "Start Open WebUI with one of the commands below.",
        "If it is already running, open Settings > Admin > Connections, add an OpenAI API connection and "
        "fill in the fields.",
    ),
    fields=(
        Field("URL", lambda to: to.openai_url),
        Field("API Key", lambda to: to.secret),
    ),
    note=(
        "Open WebUI remembers both values from its first start; change them later in its settings. In "
        "Docker it uses port 8080 on Linux and port 3000 on macOS and Windows."
    ),
    snippets=(
        Snippet("Docker on Linux", "bash", _on_linux),
        Snippet("Docker Desktop on macOS and Windows", "bash", _on_desktop, host=HOST),
        Snippet("Without Docker", "bash", _without_docker),
    ),
    traces=Traces(commands=("open-webui",)),
)
