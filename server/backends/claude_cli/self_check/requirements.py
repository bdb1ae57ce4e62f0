"""The checks of what every request relies on, in the home of a user with a plan and many settings."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import orjson

from server.backends.claude_cli.chat.replay import ReplayTurn
from server.backends.claude_cli.facilities import Facility
from server.backends.claude_cli.self_check.answers import answer_with_call, answer_with_text
from server.backends.claude_cli.self_check.api_stub import RecordedRequest
from server.backends.claude_cli.self_check.dialogue import MODEL, PAST, REQUEST, TOOLS, TURNS
from server.backends.claude_cli.self_check.driven_process import DrivenProcess
from server.backends.claude_cli.self_check.verdict import PROVEN, NotProven, Verdict
from server.backends.claude_cli.self_check.workbench import DUMMY_KEY, Home, Workbench, write_file
from server.backends.claude_cli.transport.mcp_tools import PREFIX, prefixed_definitions
from server.backends.claude_cli.transport.probe import parse_probe
from server.core.errors import DragomanError
from server.core.messages import Block, text_block

TOKEN = "sk-ant-oat01-self-check"  # noqa: S105
CREDENTIALS = {
    "claudeAiOauth": {
        "accessToken": TOKEN,
        "refreshToken": "sk-ant-ort01-self-check",
        "expiresAt": 4_102_444_800_000,
        "scopes": ["user:inference", "user:profile"],
        "subscriptionType": "max",
    }
}
"""A login that no service knows; it expires in the year 2100."""
CANARY = "user-canary"
"""A word of the user's configuration, which no request may have."""
RESULT = "what the tool has found"
CALL = "toolu_check_2"
QUESTION = "What is next?"
HISTORY = (ReplayTurn("user", [text_block(TURNS[0].question)]), *PAST)
RECORD_POLLS = 50


async def check_requirements(bench: Workbench) -> dict[Facility, Verdict]:
    """The verdicts on everything in `REQUIRED`. Raises what `DrivenProcess` raises."""
    verdicts: dict[Facility, Verdict] = {}
    try:
        verdicts |= await _check_user(bench, None)
        verdicts[Facility.SIGN_IN] = PROVEN
    except NotSignedIn as error:
        # The rest is still to be judged, with an account that needs no login.
        verdicts |= await _check_user(bench, DUMMY_KEY)
        verdicts[Facility.SIGN_IN] = Verdict(False, str(error))
    return verdicts


class NotSignedIn(NotProven):
    """The login of the made-up user was not read."""


async def _check_user(bench: Workbench, key: str | None) -> dict[Facility, Verdict]:
    """Hold a conversation in the user's home, and judge what the API and the program got of it."""
    home = bench.add_home(key=key)
    await asyncio.to_thread(_fill_home, home)
    async with home.start_process() as process:
        account = await process.initialize(REQUEST)
        if not parse_probe(account).signed_in:
            raise NotSignedIn("the login in the configuration folder is not read")
        failures = await _talk(process)
        if not process.requests:
            raise NotSignedIn(f"no request is made with a plan's login: {failures[Facility.TOOLS].reason}")
        first = process.requests[0]
        if key is None and first.headers.get("authorization") != f"Bearer {TOKEN}":
            raise NotSignedIn("requests do not carry a plan's login")
        marks = await asyncio.to_thread(_find_marks, home)
        record = await _wait_for_record(home)
        reasons = {
            Facility.RESUME: _judge_history(first),
            Facility.TOOLS_IN_BODY: _judge_definitions(first),
            Facility.TOOLS: _judge_results(process.requests),
            Facility.ISOLATION: _judge_isolation(process, marks),
            Facility.CROSS_SESSION_REFUSAL: _judge_record(record),
        }
    return {one: Verdict(not reason, reason) for one, reason in reasons.items()} | failures


async def _talk(process: DrivenProcess) -> dict[Facility, Verdict]:
    """Replay the history, and ask for a tool call. Returns what failed on the way."""
    failures: dict[Facility, Verdict] = {}
    try:
        await process.replay(HISTORY, MODEL)
    except NotProven as error:
        failures[Facility.RESUME] = Verdict(False, str(error))
    call = answer_with_call("msg_check_5", CALL, f"{PREFIX}alpha", ['{"a"', ": 1}"])
    try:
        await process.ask(QUESTION, call, answer_with_text("msg_check_6", "Done."), results={CALL: RESULT})
    except NotProven as error:
        failures[Facility.TOOLS] = Verdict(False, str(error))
    except DragomanError as error:
        if not process.requests:
            raise
        failures[Facility.TOOLS] = Verdict(False, error.message, conclusive=False)
    return failures


