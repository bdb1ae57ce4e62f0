"""Open WebUI: https://docs.openwebui.com/getting-started/env-configuration/.

In a container, 127.0.0.1 is the container itself. On Linux it can share the host's network. Elsewhere Docker names the
host host.docker.internal, which this server must be configured to allow.
"""

import shlex

from tray_app.clients.client import Client, Field, Snippet, Traces
from tray_app.clients.connection import Connection
from tray_app.translation import Later

HOST = "host.docker.internal"
_IMAGE = "ghcr.io/open-webui/open-webui:main"
_REST = ["-v", "open-webui:/app/backend/data", "--name", "open-webui", "--restart", "always", _IMAGE]


def _list_variables(url: str, connection: Connection) -> list[str]:
    return [f"OPENAI_API_BASE_URL={url}", f"OPENAI_API_KEY={connection.secret}"]


def _docker_command(network: list[str], url: str, connection: Connection) -> str:
    options = [f"-e {shlex.quote(variable)}" for variable in _list_variables(url, connection)]
    lines = ["docker run -d " + shlex.join(network), *options, shlex.join(_REST)]
    return " \\\n  ".join(lines) + "\n"


def _on_linux(connection: Connection) -> str:
    return _docker_command(["--network=host"], connection.openai_url, connection)


def _on_desktop(connection: Connection) -> str:
    network = ["-p", "3000:8080", f"--add-host={HOST}:host-gateway"]
    return _docker_command(network, f"http://{HOST}:{connection.port}/v1", connection)


def _without_docker(connection: Connection) -> str:
    exports = [f"export {shlex.quote(variable)}" for variable in _list_variables(connection.openai_url, connection)]
    return "\n".join([*exports, "open-webui serve"]) + "\n"


OPEN_WEBUI = Client(
    id="open-webui",
    name="Open WebUI",
    icon="mdi6.web",
    summary=Later("Chat in the browser"),
    dialect="chat completions",
    documentation="https://docs.openwebui.com/getting-started/quick-start/connect-a-provider/starting-with-openai-compatible",
    steps=(
        Later("Start Open WebUI with one of the commands below."),
        Later(
            "If it is already running, open Settings > Admin > Connections, add an OpenAI API connection and "
            "fill in the fields."
        ),
    ),
    fields=(
        Field(Later("URL"), lambda to: to.openai_url),
        Field(Later("API Key"), lambda to: to.secret),
    ),
    note=(
        Later(
            "Open WebUI remembers both values from its first start; change them later in its settings. In "
            "Docker it uses port 8080 on Linux and port 3000 on macOS and Windows."
        )
    ),
    snippets=(
        Snippet(Later("Docker on Linux"), "bash", _on_linux),
        Snippet(Later("Docker Desktop on macOS and Windows"), "bash", _on_desktop, host=HOST),
        Snippet(Later("Without Docker"), "bash", _without_docker),
    ),
    traces=Traces(commands=("open-webui",)),
)
