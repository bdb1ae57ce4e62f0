"""The command line and environment of a CLI process. Pure."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from server import __version__
from server.backends.claude_cli.transport.user_settings import UserSettings
from server.config.paths import APP_NAME

PASSED = frozenset(
    {
        "HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "DBUS_SESSION_BUS_ADDRESS", "CLOUD_ML_REGION", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
        "CLAUDE_CODE_GIT_BASH_PATH", "CLAUDE_CODE_API_KEY_HELPER_TTL_MS",
        # For gateways with their own authentication.
        "CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH", "CLAUDE_CODE_SKIP_ANTHROPIC_GOOGLE_CLOUD_AUTH",
        "CLAUDE_CODE_SKIP_BEDROCK_AUTH", "CLAUDE_CODE_SKIP_FOUNDRY_AUTH", "CLAUDE_CODE_SKIP_MANTLE_AUTH",
        "CLAUDE_CODE_SKIP_VERTEX_AUTH",
        # Windows needs these to start a process or find a home.
        "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
        "PROGRAMFILES", "PROGRAMFILES(X86)", "USERPROFILE", "USERNAME", "USERDOMAIN", "HOMEDRIVE", "HOMEPATH",
        "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
    }
)  # fmt: skip
PASSED_PREFIXES = ("LC_", "XDG_", "ANTHROPIC_", "AWS_", "AZURE_", "GOOGLE_", "VERTEX_", "CLAUDE_CODE_USE_")
REFUSED = frozenset({"ANTHROPIC_LOG"})
"""ANTHROPIC_LOG makes the CLI write its log between the lines of the protocol."""

SET = {
    # Names this program in the user agent that Anthropic sees.
    "CLAUDE_AGENT_SDK_CLIENT_APP": f"{APP_NAME}/{__version__}",
    # Otherwise the client's tools are hidden behind a search tool.
    "ENABLE_TOOL_SEARCH": "false",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # The client owns its conversation, which must not be summarised unnoticed.
    "DISABLE_AUTO_COMPACT": "1",
    # One call per request: this program retries by itself, and only before the first event.
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    # Otherwise a large tool result goes to a file that the model cannot read.
    "MAX_MCP_OUTPUT_TOKENS": "10000000",
    # A held tool call waits for the client: 24 h in milliseconds.
    "MCP_TOOL_TIMEOUT": "86400000",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
    # As `--restricted`, but without an error from an older CLI: no settings files, and no inbox through which the
    # user's other sessions could see this process and write into its conversation.
    "CLAUDE_CODE_RESTRICTED": "1",
    # Otherwise models before 5, and Haiku 5.5, get a note behind each tool result that no client wrote. It counts over
    # all conversations of a process.
    "CLAUDE_CODE_TOTAL_TOKENS_REMINDER": "off",
}

FAST_DELTAS = {
    "CLAUDE_CODE_PLAIN_DELTA_FAST_PATH": "1",
    "CLAUDE_CODE_PLAIN_DELTA_DIRECT_WRITE": "1",
    "CLAUDE_CODE_PLAIN_DELTA_TAKE_AT_SOURCE": "1",
}
"""Variables with which the CLI writes the same deltas for a third less CPU (2.1.332)."""

ISOLATION = {
    # For a CLI that opens an inbox despite CLAUDE_CODE_RESTRICTED.
    "crossSessionInbound": "refuse",
    "disableAllHooks": True,
}
"""Settings of every process. Only an administrator's settings take precedence."""


def build_environment(
    outer: Mapping[str, str], user: UserSettings | None = None, *, fast_deltas: bool = False
) -> dict[str, str]:
    """Build the environment of a CLI process from allowed variables and `SET`.

    An allowlist, because a server started from inside Claude Code must not inherit its session, and the CLI must not
    see other secrets. As in the CLI itself, the user's settings take precedence over `outer`.
    """
    variables = {**outer, **user.environment} if user else outer
    passed = {name: value for name, value in variables.items() if _is_passed(name.upper())}
    return {**passed, **SET, **(FAST_DELTAS if fast_deltas else {})}


def build_command(path: Path, user: UserSettings | None = None) -> list[str]:
    """Build the command line: no built-in tools, no settings files, no inbox.

    Of the user's settings only those that select the account are passed on.
    """
    settings = {**(user.account if user else {}), **ISOLATION}
    return [
        str(path),
        "-p",
        *("--input-format", "stream-json", "--output-format", "stream-json"),
        *("--verbose", "--include-partial-messages", "--thinking-display", "summarized"),
        *("--tools", "", "--strict-mcp-config", "--allowedTools", "mcp__client__*"),
        "--no-session-persistence",
        *("--setting-sources", "", "--settings", orjson.dumps(settings).decode()),
    ]


def _is_passed(name: str) -> bool:
    return name not in REFUSED and (name in PASSED or name.startswith(PASSED_PREFIXES))
