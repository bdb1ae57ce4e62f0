"""Bodies of Ollama's endpoints as requests."""

from typing import Any

import pytest

from server.dialects.ollama.request import chat_to_messages
from tests.dialects.chat_completions.samples import CONTEXT, GIF, JPEG, PDF, PNG, WEBP, base64_of, image_block
from tests.dialects.ollama.samples import USER, calls, chat, generate, pairs, refusal, result, tool

TEXT = {"type": "text", "text": "hi"}


def test_roles_in_any_case_and_the_system_prompt() -> None:
    asked = chat(
        {"role": "SYSTEM", "content": "Be brief."},
        {"role": "User", "content": "hi"},
        {"role": "Assistant", "content": "yes?"},
        {"role": "developer", "content": "Now be long."},
        USER,
    ).request
    assert asked.system == ["Be brief."]
    assert [message["role"] for message in asked.messages] == ["user", "assistant", "user"]
    assert asked.messages[2]["content"] == [{"type": "text", "text": "<system>\nNow be long.\n</system>"}, TEXT]


def test_streaming_is_the_default() -> None:
    assert chat().stream
    assert chat(stream=None).stream
    assert not chat(stream=False).stream


@pytest.mark.parametrize("name", ["claude-opus-5-5:latest", "CLAUDE-OPUS-5-5"])
def test_a_model_with_a_tag(name: str) -> None:
    asked = chat(model=name).request
    assert (asked.model, asked.requested_model) == ("claude-opus-5-5", name)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")],
)
def test_pictures_of_any_format_come_before_the_text(content: bytes, media_type: str) -> None:
    encoded = base64_of(content)
    for sent in (encoded, f"{encoded[:4]}\r\n{encoded[4:]}", f"data:image/bmp;base64,{encoded}"):
        asked = chat({**USER, "images": [sent]}).request
        assert asked.messages[0]["content"] == [image_block(content, media_type), TEXT]


def test_a_picture_of_a_prompt_and_of_a_result() -> None:
    picture = image_block(PNG, "image/png")
    asked = generate(prompt="hi", images=[base64_of(PNG)]).request
    assert asked.messages[0]["content"] == [picture, TEXT]
    asked = chat(USER, calls("look"), {**result("seen"), "images": [base64_of(PNG)]}).request
    [block] = asked.messages[-1]["content"]
    assert block["content"] == [picture, {"type": "text", "text": "seen"}]


def test_a_pdf_among_the_pictures_is_a_document() -> None:
    [document, _] = chat({**USER, "images": [base64_of(PDF)]}).request.messages[0]["content"]
    assert (document["type"], document["source"]["media_type"]) == ("document", "application/pdf")


@pytest.mark.parametrize("sent", ["not base64!", base64_of(b"BM of Windows"), "", "http://example.com/a.png"])
def test_what_is_no_picture_is_named(sent: str) -> None:
    assert refusal({**USER, "images": [sent]}).param == "messages[0].images[0]"


@pytest.mark.parametrize(
    ("think", "thinking", "effort"),
    [
        (None, {"type": "adaptive"}, None),
        (True, {"type": "adaptive"}, None),
        (False, {"type": "disabled"}, None),
        ("low", None, "low"),
        ("medium", None, "medium"),
        ("high", None, "high"),
        ("max", None, "max"),
    ],
)
def test_thinking(think: Any, thinking: Any, effort: Any) -> None:
    for asked in (chat(think=think).request, generate(prompt="hi", think=think).request):
        assert (asked.thinking, asked.effort) == (thinking, effort)


def test_a_temperature_without_a_word_on_thinking_is_kept_possible() -> None:
    asked = chat(options={"temperature": 0.5}).request
    assert (asked.temperature, asked.thinking) == (0.5, None)


@pytest.mark.parametrize("think", ["", "xhigh", "on", 1, 0, [], {}])
def test_other_words_for_thinking_are_refused(think: Any) -> None:
    error = refusal(think=think)
    assert (error.param, error.status) == ("think", 400)


@pytest.mark.parametrize(
    ("wanted", "schema", "json_object"),
    [("", None, False), (None, None, False), ("json", None, True), ({"type": "object"}, {"type": "object"}, False)],
)
def test_formats(wanted: Any, schema: Any, json_object: bool) -> None:
    for asked in (chat(format=wanted).request, generate(prompt="hi", format=wanted).request):
        assert (asked.output_schema, asked.json_object) == (schema, json_object)


@pytest.mark.parametrize("wanted", ["xml", 1, [], True])
def test_other_formats_are_refused(wanted: Any) -> None:
    assert refusal(format=wanted).param == "format"


def test_options() -> None:
    options = {"num_predict": 9.0, "temperature": 1.5, "top_p": 0.5, "top_k": 40, "stop": ["END", "", "\n"]}
    call = chat(options={**options, "num_ctx": 8192, "num_gpu": 1, "wholly_unknown": True})
    asked = call.request
    assert (asked.max_tokens, asked.temperature, asked.top_p, asked.top_k) == (9, 1.0, 0.5, 40)
    assert asked.stop_sequences == ("END", "\n")
    assert call.warnings == ["parameter temperature goes up to 1 with Claude: 1.5 was lowered to 1"]


@pytest.mark.parametrize("limit", [-1, -2, 0, None])
def test_no_limit(limit: Any) -> None:
    asked = chat(options={"num_predict": limit, "top_k": limit}).request
    assert (asked.max_tokens, asked.top_k) == (None, None)


