"""The watch finds what does not satisfy the schemas; a watch that finds nothing would prove nothing."""

import orjson
import pytest

from tests.clients.watching import Watch

CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": None, "finish_reason": None}],
}
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
SSE, JSON = "text/event-stream; charset=utf-8", "application/json"


def data(value: object, event: str = "") -> bytes:
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {orjson.dumps(value).decode()}\n\n".encode()


def test_good_answers() -> None:
    watch = Watch()
    watch.judge(CHAT, 200, SSE, data(CHUNK) + b": ping\n\ndata: [DONE]\n\n")
    watch.judge(CHAT, 400, JSON, b'{"error": {"message": "m", "type": "t", "param": null, "code": null}}')
    watch.judge(MESSAGES, 200, SSE, data({"type": "ping"}, "ping"))
    watch.judge("/health", 200, JSON, b"{}")
    assert watch.faults == []
    assert watch.checked == 4


@pytest.mark.parametrize(
    ("path", "status", "kind", "body"),
    [
        (CHAT, 200, JSON, b"{}"),
        (CHAT, 200, JSON, b"not JSON"),
        (CHAT, 400, JSON, b'{"type": "error", "error": {"type": "t", "message": "m"}}'),
        (CHAT, 200, SSE, data({**CHUNK, "object": "chat.completion"})),
        (CHAT, 200, SSE, data(CHUNK) + b"data: {"),
        (CHAT, 200, SSE, data(CHUNK, "named")),
        (CHAT, 200, SSE, data({"error": {"message": "m"}})),
        (MESSAGES, 200, JSON, b'{"type": "message", "role": "assistant"}'),
        (MESSAGES, 400, JSON, b'{"error": {"message": "m"}}'),
        (MESSAGES, 200, SSE, data({"type": "content_block_delta", "index": 0}, "content_block_delta")),
        (MESSAGES, 200, SSE, data({"type": "message_stop"}, "message_start")),
        ("/v1/messages/count_tokens", 200, JSON, b"{}"),
    ],
)
def test_bad_answers(path: str, status: int, kind: str, body: bytes) -> None:
    watch = Watch()
    watch.judge(path, status, kind, body)
    assert len(watch.faults) == 1
