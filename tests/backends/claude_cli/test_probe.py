"""The CLI's report: a recorded answer, and the real program."""

import psutil
import pytest

from server.backends.claude_cli.transport.probe import parse_probe, run_probe
from server.core.errors import CliNotFound, ProcessDied
from server.models.info import ModelInfo
from tests.systems import posix_only

posix = posix_only("a script as the program")

LEVELS = ["low", "medium", "high", "xhigh", "max"]

# From CLI 2.1.330, abridged.
RECORDED = {
    "models": [
        {
            "value": "default",
            "resolvedModel": "claude-opus-5-5",
            "displayName": "Default (recommended)",
            "description": "Use the default model (currently Opus 5.5) · $4/$20 per Mtok",
            "supportedEffortLevels": LEVELS,
            "supportsThinkingOff": False,
        },
        {
            "value": "opus",
            "resolvedModel": "claude-opus-5-5",
            "displayName": "Opus",
            "description": "Opus 5.5 · Best for everyday, complex tasks · $4/$20 per Mtok",
            "supportedEffortLevels": LEVELS,
            "supportsThinkingOff": False,
        },
        {
            "value": "haiku",
            "resolvedModel": "claude-haiku-5-5",
            "displayName": "Haiku",
            "description": "Haiku 5.5 · Fastest for quick answers",
            "supportedEffortLevels": LEVELS,
            "supportsThinkingOff": False,
        },
    ],
    "account": {"tokenSource": "none", "apiKeySource": "ANTHROPIC_API_KEY", "apiProvider": "firstParty"},
    "claude_code_version": "2.1.330",
    "capabilities": ["ui_surface_v1"],
}


def test_a_recorded_answer():
    found = parse_probe(RECORDED)
    assert found.version == "2.1.330"
    assert found.account == RECORDED["account"]
    assert found.models[0] == ModelInfo(
        id="claude-opus-5-5",
        name="opus",
        display_name="Opus",
        description="Opus 5.5 · Best for everyday, complex tasks · $4/$20 per Mtok",
        effort_levels=tuple(LEVELS),
        supports_thinking_off=False,
        is_default=True,
    )


def test_each_model_is_there_once_and_one_is_the_default():
    models = parse_probe(RECORDED).models
    assert [(model.name, model.is_default) for model in models] == [("opus", True), ("haiku", False)]


def test_an_older_cli_says_less():
    found = parse_probe({"models": [{"value": "sonnet"}]})
    assert [(model.id, model.name, model.effort_levels) for model in found.models] == [("sonnet", "sonnet", ())]
    assert (found.version, found.account, found.signed_in) == ("", {}, False)
    assert parse_probe({}).models == ()


@pytest.mark.parametrize(
    ("account", "signed_in"),
    [
        ({"tokenSource": "none", "apiKeySource": "none", "apiProvider": "firstParty"}, False),
        ({"tokenSource": "none", "apiKeySource": "ANTHROPIC_API_KEY"}, True),
        ({"tokenSource": "claude.ai", "email": "me@example.com"}, True),
        ({"apiKeySource": "apiKeyHelper"}, True),
        ({"subscriptionType": "Claude Max", "apiProvider": "firstParty"}, True),
        # The CLI does not know whether the cloud's login works.
        ({"apiProvider": "bedrock"}, True),
        ({"apiProvider": "vertex", "tokenSource": "none"}, True),
        ({"apiProvider": "firstParty"}, False),
        ({"tokenSource": ""}, False),
        ({}, False),
        (None, False),
    ],
    ids=str,
)
def test_who_is_signed_in(account, signed_in):
    assert parse_probe({"account": account}).signed_in is signed_in


async def test_the_real_cli(cli_path, claude_environment, simulator, tmp_path):
    before = set(psutil.Process().children())
    found = await run_probe(cli_path, tmp_path, claude_environment)
    assert set(psutil.Process().children()) <= before
    assert found.version.count(".") == 2
    assert found.signed_in is True
    assert found.account["apiKeySource"] == "ANTHROPIC_API_KEY"
    assert sum(model.is_default for model in found.models) == 1
    assert all(model.id.startswith("claude-") for model in found.models)
    assert simulator.messages_calls == []


@posix
async def test_nobody_is_signed_in(cli_path, claude_environment, tmp_path):
    nobody = {name: value for name, value in claude_environment.items() if name != "ANTHROPIC_API_KEY"}
    found = await run_probe(cli_path, tmp_path, nobody)
    assert found.signed_in is False
    assert found.models


async def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(CliNotFound, match="could not be started"):
        await run_probe(tmp_path / "claude", tmp_path, {})


@posix
async def test_a_program_that_is_something_else(tmp_path):
    other = tmp_path / "claude"
    other.write_text("#!/bin/sh\necho 'claude: no such option' >&2\nexit 64\n")
    other.chmod(0o755)
    with pytest.raises(ProcessDied, match="no such option") as caught:
        await run_probe(other, tmp_path, {})
    assert caught.value.exit_code == 64
