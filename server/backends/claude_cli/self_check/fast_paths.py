"""The checks of fast paths: each process must send and say the same, byte for byte, as one without them."""

from collections.abc import Awaitable, Callable, Mapping

from server.backends.claude_cli.facilities import Facility
from server.backends.claude_cli.self_check.answers import answer_with_call, answer_with_text, answer_without_end
from server.backends.claude_cli.self_check.api_stub import RecordedRequest
from server.backends.claude_cli.self_check.comparison import compare_dialogues, compare_requests, compare_turns
from server.backends.claude_cli.self_check.dialogue import (
    MODEL,
    OTHER_SYSTEM,
    PAST,
    REQUEST,
    SYSTEM,
    TURNS,
    Lived,
    hold_turns,
    live,
)
from server.backends.claude_cli.self_check.driven_process import DrivenProcess
from server.backends.claude_cli.self_check.workbench import Workbench
from server.backends.claude_cli.transport.command_line import FAST_DELTAS
from server.backends.claude_cli.transport.mcp_tools import PREFIX

CANARY = "self-check-canary"
"""A word of conversations that were taken back."""

FastPathCheck = Callable[[Workbench, Lived], Awaitable[None]]
"""Raises `NotProven` if a process differs from the one that has lived the dialogue."""


async def check_dry_turn(bench: Workbench, lived: Lived) -> None:
    """A failed turn that was taken back leaves no trace."""
    async with bench.start_process() as process:
        await process.initialize(REQUEST, snapshot=False)
        await process.rewind(await process.ask_nobody(REQUEST, CANARY))
        await hold_turns(process)
        compare_dialogues(lived.requests, process.requests, "after a dry turn")


async def check_recycling(bench: Workbench, lived: Lived) -> None:
    """A process is as new after conversations of every kind, and a conversation loses only its end."""
    async with bench.start_process() as process:
        await process.initialize(REQUEST, snapshot=False)
        await _live_and_rewind(process)
        sent = len(process.requests)
        first, _ = await process.ask(TURNS[0].question, *TURNS[0].answers)
        second, _ = await process.ask(TURNS[1].question, *TURNS[1].answers, results=TURNS[1].results)
        compare_dialogues(lived.requests[:3], process.requests[sent:], "on a recycled process")
        await process.rewind(second)
        sent = len(process.requests)
        await hold_turns(process, first=1)
        compare_dialogues(lived.requests[1:], process.requests[sent:], "of a conversation taken back by one turn")
        await process.rewind(first)
        sent = len(process.requests)
        await hold_turns(process)
        compare_dialogues(lived.requests, process.requests[sent:], "of a conversation taken back to its beginning")


async def _live_and_rewind(process: DrivenProcess) -> None:
    """Hold conversations that end in every way, with other parameters, and take each back."""
    other = REQUEST.with_changes(max_tokens=3000, effort="low", stop_sequences=(CANARY,))
    await process.set_flags(other)
    answer = answer_with_text("msg_canary_1", CANARY, thinking=(CANARY,))
    line, _ = await process.ask(f"{CANARY} 1", answer)
    await process.ask(f"{CANARY} 2", answer_with_text("msg_canary_2", CANARY))
    await process.rewind(line)
    call = answer_with_call("msg_canary_3", "toolu_canary", f"{PREFIX}zeta", [f'{{"{CANARY}": 1}}'])
    await process.rewind(await process.begin_call(f"{CANARY} 3", call))
    await process.rewind(await process.begin_answer(f"{CANARY} 4", answer_without_end("msg_canary_4", CANARY)))
    await process.set_flags(REQUEST)


async def check_system_prompt(bench: Workbench, lived: Lived) -> None:
    """A replaced system prompt is sent as one that was there from the start, and changes nothing else."""
    async with bench.start_process() as process:
        await process.initialize(REQUEST.with_changes(system=(OTHER_SYSTEM,)), snapshot=False)
        await process.set_system_prompt(MODEL, SYSTEM)
        for turn in TURNS[:2]:
            await process.ask(turn.question, *turn.answers, results=turn.results)
        compare_dialogues(lived.requests[:3], process.requests, "after a change of the system prompt")
        await process.set_system_prompt(MODEL, OTHER_SYSTEM)
        await hold_turns(process, first=2)
        expected = _with_system(lived.requests[-1], OTHER_SYSTEM)
        compare_requests(expected, process.requests[-1], "a request after a change within the conversation")


def _with_system(request: RecordedRequest, system: str) -> RecordedRequest:
    """The request with another system prompt instead of `SYSTEM`."""
    return RecordedRequest(request.headers, request.raw.replace(_in_json(SYSTEM), _in_json(system)))


def _in_json(text: str) -> bytes:
    return text.replace("\n", "\\n").encode()


async def check_cached_replay(bench: Workbench, lived: Lived) -> None:
    """A history whose first question was asked without a reply is sent as it was lived."""
    async with bench.start_process() as process:
        await process.initialize(REQUEST)
        await process.ask_nobody(REQUEST, TURNS[0].question)
        await process.replay(PAST, MODEL)
        await process.ask(TURNS[-1].question, *TURNS[-1].answers)
        compare_dialogues(lived.requests[-1:], process.requests, "after a replay")


async def check_fast_deltas(bench: Workbench, lived: Lived) -> None:
    """The fast path prints the same events, and its transcript holds the same."""
    fast = await live(bench, **FAST_DELTAS)
    for expected, got in zip(lived.items, fast.items, strict=True):
        compare_turns(expected, got, "with fast deltas")
    compare_dialogues(lived.requests, fast.requests, "with fast deltas")


FAST_PATH_CHECKS: Mapping[Facility, FastPathCheck] = {
    Facility.RECYCLE: check_recycling,
    Facility.SYSTEM_PROMPT: check_system_prompt,
    Facility.DRY_TURN: check_dry_turn,
    Facility.CACHED_REPLAY: check_cached_replay,
    Facility.FAST_DELTAS: check_fast_deltas,
}
