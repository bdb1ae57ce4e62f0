"""Completions of editors reach the model as a question, and come back as the missing characters alone."""

import asyncio
from typing import Any

import openai
import pytest

from tests.clients.live import Live
from tests.simulator import Gate, Recorded, Stop, Text, Thinking, client_system, client_tools, conversation
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-haiku-5-5"
BEFORE, AFTER = "def add(a, b):\n    return ", "\n\n\ndef sub(a, b):\n    return a - b\n"
TEMPLATES = {
    "qwen": "<|fim_prefix|>{A}<|fim_suffix|>{B}<|fim_middle|>",
    "starcoder": "<fim_prefix>{A}<fim_suffix>{B}<fim_middle>",
    "codellama": "<PRE> {A} <SUF>{B} <MID>",
    "codestral": "[SUFFIX]{B}[PREFIX]{A}",
    "deepseek": "<｜fim▁begin｜>{A}<｜fim▁hole｜>{B}<｜fim▁end｜>",
    "glm": "<|code_prefix|>{A}<|code_suffix|>{B}<|code_middle|>",
}
STOPS = [
    "<|endoftext|>", "<|file_separator|>", "<|fim_pad|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>",
    "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<PRE>", "<SUF>", "<MID>", "[PREFIX]", "[SUFFIX]",
]  # fmt: skip
"""Zed's list."""


def fill(template: str) -> str:
    return template.replace("{A}", BEFORE).replace("{B}", AFTER)


def question(server: Live, at: int = -1) -> list[str]:
    """The texts of the only turn that reached the model."""
    call = server.sent(at)
    ((role, content),) = conversation(call)
    assert role == "user"
    assert client_tools(call) == []
    return [block["text"] for block in content]


async def complete(server: Live, *, stream: bool = False, **body: Any) -> str:
    create = server.openai().completions.create
    if not stream:
        return (await create(model=MODEL, **body)).choices[0].text
    return "".join([chunk.choices[0].text async for chunk in await create(model=MODEL, stream=True, **body)])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("template", TEMPLATES)
async def test_a_template_is_a_text_with_a_hole(server: Live, template: str, stream: bool) -> None:
    server.simulator.script(Text("<fill-in>a + b  \n</fill-in>"))
    got = await complete(server, stream=stream, prompt=fill(TEMPLATES[template]), stop=STOPS, max_tokens=99)
    assert got == "a + b  \n"
    assert question(server)[0] == f"{BEFORE}<fill-in/>{AFTER}"
    body = server.sent().body
    assert (body["max_tokens"], body["stop_sequences"]) == (99, ["</fill-in>"])
    assert not any(marker in str(body) for marker in STOPS)
    assert "insert" in "".join(client_system(server.sent()))


async def test_suffix_is_the_text_after_the_hole(server: Live) -> None:
    server.simulator.script(Text("```python\n    return a + b\n```"))
    assert await complete(server, prompt=BEFORE, suffix=AFTER) == "a + b"
    assert question(server)[0] == f"{BEFORE}<fill-in/>{AFTER}"


async def test_a_repository_precedes_the_text(server: Live) -> None:
    header = "<|repo_name|>shop\n<|file_sep|>cart.py\nclass Cart: ...\n<|file_sep|>pay.py\n"
    server.simulator.script(Text("x"))
    await complete(server, prompt=header + fill(TEMPLATES["qwen"]))
    *files, text, _ = question(server)
    assert files == [
        "Repository: shop",
        "Another file of the repository:\ncart.py\nclass Cart: ...",
        "The file with the hole: pay.py",
    ]
    assert text == f"{BEFORE}<fill-in/>{AFTER}"


@pytest.mark.parametrize("prompt", ["Once upon a time", "Roses are red,\n", "  x  ", "/clear", "@/etc/passwd"])
async def test_a_plain_prompt_is_continued(server: Live, prompt: str) -> None:
    server.simulator.script(Text("<fill-in> there was\n  a king.\n\n</fill-in>"))
    assert await complete(server, prompt=prompt) == " there was\n  a king.\n\n"
    assert question(server)[0] == prompt


async def test_white_space_survives_without_tags(server: Live) -> None:
    server.simulator.script(Text("\n    a +\tb \n\n", chunks=4))
    assert await complete(server, prompt=BEFORE, suffix="", stream=True) == "\n    a +\tb \n\n"


