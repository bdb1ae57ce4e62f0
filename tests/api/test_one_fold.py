"""Each event of an answer is folded once; the response, the record and the session read that one fold."""

import re
from pathlib import Path

import orjson
import pytest

import server
from server.core.messages import MessageFold, StreamEvent
from tests.api.conftest import Serve
from tests.scripted_backend import begin, end, text, thinking, tool_use

ANSWER = [
    begin(),
    *thinking("Hm."),
    *text("Hel", "lo", index=1),
    *tool_use("look", {"at": "sky"}, index=2),
    *end("tool_use"),
]
BODY = {"model": "opus", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "n"), [("/v1/chat/completions", 1), ("/v1/chat/completions", 3), ("/v1/messages", 1)])
async def test_each_event_is_folded_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, path: str, n: int, stream: bool
) -> None:
    folded: list[tuple[int, StreamEvent]] = []
    feed = MessageFold.feed

    def counted(fold: MessageFold, event: StreamEvent) -> None:
        folded.append((id(fold), event))
        feed(fold, event)

    monkeypatch.setattr(MessageFold, "feed", counted)
    running = await serve(log_bodies=True)
    for _ in range(n):
        running.backend.script(ANSWER)
    choices = {"n": n} if n > 1 else {}
    response = await running.http.post(path, json={**BODY, **choices, "stream": stream})
    assert response.status_code == 200
    [ended] = await running.finished()
    assert len(folded) == n * len(ANSWER)
    assert len({fold for fold, _ in folded}) == n
    kept = orjson.loads(ended.record.response_body or "")
    if not stream:
        assert kept == response.json()
    session = (await running.http.get(f"/api/sessions/{ended.record.session_id}")).json()
    assert [block["type"] for block in session["messages"][-1]["content"]] == ["text", "tool_use"]


def test_only_the_generation_and_the_cli_conversation_fold() -> None:
    root = Path(server.__file__).parent
    made = re.compile(r"MessageFold\(\)|default_factory=MessageFold")
    folding = {path.name for path in root.rglob("*.py") if made.search(path.read_text("utf-8"))}
    # The last one needs the beginning of an answer, to have it continued.
    assert folding == {"generation.py", "conversation.py", "paused_answers.py"}
