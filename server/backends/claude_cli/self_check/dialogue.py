"""The conversation that the checks hold: thinking, texts in many deltas, and tool calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.backends.claude_cli.chat.replay import ReplayTurn
from server.backends.claude_cli.self_check.answers import SIGNATURE, answer_with_call, answer_with_text
from server.backends.claude_cli.self_check.api_stub import Answer, RecordedRequest
from server.backends.claude_cli.self_check.driven_process import DrivenProcess
from server.backends.claude_cli.self_check.workbench import Workbench
from server.backends.claude_cli.transport.channel import TurnItem
from server.backends.claude_cli.transport.mcp_tools import PREFIX
from server.core.messages import MessagesRequest, Tool, text_block

MODEL = "claude-haiku-5-5"
"""A model to which the CLI adds a note about tokens behind tool results, unless it is told not to."""
SYSTEM = "Answer as the checks of the command line do.\n\n  Keep white space. "
OTHER_SYSTEM = "Answer in another way."
TOOLS: tuple[Tool, ...] = (
    {
        "name": "zeta",
        "description": "Ligature \ufb01, and more characters than the command line keeps: " + "x" * 5000,
        "input_schema": {"type": "object", "properties": {"what is it": {"enum": ["\u00bd", "b"]}}},
    },
    {"name": "alpha", "description": "Comes second.", "input_schema": {"type": "object", "properties": {}}},
)
"""Names out of order, and content that the CLI changes in definitions of its own list."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, the API's answers to it, and the results of the calls in them."""

    question: str
    answers: tuple[Answer, ...]
    results: Mapping[str, str] = field(default_factory=dict)


TURNS = (
    Turn(
        "What is checked here?",
        (
            answer_with_text(
                *(
                    "msg_check_1",
                    "The ",
                    "requests, ",
                    'with "quotes", ',
                    "d\u00e9j\u00e0 vu \U0001f409,\n",
                    "and more.",
                ),
                thinking=("Let me ", "see."),
            ),
        ),
    ),
    Turn(
        "Look at it.",
        (
            answer_with_call("msg_check_2", "toolu_check_1", f"{PREFIX}zeta", ['{"what is', ' it":', ' "b"}']),
            answer_with_text("msg_check_3", "It is ", "b."),
        ),
        {"toolu_check_1": "seen\n\u00e9"},
    ),
    Turn("And what comes after it?", (answer_with_text("msg_check_4", "The ", "end."),)),
)
PAST = (
    ReplayTurn(
        "assistant",
        [
            {"type": "thinking", "thinking": "Let me see.", "signature": SIGNATURE},
            text_block('The requests, with "quotes", d\u00e9j\u00e0 vu \U0001f409,\nand more.'),
        ],
    ),
    ReplayTurn("user", [text_block(TURNS[1].question)]),
    ReplayTurn(
        "assistant",
        [{"type": "tool_use", "id": "toolu_check_1", "name": f"{PREFIX}zeta", "input": {"what is it": "b"}}],
    ),
    # Members in the order in which the CLI writes a held call's result.
    ReplayTurn(
        "user", [{"tool_use_id": "toolu_check_1", "type": "tool_result", "content": [text_block("seen\n\u00e9")]}]
    ),
    ReplayTurn("assistant", [text_block("It is b.")]),
)
"""What follows the first question up to the last one, as a client's history."""
REQUEST = MessagesRequest(
    MODEL,
    MODEL,
    ({"role": "user", "content": [text_block(TURNS[0].question)]},),
    system=(SYSTEM,),
    tools=TOOLS,
    max_tokens=2000,
)
"""The parameters of all requests. Questions are sent by the transcript, whatever the messages."""


@dataclass(frozen=True, slots=True)
class Lived:
    """The dialogue on a fresh process, driven as conversations are: its requests, and the items of each turn."""

    requests: list[RecordedRequest]
    items: list[list[TurnItem]]


async def live(bench: Workbench, **variables: str) -> Lived:
    """Hold the dialogue on a fresh process."""
    async with bench.start_process(**variables) as process:
        await process.initialize(REQUEST)
        items = await hold_turns(process)
        return Lived(process.requests, items)


async def hold_turns(process: DrivenProcess, first: int = 0) -> list[list[TurnItem]]:
    """Hold the turns from `first` on."""
    held = [await process.ask(turn.question, *turn.answers, results=turn.results) for turn in TURNS[first:]]
    return [items for _, items in held]
