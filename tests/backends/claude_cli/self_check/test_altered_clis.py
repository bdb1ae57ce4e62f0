"""Each facility is lost to the CLI that does not have it, and no other one: none of the comparisons is superfluous."""

import os

import pytest

from server.backends.claude_cli.facilities import REQUIRED, Facility
from server.backends.claude_cli.self_check import workbench
from server.backends.claude_cli.self_check.dialogue import Lived, live
from server.backends.claude_cli.self_check.fast_paths import (
    check_cached_replay,
    check_dry_turn,
    check_fast_deltas,
    check_recycling,
    check_system_prompt,
)
from server.backends.claude_cli.self_check.requirements import check_requirements
from server.backends.claude_cli.self_check.run import judge, run_self_check
from server.backends.claude_cli.self_check.verdict import NotProven
from server.backends.claude_cli.self_check.workbench import Workbench
from tests.backends.claude_cli.self_check.altered_cli import write_altered_cli
from tests.systems import posix_only

posix = posix_only("a script as the program")

ENVIRONMENT = os.environ

REFUSES_TO_REWIND = """
def heard(line):
    if subtype(line) == "rewind_conversation":
        refuse(line, "Unsupported control request", error_code="unsupported_request")
        return []
    return [line]
"""
KEEPS_CONVERSATIONS = """
def heard(line):
    if subtype(line) == "rewind_conversation" and not state["failed"] and not state.get("kept"):
        state["kept"] = True
        answer(line, rewound=True)
        return []
    return [line]
"""
KEEPS_FAILED_TURNS = """
def heard(line):
    if line.get("type") == "user":
        state["text"] = line["message"]["content"][0].get("text")
    if subtype(line) == "rewind_conversation" and state["text"] == "self-check-canary":
        answer(line, rewound=True)
        return []
    return [line]
"""
IGNORES_SYSTEM_PROMPTS = """
def heard(line):
    if subtype(line) == "set_model":
        answer(line)
        return []
    return [line]
"""
TAKES_BACK_TOO_MUCH = """
def heard(line):
    if line.get("type") == "user" and "canary" not in json.dumps(line):
        state.setdefault("first", line["uuid"])
    if subtype(line) == "rewind_conversation" and "first" in state:
        line["request"]["target_message_uuid"] = state["first"]
    return [line]
"""
CHANGES_SYSTEM_PROMPTS_AT_FIRST_ONLY = """
def heard(line):
    state["asked"] = state.get("asked") or line.get("type") == "user"
    if subtype(line) == "set_model" and state["asked"]:
        answer(line)
        return []
    return [line]
"""
LOSES_FAST_DELTAS_FROM_THE_TRANSCRIPT = """
def heard(line):
    if line.get("type") == "user" and "CLAUDE_CODE_PLAIN_DELTA_FAST_PATH" in environment:
        line["message"]["content"][0]["text"] += " "
    return [line]
"""
ADDS_A_HEADER = """
environment["ANTHROPIC_CUSTOM_HEADERS"] = "x-more: 1"
"""
HANGS = """
def heard(line):
    return [] if subtype(line) == "rewind_conversation" else [line]
"""
DIES_OF_SYSTEM_PROMPTS = """
def heard(line):
    if subtype(line) == "set_model":
        process.kill()
    return [line]
"""
CHANGES_WHAT_FOLLOWS_A_FAILURE = """
def heard(line):
    if line.get("type") == "assistant" and state["failed"]:
        line["message"]["content"][-1]["text"] += "!"
    return [line]
"""
LOSES_FAST_DELTAS = """
def said(line):
    fast = "CLAUDE_CODE_PLAIN_DELTA_FAST_PATH" in environment
    lost = line.get("type") == "stream_event" and "text_delta" in json.dumps(line) and "quotes" in json.dumps(line)
    return [] if fast and lost else [line]
"""
HAS_ITS_OWN_TOOLS = """
def heard(line):
    if subtype(line) == "apply_flag_settings":
        variables = line["request"]["settings"]["env"]
        body = json.loads(variables["CLAUDE_CODE_EXTRA_BODY"])
        body.pop("tools", None)
        variables["CLAUDE_CODE_EXTRA_BODY"] = json.dumps(body) if body else ""
    return [line]
"""
CUTS_RESULTS_OF_CALLS = """
def heard(line):
    text = json.dumps(line)
    if line.get("type") == "control_response" and "what the tool has found" in text:
        line = json.loads(text.replace("what the tool has found", "what the"))
    return [line]
"""
OPENS_AN_INBOX = """
environment.pop("CLAUDE_CODE_RESTRICTED")
"""
LOADS_THE_USERS_SETTINGS = """
environment.pop("CLAUDE_CODE_RESTRICTED")
at = arguments.index("--setting-sources")
del arguments[at : at + 2]
"""
LOADS_MEMORY = """
memory = os.path.join(environment["CLAUDE_CONFIG_DIR"], "CLAUDE.md")

def heard(line):
    if subtype(line) == "initialize" and os.path.exists(memory):
        with open(memory, encoding="utf-8") as file:
            line["request"]["systemPrompt"].append(file.read())
    return [line]
"""
READS_NO_LOGIN = """
arguments.append("--bare")
"""
LOSES_RESULTS_IN_THE_HISTORY = """
def heard(line):
    if line.get("type") == "user" and line.get("shouldQuery") is False and "toolu_check_1" in json.dumps(line):
        line["message"]["content"][0]["content"] = "Lost."
    return [line]
"""


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """The priority of the check would make these tests slow on a busy machine."""
    monkeypatch.setattr(workbench, "NICENESS", 0)


