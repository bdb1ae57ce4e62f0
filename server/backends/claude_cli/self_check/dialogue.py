"""The words of the checks: two turns with a system prompt, and how a process without `Conversation` is driven."""

import asyncio
from typing import Any

from server.backends.claude_cli.chat.parameters import UNREACHABLE_URL, flag_settings
from server.backends.claude_cli.self_check.api_stub import ApiStub, RecordedRequest, text_answer
from server.backends.claude_cli.self_check.verdict import NotProven
from server.backends.claude_cli.self_check.workbench import Home
from server.backends.claude_cli.transport.channel import Channel, TurnItem
from server.backends.claude_cli.transport.wire import Result
from server.core.errors import ProcessDied
from server.core.messages import Message, MessagesRequest, StreamEvent, text_block

MODEL = "claude-opus-5-5"
SYSTEM = "Answer as the checks of the command line do.\n\n  Keep white space. "
QUESTION = "What is checked here?"
SECOND_QUESTION = "And what comes after it?"
ANSWER = ("The ", "requests, ", 'with "quotes", ', "d\u00e9j\u00e0 vu \U0001f409,\n", "and line breaks.")
THINKING = ("Let me ", "see.")
TURN_SECONDS = 20.0


def make_request(*messages: Message, **changes: Any) -> MessagesRequest:
    """The request of the checks with these messages."""
    request = MessagesRequest(MODEL, MODEL, messages or (user_turn(QUESTION),), system=(SYSTEM,), max_tokens=2000)
    return request.with_changes(**changes)


def user_turn(text: str) -> Message:
    """A user's turn of one text."""
    return {"role": "user", "content": [text_block(text)]}


def assistant_turn(*texts: str) -> Message:
    """An assistant's turn of one text."""
    return {"role": "assistant", "content": [text_block("".join(texts))]}


def second_request(**changes: Any) -> MessagesRequest:
    """The request that continues the first one after its answer."""
    return make_request(user_turn(QUESTION), assistant_turn(*ANSWER), user_turn(SECOND_QUESTION), **changes)


def scripted_answer() -> list[StreamEvent]:
    """The answer to the first question."""
    return text_answer(*ANSWER, thinking=THINKING)


async def record_lived(home: Home, **variables: str) -> tuple[list[RecordedRequest], list[StreamEvent]]:
    """Hold both turns on a fresh process. Returns its requests, and the events of the first answer."""
    async with home.open_conversation(**variables) as checked:
        checked.stub.answers.append(scripted_answer())
        answer = await checked.ask(make_request())
        await checked.ask(second_request())
        return checked.stub.requests, answer.events


class DrivenProcess:
    """A process that is driven by the protocol alone, for requests that `Conversation` does not make."""

    def __init__(self, stub: ApiStub, channel: Channel) -> None:
        self.stub = stub
        self.channel = channel
        self._last_line = ""

    async def initialize(self, *system: str, snapshot: bool = True) -> None:
        """Send the system prompt as for any process; without `snapshot`, it can be changed later."""
        options: dict[str, Any] = {} if snapshot else {"systemPromptSnapshot": False}
        await self.channel.request_control(
            "initialize", systemPrompt=list(system), sdkMcpServers=[], sdkMcpServerManifests={}, hooks=None, **options
        )

    async def set_flags(self, request: MessagesRequest, *, reachable: bool = True) -> None:
        """Send a request's settings, with the stub as the API or an address that leads nowhere."""
        flags = flag_settings(request, self.stub.url if reachable else UNREACHABLE_URL)
        await self.channel.request_control("apply_flag_settings", settings=flags)

    async def set_system_prompt(self, text: str) -> None:
        """Replace the system prompt, and nothing else."""
        await self.channel.request_control("set_model", model=MODEL, system_prompt=text, only_if_model_is_current=True)

    async def ask(self, text: str) -> list[TurnItem]:
        """Run a turn. Returns its items, whose last one is the result. Raises `ProcessDied`, `UpstreamTimeout`."""
        self._last_line = self.channel.start_turn([text_block(text)])
        items: list[TurnItem] = []
        while not items or not isinstance(items[-1], Result):
            items.append(await self.channel.next_item(TURN_SECONDS))
            if isinstance(items[-1], ProcessDied):
                raise items[-1]
        self.channel.end_turn()
        return items

    async def ask_nobody(self, request: MessagesRequest, text: str) -> str:
        """Run a turn at an address that leads nowhere, and restore the settings. Returns the line's uuid."""
        await self.set_flags(request, reachable=False)
        sent_before = len(self.stub.requests)
        items = await self.ask(text)
        await self.set_flags(request)
        if not isinstance(items[-1], Result) or not items[-1].is_error or len(self.stub.requests) > sent_before:
            raise NotProven("the API was asked although its address leads nowhere")
        return self._last_line

    async def ask_and_get_uuid(self, text: str) -> str:
        """Run a turn. Returns the uuid of its line."""
        await self.ask(text)
        return self._last_line

    async def rewind(self, uuid: str) -> None:
        """Take the conversation back to before a user line. Raises `NotProven`."""
        answer = await self.channel.request_control(
            "rewind_conversation",
            target_message_uuid=uuid,
            last_seen_user_message_uuid=self._last_line,
            interrupt_if_running=True,
        )
        if answer.get("rewound") is not True:
            raise NotProven(f"rewind_conversation was not done: {answer.get('reason') or 'no reason given'}")


def compare_requests(expected: RecordedRequest, got: RecordedRequest, name: str) -> None:
    """Raise `NotProven` unless two requests are equal, less the session."""
    if expected.comparable_body() != got.comparable_body():
        raise NotProven(f"{name} differs in {_first_difference(expected.body, got.body)}")
    if expected.comparable_headers() != got.comparable_headers():
        differing = expected.comparable_headers().items() ^ got.comparable_headers().items()
        raise NotProven(f"{name} differs in the header {min(differing)[0]}")


def _first_difference(expected: Any, got: Any, path: str = "") -> str:
    """The path of the first difference between two JSON values."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            if key not in expected or key not in got or expected[key] != got[key]:
                inner = expected.get(key), got.get(key)
                return _first_difference(*inner, f"{path}.{key}" if path else str(key))
    if isinstance(expected, list) and isinstance(got, list):
        for index, (old, new) in enumerate(zip(expected, got, strict=False)):
            if old != new:
                return _first_difference(old, new, f"{path}[{index}]")
        return f"the length of {path}" if len(expected) != len(got) else f"the spelling of {path}"
    return path or "the spelling of the body"


async def gather_both(*work: Any) -> list[Any]:
    """Run two processes at once; if one fails, the other ends before the error is raised."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
    return [task.result() for task in tasks]
