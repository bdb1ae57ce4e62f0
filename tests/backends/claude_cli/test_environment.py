"""What a CLI process sees of this program's environment, and how it is called."""

from pathlib import Path

import pytest

from server.backends.claude_cli.environment import SET, command, environment


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
        # Windows writes them in its own way.
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
    assert environment({name: "value"})[name] == "value"


@pytest.mark.parametrize(
    "name",
    [
        # A server that was started from inside Claude Code must not go on with that session.
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_EXTRA_BODY",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
        "CLAUDE_CODE_SIMPLE",
        "CLAUDE_CODE_TRAY_API_KEY",
        # None of its business.
        "OPENAI_API_KEY",
        "GITHUB_TOKEN",
        "SSH_AUTH_SOCK",
        "NPM_TOKEN",
        "DATABASE_URL",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        # What changes the program that is run.
        "NODE_OPTIONS",
        "BUN_OPTIONS",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "DYLD_INSERT_LIBRARIES",
        "MAX_THINKING_TOKENS",
        "MY_HOME",
        "HOME_DIRECTORY",
        "",
    ],
)
def test_everything_else_is_not(name):
    assert environment({name: "value"}) == SET


@pytest.mark.parametrize("name", SET)
def test_what_is_set_goes_before_what_is_there(name):
    assert environment({name: "somebody's"})[name] == SET[name]


def test_the_outer_environment_is_left_alone():
    outer = {"HOME": "/home/me", "CLAUDECODE": "1"}
    environment(outer)["HOME"] = "elsewhere"
    assert outer == {"HOME": "/home/me", "CLAUDECODE": "1"}


def options(line):
    """The options of a command line, each with the words that follow it."""
    found = {}
    for word in line[1:]:
        if word.startswith("-"):
            found[word] = []
        else:
            found[list(found)[-1]].append(word)
    return found


@pytest.mark.parametrize("load", [False, True])
def test_the_cli_has_no_tools_of_its_own_and_keeps_no_record(load):
    line = command(Path("/opt/claude"), load_user_settings=load)
    given = options(line)
    assert line[0] == str(Path("/opt/claude"))
    assert given["--tools"] == [""]
    assert given["--allowedTools"] == ["mcp__client__*"]
    assert given["--input-format"] == given["--output-format"] == ["stream-json"]
    assert {"-p", "--strict-mcp-config", "--no-session-persistence", "--include-partial-messages"} <= given.keys()


def test_the_persons_settings_are_read_only_on_demand_and_never_their_hooks():
    without = options(command(Path("claude"), load_user_settings=False))
    assert without["--setting-sources"] == [""]
    with_settings = options(command(Path("claude"), load_user_settings=True))
    assert with_settings["--setting-sources"] == ["user"]
    assert with_settings["--settings"] == ['{"disableAllHooks":true}']