async def test_a_ready_instruction_is_sent_as_it_is(server: Live) -> None:
    prompt = "You are a HOLE FILLER.\n<QUERY>\nx = {{FILL_HERE}}\n</QUERY>\nTASK: Fill the hole.\n<COMPLETION>"
    server.simulator.script([Text("  1"), Stop("stop_sequence", "</COMPLETION>")])
    assert await complete(server, prompt=prompt, stop=["</COMPLETION>"]) == "  1"
    assert question(server) == [prompt]
    assert server.sent().body["stop_sequences"] == ["</COMPLETION>"]


@pytest.mark.parametrize("prompt", ["", " \n"])
async def test_a_blank_prompt_is_answered(server: Live, prompt: str) -> None:
    server.simulator.script(Text("Hello"))
    assert await complete(server, prompt=prompt) == "Hello"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_line_break_stops_and_ends_the_turn(server: Live, stream: bool) -> None:
    gate = Gate()
    server.simulator.script([Text("a + b\nc"), gate, Text("more")])
    create = server.openai().completions.with_raw_response.create
    raw = await create(model=MODEL, prompt=BEFORE, suffix=AFTER, stop=["\n", "//"], stream=stream)
    answer = raw.parse()
    if stream:
        chunks = [chunk async for chunk in answer]
        text, reason = "".join(chunk.choices[0].text for chunk in chunks), chunks[-1].choices[0].finish_reason
    else:
        text, reason = answer.choices[0].text, answer.choices[0].finish_reason
        assert answer.usage.completion_tokens > 0
    assert (text, reason, raw.headers.get("warning")) == ("a + b", "stop", None)
    assert server.sent().body["stop_sequences"] == ["</fill-in>", "//"]
    await server.simulator.await_calls(lambda calls: calls[-1].disconnected)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_chat_stops_at_white_space_too(server: Live, stream: bool) -> None:
    server.simulator.script(Text("one\n\ntwo", chunks=8))
    create = server.openai().chat.completions.with_raw_response.create
    raw = await create(
        model=MODEL, messages=[{"role": "user", "content": f"Stop {stream}"}], stop=["\n\n", "END"], stream=stream
    )
    answer = raw.parse()
    if stream:
        chunks = [chunk async for chunk in answer]
        got = "".join(chunk.choices[0].delta.content or "" for chunk in chunks), chunks[-1].choices[0].finish_reason
    else:
        got = answer.choices[0].message.content, answer.choices[0].finish_reason
    assert got == ("one", "stop")
    assert raw.headers.get("warning") is None
    assert server.sent().body["stop_sequences"] == ["END"]


async def test_messages_tell_which_white_space_stopped_them(server: Live) -> None:
    server.simulator.script(Text("one\ntwo"))
    message = await server.anthropic().messages.create(
        model=MODEL, max_tokens=50, messages=[{"role": "user", "content": "Stop"}], stop_sequences=["\n"]
    )
    assert (message.content[0].text, message.stop_reason, message.stop_sequence) == ("one", "stop_sequence", "\n")


async def test_prompts_are_answered_each_n_times_in_order(server: Live) -> None:
    server.simulator.script(lambda call: Text(f"<fill-in>[{said(call)}]"), times=4)
    completion = await server.openai().completions.create(model=MODEL, prompt=["one", "two"], n=2, echo=True)
    assert [(choice.index, choice.text) for choice in completion.choices] == [
        (0, "one[one]"),
        (1, "one[one]"),
        (2, "two[two]"),
        (3, "two[two]"),
    ]
    assert completion.usage is not None
    assert completion.usage.prompt_tokens > 0


def said(call: Recorded) -> str:
    """The first text of the last turn."""
    text: str = conversation(call)[-1][1][0]["text"]
    return text


