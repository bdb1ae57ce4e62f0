"""Time to the first delta with 40 tools of 2 kB, as agents send: first turn and next turn."""

from functools import partial
from statistics import median

from tests.tools.bench.cli_itself import kept_open
from tests.tools.bench.clients import Ask, HttpConversation, chat_completions, checked, messages
from tests.tools.bench.report import Row, Target
from tests.tools.bench.rounds import Size, alternate, first_delta, rows
from tests.tools.bench.scene import Scene, Server

NEXT = "first delta, next turn with 40 tools"
NEW = "first delta, new conversation with 40 tools"
CLI = "CLI kept open"
SERVED = ("server, chat completions", "server, messages")
QUESTION = "What is next?"
WITHIN_MS = 10
WARM_UP_TURNS = 10
TOOLS = [
    {
        "name": f"tool_{number}",
        "description": "Reads what it is asked for, and says so. " * 20,
        "input_schema": {
            "type": "object",
            "properties": {
                f"argument_{at}": {"type": "string", "description": "What it is about, in a few words. " * 3}
                for at in range(7)
            },
            "required": ["argument_0"],
        },
    }
    for number in range(40)
]


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Ask the CLI and the server in turn; the CLI has the same tools, given to it as its protocol has it."""
    async with scene.server() as server, kept_open(scene, TOOLS) as cli:
        asks: dict[str, Ask] = {CLI: cli.ask, SERVED[0]: _chat(server).ask, SERVED[1]: _messages(server).ask}
        for _ in range(min(size.rounds, WARM_UP_TURNS)):
            for ask in asks.values():
                await checked(ask, QUESTION)
        later = await alternate(size.rounds, {who: first_delta(ask, QUESTION) for who, ask in asks.items()})
        first = await alternate(max(1, size.rounds // 4), {who: partial(_from_rest, server, who) for who in SERVED})
    targets = {who: [_target(later[who], later[CLI])] for who in SERVED}
    return rows(NEXT, later, CLI, targets) + rows(NEW, first, SERVED[0], {})


def _target(server: list[float], cli: list[float]) -> Target:
    more = median(ours - own for ours, own in zip(server, cli, strict=True))
    return Target(f"CLI + {WITHIN_MS} ms (is {more:+.1f})", more <= WITHIN_MS)


async def _from_rest(server: Server, who: str) -> float:
    await server.rest()
    conversation = _chat(server) if who == SERVED[0] else _messages(server)
    return await first_delta(conversation.ask, QUESTION)()


def _messages(server: Server) -> HttpConversation:
    conversation = messages(server.url)
    conversation.body["tools"] = TOOLS
    return conversation


def _chat(server: Server) -> HttpConversation:
    conversation = chat_completions(server.url)
    functions = [
        {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]} for tool in TOOLS
    ]
    conversation.body["tools"] = [{"type": "function", "function": function} for function in functions]
    return conversation
