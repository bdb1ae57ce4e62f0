"""Chat completions end to end, with OpenAI's own client."""

from tests.api.conftest import Served
from tests.openai_schema import validate
from tests.scripted_backend import answer

HELLO = [{"role": "user", "content": "Hello"}]


async def test_whole_answer(server: Served) -> None:
    server.backend.script(answer("Good ", "day"))
    raw = await server.openai().chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO)
    completion = raw.parse()
    validate("CreateChatCompletionResponse", raw.http_response.json())
    assert completion.choices[0].message.content == "Good day"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "gpt-5"
    assert completion.usage.prompt_tokens == 15
    [request] = server.backend.requests
    assert request.model == "opus"
    assert request.messages == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]


async def test_streamed_answer(server: Served) -> None:
    server.backend.script(answer("Good ", "day"))
    stream = await server.openai().chat.completions.create(
        model="gpt-5", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    for chunk in chunks:
        validate("CreateChatCompletionStreamResponse", chunk.model_dump(exclude_unset=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Good day"
    assert chunks[-1].usage.completion_tokens == 7