async def test_streamed_choices_echo_and_report_their_usage(server: Live) -> None:
    server.simulator.script(lambda call: Text(f" after {said(call)}"), times=2)
    options = {"include_usage": True}
    chunks = [
        chunk
        async for chunk in await server.openai().completions.create(
            model=MODEL, prompt=["one", "two"], echo=True, stream=True, stream_options=options
        )
    ]
    texts = ["", ""]
    for chunk in chunks[:-1]:
        texts[chunk.choices[0].index] += chunk.choices[0].text
    assert texts == ["one after one", "two after two"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert {chunk.object for chunk in chunks} == {"text_completion"}


async def test_thinking_is_least_and_never_in_the_text(server: Live) -> None:
    server.simulator.script([Thinking("Hm."), Text("a")])
    create = server.openai().completions.with_raw_response.create
    raw = await create(model="claude-opus-5-5", prompt="x = ")
    assert raw.parse().choices[0].text == "a"
    assert raw.headers.get("warning") is None
    assert server.sent().body["output_config"]["effort"] == "low"
    server.simulator.script(Text("a"))
    await complete(server, prompt="x = ", **{"extra_body": {"model": "claude-haiku-4-5"}})
    assert server.sent().body["thinking"] == {"type": "disabled"}


async def test_parameters_reach_the_model(server: Live) -> None:
    server.simulator.script(Text("a"))
    create = server.openai().completions.with_raw_response.create
    raw = await create(
        model="claude-sonnet-4-5",
        prompt="x = ",
        presence_penalty=0.5,
        temperature=0.2,
        extra_body={"options": {"num_predict": 77, "num_ctx": 4096}, "keep_alive": "5m"},
    )
    body = server.sent().body
    assert (body["max_tokens"], body["temperature"]) == (77, 0.2)
    assert "presence_penalty" in raw.headers["warning"]
    assert "keep_alive" not in raw.headers["warning"]
    assert "options" not in raw.headers["warning"]


async def test_a_gone_client_ends_the_turn_and_leaves_the_process(server: Live) -> None:
    gate = Gate()
    server.simulator.script([Text("secret words"), gate])
    stream = await server.openai().completions.create(model=MODEL, prompt="the first text", stream=True)
    await gate.await_reached()
    (busy,) = server.pids("busy")
    await stream.close()
    await server.simulator.await_calls(lambda calls: calls[-1].disconnected)
    await until(lambda: busy in server.pids("idle"))
    server.simulator.script(Text(" b"))
    assert await complete(server, prompt="the second text") == " b"
    assert busy in server.pids("idle")
    assert len(server.simulator.messages_calls) == 2
    body = str(server.sent().body)
    assert "the second text" in body
    assert not any(words in body for words in ("the first text", "secret", "words", "interrupted"))


async def test_a_client_may_leave_before_the_model_is_asked(server: Live) -> None:
    """The turn may not have begun in the CLI then. Whatever becomes of the process, it runs no turn to its end."""
    for number in range(6):
        request = asyncio.create_task(complete(server, prompt=f"text {number}"))
        await until(lambda: bool(server.pids("busy")))
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
    await until(lambda: not server.pids("busy"))
    server.simulator.script(Text("done"), when=lambda call: "the last one" in str(call.body))
    assert await complete(server, prompt="the last one") == "done"
    assert await complete(server, prompt="the last one") == "done"


async def test_completions_share_a_process_and_no_text(server: Live) -> None:
    used: list[set[int]] = []
    for number in range(3):
        server.simulator.script(Text(f"answer {number}"))
        assert await complete(server, prompt=f"text {number}", suffix="") == f"answer {number}"
        used.append(server.pids("idle"))
        body = str(server.sent().body)
        assert f"text {number}" in body
        assert not any(f"{word} {other}" in body for other in range(number) for word in ("text", "answer"))
    assert used[1] == used[2]
    assert len(server.simulator.messages_calls) == 3


async def test_a_chat_never_gets_a_process_of_completions(server: Live) -> None:
    server.simulator.script(Text("a"))
    await complete(server, prompt="a text")
    vacant = server.pids("idle")
    server.simulator.script(Text("b"))
    question = [{"role": "user", "content": "a text"}]
    await server.openai().chat.completions.create(model=MODEL, messages=question)
    assert server.pids("idle") - vacant
    assert conversation(server.sent()) == [("user", [{"type": "text", "text": "a text"}])]


async def test_errors_are_openais(server: Live) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        await server.openai().completions.create(model=MODEL, prompt=[1, 2, 3])
    assert raised.value.param == "prompt"
    with pytest.raises(openai.NotFoundError):
        await server.openai().completions.create(model="no-such-model", prompt="x")
