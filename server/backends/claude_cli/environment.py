"""The command line and the environment of a CLI process. Pure: the outer environment is given, not read."""

from collections.abc import Mapping
from pathlib import Path

PASSED = frozenset(
    {
        "HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "DBUS_SESSION_BUS_ADDRESS", "CLOUD_ML_REGION", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
        "CLAUDE_CODE_GIT_BASH_PATH",
        # Windows does not start a process, or find a home, without these.
        "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
        "PROGRAMFILES", "PROGRAMFILES(X86)", "USERPROFILE", "USERNAME", "USERDOMAIN", "HOMEDRIVE", "HOMEPATH",
        "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
    }
)  # fmt: skip
PASSED_PREFIXES = ("LC_", "XDG_", "ANTHROPIC_", "AWS_", "AZURE_", "GOOGLE_", "VERTEX_", "CLAUDE_CODE_USE_")

SET = {
    # Else the client's tools are hidden behind a search tool.
    "ENABLE_TOOL_SEARCH": "false",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # The client owns its conversation: nothing may be summed up behind its back.
    "DISABLE_AUTO_COMPACT": "1",
    # One call for one request: this program retries by itself, and only before the first event.
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    # Else a large tool result is put into a file, which the model cannot read.
    "MAX_MCP_OUTPUT_TOKENS": "10000000",
    # A held tool call waits for the client, however long that takes: 24 h in milliseconds.
    "MCP_TOOL_TIMEOUT": "86400000",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
}


def environment(outer: Mapping[str, str]) -> dict[str, str]:
    """What a CLI process may see of the `outer` environment, and what is set for it.

    An allowlist: a server started from inside Claude Code must not inherit its session, and the person's other
    secrets are none of the CLI's business.
    """
    passed = {name: value for name, value in outer.items() if _passes(name.upper())}
    return {**passed, **SET}


def command(path: Path, *, load_user_settings: bool) -> list[str]:
    """The command line: an API without built-in tools, without the person's settings unless they are asked for.

    With `load_user_settings` the user's own settings are read (Bedrock, Vertex, apiKeyHelper), but no hook of theirs
    runs: it would put text into other people's conversations.
    """
    settings = ["--setting-sources", "user", "--settings", '{"disableAllHooks":true}']
    return [
        str(path),
        "-p",
        *("--input-format", "stream-json", "--output-format", "stream-json"),
        *("--verbose", "--include-partial-messages", "--thinking-display", "summarized"),
        *("--tools", "", "--strict-mcp-config", "--allowedTools", "mcp__client__*"),
        "--no-session-persistence",
        *(settings if load_user_settings else ["--setting-sources", ""]),
    ]


def _passes(name: str) -> bool:
    return name in PASSED or name.startswith(PASSED_PREFIXES)
