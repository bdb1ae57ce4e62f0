"""An editor's completions: the first delta as soon as a chat's, also for the last of a burst, and a stream as fast.

A burst is 20 requests for a text that is being typed, a key every 40 ms. The next key cancels 18 of them; the two after
which the typist pauses are read.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from statistics import median

from tests.tools.bench.answers import Answer, NotAnswered
from tests.tools.bench.clients import chat_completions, completions
from tests.tools.bench.report import MS, RATE, Row, Target, ratios
from tests.tools.bench.rounds import Size, Timing, alternate
from tests.tools.bench.scene import POLL_SECONDS, REST_SECONDS, Scene, Server

CHAT = "chat, new conversation"
ALONE = "completion"
AFTER_BURST = "completion, last of a burst of 20"
KEYS = 20
PAUSES = frozenset({9, KEYS - 1})
KEY_SECONDS = 0.04
SLOWER_MS = 5
SHARE = 0.95
_texts = (f"def number_{number}():\n    return the_next_number_of(" for number in itertools.count())
"""Each round types another text."""
_Asking = Callable[[Server, str], Awaitable[Answer]]


async def measure(scene: Scene, size: Size) -> list[Row]:
    """Ask in turn; before each answer that counts, a process is ready."""
    async with scene.server() as server:
        firsts = {
            CHAT: _first_delta(server, _chat),
            ALONE: _first_delta(server, _complete),
            AFTER_BURST: _burst(server),
        }
        for timing in firsts.values():  # the first of each does not count
            await timing()
        delays = await alternate(size.rounds, firsts)
        words = " ".join(["word"] * size.tokens)
        streams = {CHAT: _rate(server, _chat, words), ALONE: _rate(server, _continue, words)}
        for timing in streams.values():
            await timing()
        rates = await alternate(size.rounds, streams)
    limit = median(delays[CHAT]) + SLOWER_MS
    targets = {
        who: [Target(f"chat's and {SLOWER_MS} ms", median(delays[who]) <= limit)] for who in (ALONE, AFTER_BURST)
    }
    as_fast = Target("95 % of chat's", median(ratios(rates[ALONE], rates[CHAT])) >= SHARE)
    what = f"a stream of {size.tokens} tokens, completions"
    return [
        *(
            Row("first delta, completions", who, MS, taken, ratios(taken, delays[CHAT]), targets.get(who, ()))
            for who, taken in delays.items()
        ),
        *(
            Row(what, who, RATE, taken, ratios(taken, rates[CHAT]), [as_fast] if who == ALONE else ())
            for who, taken in rates.items()
        ),
    ]


async def _chat(server: Server, text: str) -> Answer:
    return await chat_completions(server.url).ask(text)


async def _complete(server: Server, text: str) -> Answer:
    """A completion in the middle of a text."""
    return await completions(server.url).exchange(prompt=text, suffix="\n\nprint(number_0())\n")


async def _continue(server: Server, text: str) -> Answer:
    """A completion that is the simulator's echo, word by word: a hole's would end at the closing tag."""
    return await completions(server.url).exchange(prompt=f"{text}\n<COMPLETION>", stop=["</COMPLETION>"])


def _first_delta(server: Server, ask: _Asking) -> Timing:
    async def timing() -> float:
        await _ready(server)
        return (await ask(server, next(_texts))).first_delta * 1000

    return timing


async def _ready(server: Server) -> None:
    """Wait until a spare is parked and no process is busy. Raises TimeoutError."""
    deadline = time.monotonic() + REST_SECONDS
    while (counts := await server.processes())["spares"] < 1 or counts["busy"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server did not come to rest: {counts}")
        await asyncio.sleep(POLL_SECONDS)


def _burst(server: Server) -> Timing:
    async def timing() -> float:
        await _ready(server)
        text, answers = next(_texts), list[Answer]()
        for key in range(KEYS):
            request = asyncio.create_task(_complete(server, text[: len(text) - KEYS + key + 1]))
            if key in PAUSES:
                answers.append(await request)
                continue
            await asyncio.sleep(KEY_SECONDS)
            request.cancel()
            # The simulator may have answered before the next key.
            with suppress(asyncio.CancelledError, NotAnswered):
                await request
        return answers[-1].first_delta * 1000

    return timing


def _rate(server: Server, ask: _Asking, words: str) -> Timing:
    async def timing() -> float:
        await _ready(server)
        # Its own words: not the conversation of the round before.
        answer = await ask(server, f"{next(_texts)} {words}")
        return words.count(" ") / answer.whole

    return timing