@pytest.fixture
def alter(cli_path, tmp_path):
    """`alter(alterations)`: the real CLI with these."""
    return lambda alterations: write_altered_cli(tmp_path, cli_path, alterations)


@pytest.fixture
def bench(tmp_path):
    """`bench(program)`: where a program is checked."""
    return lambda program, **more: Workbench(program, tmp_path / "bench", ENVIRONMENT, **more)


def lost(verdicts):
    return {facility: verdict for facility, verdict in verdicts.items() if not verdict.proven}


async def check(program, tmp_path):
    verdicts = await run_self_check(program, tmp_path / "checks", ENVIRONMENT)
    assert verdicts.keys() == set(Facility)
    assert not list(tmp_path.glob("checks*")), "no file is left"
    return lost(verdicts)


async def test_the_real_one_has_every_facility(cli_path, tmp_path):
    found = await check(cli_path, tmp_path)
    assert not found, f"not proven: {found}"


@posix
@pytest.mark.parametrize(
    ("alterations", "facilities"),
    [
        pytest.param(REFUSES_TO_REWIND, {Facility.RECYCLE, Facility.DRY_TURN}, id="an older one"),
        pytest.param(KEEPS_CONVERSATIONS, {Facility.RECYCLE}, id="keeps conversations"),
        pytest.param(KEEPS_FAILED_TURNS, {Facility.DRY_TURN}, id="keeps failed turns"),
        pytest.param(IGNORES_SYSTEM_PROMPTS, {Facility.SYSTEM_PROMPT}, id="ignores system prompts"),
        pytest.param(CHANGES_WHAT_FOLLOWS_A_FAILURE, {Facility.CACHED_REPLAY}, id="changes what follows a failure"),
        pytest.param(LOSES_FAST_DELTAS, {Facility.FAST_DELTAS}, id="loses fast deltas"),
    ],
)
async def test_a_fast_path_is_lost_to_the_cli_that_has_it_not(alter, tmp_path, alterations, facilities):
    found = await check(alter(alterations), tmp_path)
    assert found.keys() == facilities, found
    assert all(verdict.conclusive and verdict.reason for verdict in found.values()), found


@posix
@pytest.mark.parametrize(
    ("alterations", "facilities"),
    [
        pytest.param(HAS_ITS_OWN_TOOLS, {Facility.TOOLS_IN_BODY}, id="own tools"),
        pytest.param(CUTS_RESULTS_OF_CALLS, {Facility.TOOLS}, id="cuts results"),
        pytest.param(OPENS_AN_INBOX, {Facility.CROSS_SESSION_REFUSAL}, id="inbox"),
        pytest.param(LOADS_THE_USERS_SETTINGS, {Facility.ISOLATION, Facility.CROSS_SESSION_REFUSAL}, id="settings"),
        pytest.param(LOADS_MEMORY, {Facility.ISOLATION}, id="memory"),
        pytest.param(READS_NO_LOGIN, {Facility.SIGN_IN}, id="no login"),
        pytest.param(LOSES_RESULTS_IN_THE_HISTORY, {Facility.RESUME}, id="history"),
    ],
)
async def test_what_requests_rely_on_is_lost_to_the_cli_that_does_it_not(alter, bench, alterations, facilities):
    verdicts = await check_requirements(bench(alter(alterations)))
    assert verdicts.keys() == REQUIRED
    found = lost(verdicts)
    assert found.keys() == facilities, found
    assert all(verdict.conclusive and verdict.reason for verdict in found.values()), found


@posix
@pytest.mark.parametrize(
    ("alterations", "check_one", "reason"),
    [
        pytest.param(TAKES_BACK_TOO_MUCH, check_recycling, "taken back by one turn", id="too much"),
        pytest.param(CHANGES_SYSTEM_PROMPTS_AT_FIRST_ONLY, check_system_prompt, "within the conversation", id="prompt"),
        pytest.param(LOSES_FAST_DELTAS_FROM_THE_TRANSCRIPT, check_fast_deltas, "with fast deltas", id="transcript"),
        pytest.param(ADDS_A_HEADER, check_cached_replay, "the header x-more", id="header"),
    ],
)
async def test_each_comparison_counts(alter, bench, cli_path, alterations, check_one, reason):
    lived = await live(bench(cli_path))
    await check_one(bench(cli_path), lived)
    with pytest.raises(NotProven, match=reason):
        await check_one(bench(alter(alterations)), lived)


@posix
async def test_a_death_is_no_lasting_verdict(alter, tmp_path):
    found = await check(alter(DIES_OF_SYSTEM_PROMPTS), tmp_path)
    assert found.keys() == {Facility.SYSTEM_PROMPT}, found
    assert not found[Facility.SYSTEM_PROMPT].conclusive


@posix
async def test_a_hang_is_no_lasting_verdict(alter, bench):
    """Whichever wait is the one that ends first on a busy machine."""
    slow = bench(alter(HANGS), silence_seconds=3.0)
    verdict = await judge(lambda: check_dry_turn(slow, Lived([], [])))
    assert (verdict.proven, verdict.conclusive) == (False, False)
    assert verdict.reason