def _fill_home(home: Home) -> None:
    """Write a login, and settings, memory, hooks and servers that leave their canary where they are loaded."""
    if home.key is None:
        home.write_config(".credentials.json", CREDENTIALS)
    mark = str(home.path / f"hook-{CANARY}")
    hook = [{"hooks": [{"type": "command", "command": f'echo {CANARY} && echo x > "{mark}"'}]}]
    variables = {
        "ANTHROPIC_CUSTOM_HEADERS": f"x-{CANARY}: 1",
        "CLAUDE_CODE_EXTRA_BODY": f'{{"metadata": {{"user_id": "{CANARY}"}}}}',
    }
    settings = {
        "hooks": {"SessionStart": hook, "UserPromptSubmit": hook},
        "env": variables,
        "outputStyle": CANARY,
        "language": CANARY,
    }
    server = {"type": "stdio", "command": "git", "args": ["init", str(home.path / f"server-{CANARY}")]}
    home.write_config("settings.json", settings)
    home.write_config(
        ".claude.json",
        {
            **orjson.loads((home.config / ".claude.json").read_bytes()),
            "mcpServers": {CANARY: server},
            "projects": {str(home.bench.work): {"hasTrustDialogAccepted": True, "mcpServers": {CANARY: server}}},
        },
    )
    style = f"---\nname: {CANARY}\ndescription: {CANARY}\n---\n{CANARY}\n".encode()
    for name in (f"output-styles/{CANARY}.md", f"skills/{CANARY}/SKILL.md", f"agents/{CANARY}.md", "CLAUDE.md"):
        write_file(home.config / name, style)


def _find_marks(home: Home) -> list[str]:
    """What hooks and servers of the user have left."""
    return sorted(path.name for path in home.path.glob(f"*-{CANARY}"))


async def _wait_for_record(home: Home) -> dict[str, Any]:
    """The session record of the home's one process, written soon after its start; empty if there is none."""
    for _ in range(RECORD_POLLS):
        for file in (home.config / "sessions").glob("*.json"):
            with suppress(OSError, ValueError, TypeError):
                return dict(orjson.loads(file.read_bytes()))
        await asyncio.sleep(0.1)
    return {}


def _judge_history(request: RecordedRequest) -> str:
    """Why the replayed history was not sent as it is; empty if it was."""
    expected = [(turn.role, list(map(_without_marks, turn.content))) for turn in HISTORY]
    expected.append(("user", [text_block(QUESTION)]))
    if list(_conversation(request)) != expected:
        return "a replayed history is not sent with its roles, calls and results"
    return ""


def _conversation(request: RecordedRequest) -> Iterator[tuple[str, list[Block]]]:
    """The turns without those of the CLI itself."""
    for message in request.body["messages"]:
        content = message["content"]
        if message["role"] != "system":
            blocks = [text_block(content)] if isinstance(content, str) else content
            yield message["role"], [_without_marks(block) for block in blocks if not _is_reminder(block)]


def _is_reminder(block: Block) -> bool:
    return str(block.get("text", "")).startswith("<system-reminder>")


def _without_marks(block: Block) -> Block:
    return {name: value for name, value in block.items() if name != "cache_control"}


def _judge_definitions(request: RecordedRequest) -> str:
    if request.body.get("tools") != prefixed_definitions(TOOLS):
        return "tool definitions are not sent as the client wrote them"
    return ""


def _judge_results(requests: Sequence[RecordedRequest]) -> str:
    """Why the result of the held call did not reach the API; empty if it did."""
    turns = list(_conversation(requests[-1]))
    blocks = [block for role, content in turns[-2:] if role == "user" for block in content]
    results = [block for block in blocks if block.get("tool_use_id") == CALL]
    if len(requests) != 2 or not results or results[-1].get("content") not in (RESULT, [text_block(RESULT)]):
        return "the result of a tool call does not reach the model"
    return ""


def _judge_isolation(process: DrivenProcess, marks: Sequence[str]) -> str:
    for request in process.requests:
        if CANARY.encode() in request.raw or any(CANARY in f"{pair}" for pair in request.headers.items()):
            return "the user's settings or memory reach the model"
    if marks:
        return f"the user's hooks or MCP servers are started ({', '.join(marks)})"
    return ""


def _judge_record(record: dict[str, Any]) -> str:
    if "messagingSocketPath" in record:
        return "an inbox is opened for the user's other sessions"
    return ""
