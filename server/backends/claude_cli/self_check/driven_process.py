"""A process that is driven by the protocol alone, for requests that conversations do not make."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from server.backends.claude_cli.chat.parameters import UNREACHABLE_URL, flag_settings
from server.backends.claude_cli.chat.replay import ReplayTurn
from server.backends.claude_cli.self_check.api_stub import Answer, ApiStub, RecordedRequest
from server.backends.claude_cli.self_check.verdict import NotProven
from server.backends.claude_cli.transport import mcp_tools as mcp
from server.backends.claude_cli.transport.channel import Channel, TurnItem
from server.backends.claude_cli.transport.wire import Result, Streamed
from server.core.errors import ProcessDied, UpstreamFailed, UpstreamTimeout
from server.core.messages import Block, MessagesRequest, stop_reason_of, text_block


class DrivenProcess:
    """One process and the stub that it talks to.

    The methods raise `NotProven` if the CLI refuses, and `ProcessDied` or `UpstreamTimeout` if it does not answer
    within `silence_seconds`.
    """

    def __init__(self, stub: ApiStub, channel: Channel, silence_seconds: float) -> None:
        self.stub = stub
        self.channel = channel
        self._silence_seconds = silence_seconds
        self._last_line = ""

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests to the API so far."""
        return self.stub.requests

    async def initialize(self, request: MessagesRequest, *, snapshot: bool = True) -> dict[str, Any]:
        """Send system prompt and tools as for any process; without `snapshot` the prompt can be changed later."""
        self.channel.tools = tools = list(request.tools)
        answer = await self._control(
            "initialize",
            systemPrompt=list(request.system),
            sdkMcpServers=[mcp.SERVER] if tools else [],
            sdkMcpServerManifests=mcp.server_manifest(tools) if tools else {},
            hooks=None,
            **({} if snapshot else {"systemPromptSnapshot": False}),
        )
        await self.set_flags(request)
        return answer

    async def set_flags(self, request: MessagesRequest, *, reachable: bool = True) -> None:
        """Send a request's settings, with the stub as the API or an address that leads nowhere."""
        flags = flag_settings(request, self.stub.url if reachable else UNREACHABLE_URL)
        await self._control("apply_flag_settings", settings=flags)

    async def set_system_prompt(self, model: str, text: str) -> None:
        """Replace the system prompt, and nothing else."""
        await self._control("set_model", model=model, system_prompt=text, only_if_model_is_current=True)

    async def ask(self, text: str, *answers: Answer, results: Mapping[str, str] = {}) -> tuple[str, list[TurnItem]]:
        """Run a turn in which the API gives these answers, and held calls get these results, by their ids.

        Returns the line's uuid and the turn's items.
        """
        self.stub.answers.extend(answers)
        line = self._start(text)
        items: list[TurnItem] = []
        while not items or not isinstance(items[-1], Result):
            items.append(await self._next_item())
            if results and _calls_tools(items):
                self.channel.give_results([_tool_result(call, results[call]) for call in results])
        self.channel.end_turn()
        if len(answers) and (items[-1].is_error or self.stub.answers):
            self.stub.answers.clear()
            raise NotProven(f"a turn failed: {items[-1].text or 'the API was not asked'}")
        return line, items

    async def ask_nobody(self, request: MessagesRequest, text: str) -> str:
        """Run a turn at an address that leads nowhere, and restore the settings. Returns the line's uuid."""
        sent_before = len(self.requests)
        await self.set_flags(request, reachable=False)
        line, items = await self.ask(text)
        await self.set_flags(request)
        result = items[-1]
        if not isinstance(result, Result) or not result.is_error or len(self.requests) > sent_before:
            raise NotProven("the API was asked although its address leads nowhere")
        return line

    async def begin_answer(self, text: str, answer: Answer) -> str:
        """Start a turn, and return in the middle of its answer, which does not end. Returns the line's uuid."""
        self.stub.answers.append(answer)
        line = self._start(text)
        while not isinstance(item := await self._next_item(), Streamed) or "delta" not in item.event:
            if isinstance(item, Result):
                raise NotProven("a turn ended in the middle of its answer")
        return line

    async def begin_call(self, text: str, answer: Answer) -> str:
        """Start a turn, and return while its tool call waits for a result. Returns the line's uuid."""
        self.stub.answers.append(answer)
        line = self._start(text)
        items: list[TurnItem] = []
        while not _calls_tools(items):
            items.append(await self._next_item())
            if isinstance(items[-1], Result):
                raise NotProven("a tool call did not wait for its result")
        return line

    async def rewind(self, line: str) -> None:
        """Take the conversation back to before a user line, also in the middle of a turn."""
        answer = await self._control(
            "rewind_conversation",
            target_message_uuid=line,
            last_seen_user_message_uuid=self._last_line,
            interrupt_if_running=True,
        )
        if answer.get("rewound") is not True:
            raise NotProven(f"a conversation was not taken back: {answer.get('reason') or 'no reason given'}")
        self.channel.end_turn()

    async def replay(self, turns: Sequence[ReplayTurn], model: str) -> None:
        """Add past turns to the transcript."""
        for turn in turns:
            if turn.role == "assistant":
                self.channel.replay_assistant(turn.content, model)
                continue
            try:
                await asyncio.wait_for(self.channel.replay_user(turn.content), self._silence_seconds)
            except TimeoutError:
                raise UpstreamTimeout("a past turn got no receipt") from None
            except UpstreamFailed as error:
                raise NotProven(f"a past turn was refused: {error.message}") from error

    async def _control(self, subtype: str, **fields: Any) -> dict[str, Any]:
        try:
            return await asyncio.wait_for(self.channel.request_control(subtype, **fields), self._silence_seconds)
        except TimeoutError:
            raise UpstreamTimeout(f"{subtype} got no answer") from None
        except UpstreamFailed as error:
            raise NotProven(f"{subtype} was refused") from error

    def _start(self, text: str) -> str:
        self._last_line = self.channel.start_turn([text_block(text)])
        return self._last_line

    async def _next_item(self) -> TurnItem:
        item = await self.channel.next_item(self._silence_seconds)
        if isinstance(item, ProcessDied):
            raise item
        return item


def _calls_tools(items: Sequence[TurnItem]) -> bool:
    """Whether the latest item ends a message that calls tools."""
    events = [item.event for item in items if isinstance(item, Streamed)]
    return (
        len(events) > 1
        and isinstance(items[-1], Streamed)
        and events[-1]["type"] == "message_stop"
        and stop_reason_of(events[-2]) == "tool_use"
    )


def _tool_result(call: str, text: str) -> Block:
    return {"type": "tool_result", "tool_use_id": call, "content": text}