def test_options_that_ask_in_vain_are_named_and_their_defaults_are_not() -> None:
    warnings = chat(options={"seed": 7, "repeat_penalty": 1.5, "min_p": 0.1}).warnings
    assert [warning.split()[1] for warning in warnings] == ["seed", "min_p", "repeat_penalty"]
    assert chat(options={"seed": 0, "repeat_penalty": 1.1, "typical_p": 1.0}, keep_alive="5m").warnings == []


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"num_predict": "many"}, "options.num_predict"),
        ({"temperature": -1}, "options.temperature"),
        ({"top_p": 2}, "options.top_p"),
        ({"stop": 1}, "options.stop"),
        ("hot", "options"),
    ],
)
def test_options_of_a_wrong_type_are_named(options: Any, path: str) -> None:
    assert refusal(options=options).param == path


def test_fields_that_are_left_out_are_named() -> None:
    warnings = chat({"role": "system", "content": "s", "images": ["x"]}, USER, logprobs=True).warnings
    assert [warning.split()[0] for warning in warnings] == ["messages.images", "logprobs"]
    assert "template" in generate(prompt="hi", template="{{ .Prompt }}").warnings[0]


def test_tools_reach_the_model_with_or_without_a_type() -> None:
    properties = {"city": {"type": "string"}}
    untyped = {"function": tool("now")["function"]}
    asked = chat(tools=[tool("warmth", properties=properties), untyped]).request
    assert [one["name"] for one in asked.tools] == ["warmth", "now"]
    assert asked.tools[0]["input_schema"] == {"type": "object", "properties": properties}


BY_ID = {
    "ids": [result("A", tool_call_id="id-0"), result("B", tool_call_id="id-1"), result("C", tool_call_id="id-2")],
    "another order": [
        result("C", tool_call_id="id-2"),
        result("A", tool_call_id="id-0"),
        result("B", tool_call_id="id-1"),
    ],
}
WITHOUT_ID = {
    "names": [result("B", tool_name="go"), result("A", tool_name="look"), result("C", tool_name="look")],
    "older names": [result("B", name="go"), result("A", name="look"), result("C", name="look")],
    "order": [result("A"), result("B"), result("C")],
    "ids of the client's": [
        result("A", tool_call_id="made-up"),
        result("B", tool_call_id="x"),
        result("C", tool_call_id="y"),
    ],
    "name, then order": [result("B", tool_call_id="made-up", tool_name="go"), result("A"), result("C")],
}


@pytest.mark.parametrize(
    ("ids", "results"),
    [pytest.param(True, results, id=f"{name}, calls with ids") for name, results in {**BY_ID, **WITHOUT_ID}.items()]
    + [pytest.param(False, results, id=f"{name}, calls without") for name, results in WITHOUT_ID.items()],
)
def test_results_find_their_calls(ids: bool, results: list[dict[str, Any]]) -> None:
    call = chat(USER, calls("look", "go", "look", ids=ids, content="Wait."), *results)
    assert pairs(call) == [("look", 0, "A"), ("go", 1, "B"), ("look", 2, "C")]
    assert call.warnings == []


def test_calls_without_ids_get_the_same_ones_each_time() -> None:
    history = [USER, calls("look", "go"), result("A"), result("B"), {"role": "assistant", "content": "so"}]
    first, second = chat(*history, USER).request, chat(*history, USER, calls("look"), result("C")).request
    assert list(second.messages[: len(first.messages)]) == list(first.messages)


def test_arguments_as_text() -> None:
    call = calls("look")
    call["tool_calls"][0]["function"]["arguments"] = '{"n": 5}'
    assert pairs(chat(USER, call, result("A"))) == [("look", 5, "A")]


def test_a_result_without_its_call_is_not_lost() -> None:
    call = chat(USER, result("20 degrees", tool_name="warmth"))
    words = "".join(block["text"] for block in call.request.messages[0]["content"])
    assert words == 'hi<tool_result name="warmth">20 degrees</tool_result>'
    assert "without its call" in call.warnings[0]


def test_unknown_roles_are_refused() -> None:
    assert refusal({"role": "control", "content": "thinking"}).param == "messages[0].role"


def test_a_prompt_with_a_system_text() -> None:
    asked = generate(prompt="hi", system="Be brief.").request
    assert (asked.system, asked.messages[0]["content"]) == (["Be brief."], [TEXT])


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "def f(", "suffix": "):\n    pass"},
        {"prompt": "<|fim_prefix|>def f(<|fim_suffix|>):\n    pass<|fim_middle|>", "raw": True},
        {"prompt": "<PRE> def f( <SUF>):\n    pass <MID>"},
    ],
    ids=["suffix", "raw with markers", "markers alone"],
)
def test_a_hole_is_filled_in(body: dict[str, Any]) -> None:
    call = generate(**body, options={"stop": ["<|fim_middle|>", "\n\n"], "num_predict": 64})
    [message] = call.request.messages
    words = "".join(block["text"] for block in message["content"])
    assert "def f(<fill-in/>):\n    pass" in words
    assert (call.request.max_tokens, call.request.avoid_thinking, call.request.thinking) == (64, True, None)
    assert call.request.stop_sequences == ("</fill-in>",)
    assert call.make_filter is not None
    text_filter = call.make_filter(0)
    assert text_filter.feed("<fill-in>x\n\ny</fill-in>") + text_filter.finish() == "x"
    assert (call.part_of_session, call.typed is not None) == (False, True)


def test_a_raw_prompt_without_markers_is_continued() -> None:
    call = generate(prompt="Once upon a", raw=True, system="In English.")
    assert call.make_filter is not None
    assert call.request.messages[0]["content"][0] == {"type": "text", "text": "Once upon a"}
    assert call.request.system[-1] == "In English."
    assert generate(prompt="Once upon a").make_filter is None


def test_a_body_that_is_no_object() -> None:
    with pytest.raises(Exception, match="The request body must be an object"):
        chat_to_messages([], CONTEXT)
