"""The environment and command line of a CLI process."""

from pathlib import Path

import orjson
import pytest

from server.backends.claude_cli.transport.command_line import FAST_DELTAS, SET, build_command, build_environment
from server.backends.claude_cli.transport.user_settings import UserSettings


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PATH",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "HTTPS_PROXY",
        "https_proxy",
        "no_proxy",
        "NODE_EXTRA_CA_CERTS",
        "XDG_CONFIG_HOME",
        "CLAUDE_CONFIG_DIR",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "AWS_PROFILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "VERTEX_REGION_CLAUDE_5_OPUS",
        "CLOUD_ML_REGION",
        "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
        "CLAUDE_CODE_API_KEY_HELPER_TTL_MS",
        # Windows spells them differently.
        "Path",
        "SystemRoot",
        "ComSpec",
        "windir",
        "AppData",
        "ProgramFiles(x86)",
        "UserProfile",
    ],
)
def test_what_the_cli_needs_is_passed_on(name):
    assert build_environment({name: "value"})[name] == "value"


@pytest.mark.parametrize(
    "name",
    [
        # A server started from inside Claude Code must not continue that session.
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_EXTRA_BODY",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
        "CLAUDE_CODE_SIMPLE",
        "DRAGOMAN_API_KEY",
        # Unrelated secrets.
        "OPENAI_API_KEY",
        "GITHUB_TOKEN",
        "SSH_AUTH_SOCK",
        "NPM_TOKEN",
        "DATABASE_URL",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        # Variables that change the executed program.
        "NODE_OPTIONS",
        "BUN_OPTIONS",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "DYLD_INSERT_LIBRARIES",
        "MAX_THINKING_TOKENS",
        # Its log would be mixed with the lines of the protocol.
        "ANTHROPIC_LOG",
        "MY_HOME",
        "HOME_DIRECTORY",
        "",
    ],
)
def test_everything_else_is_not(name):
    assert build_environment({name: "value"}) == SET


@pytest.mark.parametrize("name", SET)
def test_what_is_set_goes_before_what_is_there(name):
    assert build_environment({name: "somebody's"})[name] == SET[name]


def test_the_outer_environment_is_left_alone():
    outer = {"HOME": "/home/me", "CLAUDECODE": "1"}
    build_environment(outer)["HOME"] = "elsewhere"
    assert outer == {"HOME": "/home/me", "CLAUDECODE": "1"}


def options(line):
    """The options of a command line with their arguments."""
    found = {}
    for word in line[1:]:
        if word.startswith("-"):
            found[word] = []
        else:
            found[list(found)[-1]].append(word)
    return found


USER = UserSettings(
    account={"apiKeyHelper": "/bin/key", "crossSessionInbound": "accept"},
    environment={"AWS_REGION": "of the user", "MAX_THINKING_TOKENS": "1", "ENABLE_TOOL_SEARCH": "true"},
)


def test_of_the_users_settings_the_same_variables_are_passed_on():
    assert build_environment({"AWS_REGION": "outer"}, USER) == {"AWS_REGION": "of the user", **SET}


@pytest.mark.parametrize("user", [None, USER])
def test_the_cli_has_no_tools_of_its_own_and_keeps_no_record(user):
    line = build_command(Path("/opt/claude"), user)
    given = options(line)
    assert line[0] == str(Path("/opt/claude"))
    assert given["--tools"] == [""]
    assert given["--allowedTools"] == ["mcp__client__*"]
    assert given["--input-format"] == given["--output-format"] == ["stream-json"]
    assert {"-p", "--strict-mcp-config", "--no-session-persistence", "--include-partial-messages"} <= given.keys()


def test_no_file_of_settings_is_read_and_nobody_gets_in():
    without = options(build_command(Path("claude")))
    assert without["--setting-sources"] == [""]
    assert orjson.loads(without["--settings"][0]) == {"crossSessionInbound": "refuse", "disableAllHooks": True}
    with_settings = options(build_command(Path("claude"), USER))
    assert with_settings["--setting-sources"] == [""]
    assert orjson.loads(with_settings["--settings"][0]) == {
        "apiKeyHelper": "/bin/key",
        "crossSessionInbound": "refuse",
        "disableAllHooks": True,
    }


def test_the_fast_path_for_deltas_is_on_request_only():
    assert not FAST_DELTAS.keys() & build_environment({}).keys()
    assert FAST_DELTAS.items() <= build_environment({}, fast_deltas=True).items()
