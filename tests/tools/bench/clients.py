"""A conversation over HTTP, as lean as can be: the client must not be what is measured."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.tools.bench.answers import CHAT_COMPLETIONS, MESSAGES, RESPONSES, Answer, Format, NotAnswered, read_answer

MODEL = "claude-haiku-5-5"
SYSTEM = "You are terse."

Ask = Callable[[str], Awaitable[Answer]]


@dataclass
class HttpConversation:
    """A conversation that grows by one exchange with every question. Every one has a connection of its own."""

    url: str
    path: str
    format: Format
    body: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, text: str) -> Answer:
        """Ask, and read the answer to its end. The clock starts on an open connection, with the request made.

        Raises NotAnswered, OSError.
        """
        turns = [*self.messages, {"role": "user", "content": text}]
        answer = await self._exchange(orjson.dumps({**self.body, "messages": turns}))
        self.messages = [*turns, {"role": "assistant", "content": answer.text}]
        return answer

    async def _exchange(self, body: bytes) -> Answer:
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            request = self._head(address.netloc, len(body)) + body
            asked = time.perf_counter()
            writer.write(request)
            answer = await read_answer(reader.read, self.format, asked)
            await reader.read()
        finally:
            writer.close()
        return answer

    def _head(self, host: str, length: int) -> bytes:
        lines = [
            f"POST {self.path} HTTP/1.1",
            f"host: {host}",
            "connection: close",
            "content-type: application/json",
            f"content-length: {length}",
            "x-api-key: made-up",
            "anthropic-version: 2023-06-01",
        ]
        if self.format is not MESSAGES:
            lines.pop()
        return "\r\n".join([*lines, "", ""]).encode()


class ResponseConversation(HttpConversation):
    """A conversation of stored responses: each question names the answer before it."""

    async def ask(self, text: str) -> Answer:
        answer = await self._exchange(orjson.dumps({**self.body, "input": text}))
        self.body["previous_response_id"] = answer.id
        return answer


def responses(url: str) -> HttpConversation:
    """A conversation in OpenAI's newer dialect, continued by `previous_response_id`."""
    return ResponseConversation(
        url, "/v1/responses", RESPONSES, {"model": MODEL, "stream": True, "instructions": SYSTEM}
    )


def messages(url: str) -> HttpConversation:
    """A conversation in Anthropic's dialect, with the server or with the simulator direct."""
    body = {"model": MODEL, "max_tokens": 32000, "stream": True, "system": SYSTEM}
    return HttpConversation(url, "/v1/messages", MESSAGES, body)


def chat_completions(url: str) -> HttpConversation:
    """A conversation in OpenAI's dialect."""
    body = {"model": MODEL, "stream": True}
    system = [{"role": "system", "content": SYSTEM}]
    return HttpConversation(url, "/v1/chat/completions", CHAT_COMPLETIONS, body, system)


async def checked(ask: Ask, text: str) -> Answer:
    """Ask the simulator's echo, by whatever way; what comes back must be the echo. Raises NotAnswered."""
    answer = await ask(text)
    if answer.text != f"You said: {text}":
        raise NotAnswered(f"asked {text[:80]!r}, and got {answer.text[:80]!r}")
    return answer
