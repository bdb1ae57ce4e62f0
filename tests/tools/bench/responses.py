"""Responses beside chat completions: the first delta within 5 ms of chat's, and a stream within 5 % of chat's.

The next turn names the answer before it (`previous_response_id`), while chat sends the whole conversation.
"""

from functools import partial
from statistics import median

from tests.tools.bench.answers import NotAnswered
from tests.tools.bench.clients import Ask, chat_completions, checked, responses
from tests.tools.bench.report import RATE, Row, Target, ratios
from tests.tools.bench.rounds import Size, Timing, alternate, first_delta, rows
from tests.tools.bench.scene import Scene, Server

NEXT = "first delta, next turn, beside Responses"
NEW = "first delta, new conversation, beside Responses"
CHAT = "server, chat completions"
RESPONSES = "server, responses"
QUESTION = "What is next?"
WITHIN_MS = 5
SHARE = 0.95
WARM_UP_TURNS = 10
ECHO_WORDS = 2
"""The echo begins with "You said:"."""

_CONVERSATIONS = {CHAT: chat_completions, RESPONSES: responses}


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Ask in both dialects in turn. Raises NotAnswered if a conversation did not go on in its process."""
    async with scene.server() as server:
        asks: dict[str, Ask] = {who: begin(server.url).ask for who, begin in _CONVERSATIONS.items()}
        for _ in range(min(size.rounds, WARM_UP_TURNS)):
            for ask in asks.values():
                await checked(ask, QUESTION)
        later = await alternate(size.rounds, {who: first_delta(ask, QUESTION) for who, ask in asks.items()})
        long = await alternate(max(1, size.rounds // 2), {who: _rate(ask, size) for who, ask in asks.items()})
        if (live := (await server.processes())["live"]) != len(asks):
            raise NotAnswered(f"the server has {live} processes for {len(asks)} conversations")
        first = await alternate(max(1, size.rounds // 2), {who: partial(_from_rest, server, who) for who in asks})
    return [
        *_delta_rows(NEXT, later),
        *_delta_rows(NEW, first),
        *_stream_rows(f"a stream of {size.tokens} tokens, beside Responses", long),
    ]


async def _from_rest(server: Server, who: str) -> float:
    await server.rest()
    return await first_delta(_CONVERSATIONS[who](server.url).ask, QUESTION)()


def _rate(ask: Ask, size: Size) -> Timing:
    question = " ".join(["word"] * (size.tokens - ECHO_WORDS))

    async def timing() -> float:
        return size.tokens / (await checked(ask, question)).whole

    return timing


def _delta_rows(what: str, values: dict[str, list[float]]) -> list[Row]:
    more = median(ours - chats for ours, chats in zip(values[RESPONSES], values[CHAT], strict=True))
    target = Target(f"chat + {WITHIN_MS} ms (is {more:+.1f})", more <= WITHIN_MS)
    return rows(what, values, CHAT, {RESPONSES: [target]})


def _stream_rows(what: str, values: dict[str, list[float]]) -> list[Row]:
    share = {who: ratios(taken, values[CHAT]) for who, taken in values.items()}
    target = Target(f"{SHARE:.0%} of chat's", median(share[RESPONSES]) >= SHARE)
    return [
        Row(what, who, RATE, taken, share[who], [target] if who == RESPONSES else ()) for who, taken in values.items()
    ]
