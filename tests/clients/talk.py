"""A conversation that goes on from turn to turn, so that one process serves many cases."""

from typing import Any

from tests.clients.live import Live


class Talk:
    """A chat completion's conversation with one model. Parameters are those of each turn alone."""

    def __init__(self, server: Live, model: str, **always: Any) -> None:
        self._server = server
        self._always = {"model": model, **always}
        self._client = server.openai()
        # Its own words, so that it never goes on with another test's conversation.
        self._messages: list[Any] = [{"role": "user", "content": f"Begin {id(self)}"}]
        self._process: set[int] = set()

    async def turn(self, **parameters: Any) -> tuple[dict[str, Any], str, Any]:
        """Take a turn: the body at the API, which has not refused it, the warnings, and the completion."""
        calls, before = len(self._server.simulator.messages_calls), self._server.pids("idle")
        create = self._client.chat.completions.with_raw_response.create
        raw = await create(messages=self._messages, **self._always, **parameters)
        completion = raw.parse()
        assert len(self._server.simulator.messages_calls) == calls + 1
        self._process = self._process or self._server.pids("idle") - before
        assert len(self._process) == 1
        assert self._process <= self._server.pids("idle"), "the conversation is not in its process any more"
        self._messages += [completion.choices[0].message, {"role": "user", "content": "On"}]
        return self._server.sent().body, raw.headers.get("warning", ""), completion
