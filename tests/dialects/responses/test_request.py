"""The whole translation of a request: parameters, echo, media, and errors that name the field."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from server.core.errors import InvalidRequest, ModelNotFound
from server.dialects.responses.remote_images import REMOTE_IMAGES
from server.dialects.responses.request import to_count, to_messages
from tests.dialects.chat_completions.samples import PDF, PNG, data_url, image_block
from tests.dialects.responses.samples import (
    CONTEXT,
    body,
    call,
    custom,
    function,
    head_of,
    message,
    namespace,
    output,
    refusal,
    text,
    translate,
    turns,
)
from tests.openai_schema import validate

IMAGE = data_url(PNG, "image/png")
SCHEMA = {"type": "object", "properties": {}}


def image(url: Any, **more: Any) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url, **more}


def file(**members: Any) -> dict[str, Any]:
    return {"type": "input_file", **members}


def check_echo(**more: Any) -> dict[str, Any]:
    """The echo of this request, valid as a part of a response."""
    head = head_of(translate(**more))
    response = {"id": head.response_id, "object": "response", "created_at": head.created_at, "model": head.model}
    validate("Response", {**response, "output": [], "error": None, "incomplete_details": None, **head.echo})
    return dict(head.echo)


def test_the_head() -> None:
    head = head_of(translate(model="my-model"))
    assert (head.response_id, head.created_at, head.model) == ("resp_abc", CONTEXT.created, "my-model")
    assert (head.originator, head.compaction) == ("codex_exec", False)


def test_the_echo_of_a_bare_request_is_complete() -> None:
    echo = check_echo()
    assert echo["text"] == {"format": {"type": "text"}}
    assert (echo["tools"], echo["tool_choice"], echo["parallel_tool_calls"]) == ([], "auto", True)
    assert (echo["temperature"], echo["instructions"], echo["metadata"]) == (None, None, {})
    assert not {"user", "usage", "conversation"} & echo.keys()


def test_the_echo_repeats_what_has_an_effect() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "a"}
    wanted = {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True, "description": None}
    echo = check_echo(
        tools=[
            function("a", strict=True, parameters=SCHEMA, description=None),
            {"name": "b"},
            custom("c", format=grammar),
            namespace("n", function("d"), description="N."),
            {"type": "tool_search", "execution": "client", "parameters": SCHEMA},
            {"type": "web_search", "external_web_access": True},
            {"type": "mcp"},
        ],
        tool_choice={"type": "function", "name": "a", "namespace": None},
        text={"format": wanted, "verbosity": "low"},
        reasoning={"effort": "max", "summary": "none"},
        metadata={"a": "b", "c": 1},
        user="me",
        instructions="Be brief.",
        temperature=2,
        top_p=0.5,
        max_output_tokens=3,
        conversation="conv_1",
        previous_response_id="resp_0",
        prompt_cache_key="key",
        safety_identifier=5,
        store=False,
        parallel_tool_calls=False,
    )
    kinds = ["function", "function", "custom", "namespace", "tool_search", "web_search"]
    assert [tool["type"] for tool in echo["tools"]] == kinds
    assert echo["tools"][5] == {"type": "web_search", "search_context_size": "medium"}
    assert echo["tools"][0] == {"type": "function", "name": "a", "strict": True, "parameters": SCHEMA}
    assert echo["tools"][1] == {"type": "function", "name": "b", "strict": None, "parameters": None}
    assert echo["tools"][3]["tools"][0]["strict"] is None
    assert echo["text"] == {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}}
    assert echo["tool_choice"] == {"type": "function", "name": "a"}
    assert echo["reasoning"] == {"effort": "max", "summary": None}
    assert echo["metadata"] == {"a": "b"}
    assert (echo["conversation"], echo["previous_response_id"]) == ({"id": "conv_1"}, "resp_0")
    assert (echo["user"], echo["prompt_cache_key"], echo["safety_identifier"]) == ("me", "key", None)


def test_parameters() -> None:
    translated = translate(
        max_output_tokens=1,
        temperature=1.5,
        top_p=0.5,
        reasoning={"effort": "minimal", "context": "all_turns"},
        text={"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "description": "An X."}},
        prompt_cache_key="thread",
        stream=True,
        session_id="mine",
    )
    request = translated.request
    assert (request.max_tokens, request.temperature, request.top_p, request.effort) == (1, 1.0, 0.5, "low")
    assert request.output_schema == {"description": "An X.", **SCHEMA}
    assert (translated.stream, request.session_id) == (True, "mine")
    assert translated.warnings == ["parameter temperature goes up to 1 with Claude: 1.5 was lowered to 1"]


def test_the_cache_key_and_the_thread_are_no_session() -> None:
    headers = {"thread-id": "thread", "session-id": "thread", "x-client-request-id": "thread"}
    context = replace(CONTEXT, header=headers.get)
    assert to_messages(body(prompt_cache_key="thread"), context).request.session_id is None


@pytest.mark.parametrize(
    ("given", "effort"),
    [("none", None), ("minimal", "low"), *((same, same) for same in ("low", "medium", "high", "xhigh", "max"))],
)
def test_effort(given: str, effort: str | None) -> None:
    request = translate(reasoning={"effort": given}).request
    assert request.effort == effort
    assert request.thinking == ({"type": "disabled"} if given == "none" else None)


def test_a_later_update_of_the_configuration_counts() -> None:
    update: Any = {"type": "configuration_update", "reasoning": {"effort": "low"}}
    plain: Any = {"type": "configuration_update", "text": {"format": {"type": "text"}}}
    request = translate(
        message("user", "a"), update, plain, reasoning={"effort": "max"}, text=update.get("text")
    ).request
    assert (request.effort, request.output_schema, request.json_object) == ("low", None, False)
    json_body: Any = {"text": {"format": {"type": "json_object"}}}
    assert translate(**json_body).request.json_object
    assert not translate(message("user", "a"), plain, **json_body).request.json_object


@pytest.mark.parametrize(
    ("member", "asks", "idle"),
    [
        ("truncation", "auto", "disabled"),
        ("top_logprobs", 3, 0),
        ("max_tool_calls", 3, None),
        ("prompt", {"id": "pmpt_1"}, None),
        ("include", ["message.output_text.logprobs"], ["reasoning.encrypted_content"]),
        ("text", {"verbosity": "low"}, {"verbosity": "medium"}),
    ],
)
def test_what_claude_does_not_have_is_named_where_it_asks_for_something(member: str, asks: Any, idle: Any) -> None:
    assert member in translate(**{member: asks}).warnings[0]
    assert translate(**{member: idle}).warnings == []


def test_what_is_passed_over_in_silence() -> None:
    passed_over = {
        "user": "me", "safety_identifier": "x", "service_tier": "flex", "prompt_cache_key": "x",
        "prompt_cache_retention": "24h", "client_metadata": {"a": "b"}, "context_management": [{"type": "compaction"}],
        "access_programs": {"cyber": "standard"}, "metadata": {"a": "b"}, "moderation": {"model": "x"},
        "stream_options": {"include_obfuscation": True},
    }  # fmt: skip
    assert translate(**passed_over).warnings == []


def test_media_in_messages_and_outputs() -> None:
    parts = [{"type": "input_text", "text": "a"}, image(IMAGE, detail="high")]
    pdf = file(filename="a.pdf", file_data=base64.b64encode(PDF).decode())
    got = turns(message("user", [*parts, pdf]), call("1"), output("1", parts))
    picture = image_block(PNG, "image/png")
    assert got[0][1][:2] == [text("a"), picture]
    assert (got[0][1][2]["type"], got[0][1][2]["title"]) == ("document", "a.pdf")
    assert got[2][1][0]["content"] == [text("a"), picture]


def test_web_addresses_are_found_and_replaced() -> None:
    url = "https://example.com/"
    items = [
        message("user", [image(url + "1"), file(file_url=url + "2", filename="a.pdf"), image(IMAGE)]),
        call("1"),
        output("1", [image(url + "3")]),
        "odd",
    ]
    assert REMOTE_IMAGES.find({"input": items}) == [url + "1", url + "2", url + "3"]
    assert REMOTE_IMAGES.find({"input": "text"}) == REMOTE_IMAGES.find({}) == REMOTE_IMAGES.find([]) == []
    pdf = data_url(PDF, "application/pdf")
    fetched = {url + "1": IMAGE, url + "2": pdf, url + "3": IMAGE}
    replaced = REMOTE_IMAGES.replace({"input": items}, fetched)["input"]
    assert replaced[0]["content"] == [image(IMAGE), file(filename="a.pdf", file_data=pdf), image(IMAGE)]
    assert replaced[2]["output"] == [image(IMAGE)]


@pytest.mark.parametrize(
    ("items", "more", "param", "said"),
    [
        ([{"role": "user", "content": [image(None)]}], {}, "input[0].content[0].image_url", "missing"),
        ([{"role": "user", "content": [image("cat.png")]}], {}, "input[0].content[0].image_url", "data URL"),
        ([{"role": "user", "content": [image("https://a/b")]}], {}, "input[0].content[0].image_url", "fetch_images"),
        ([{"role": "user", "content": [image(None, file_id="f")]}], {}, "input[0].content[0].file_id", "uploaded"),
        ([{"role": "user", "content": [file(file_id="f")]}], {}, "input[0].content[0].file_id", "`file_data`"),
        ([{"role": "user", "content": [file(file_url="http://a")]}], {}, "input[0].content[0].file_url", "fetch_image"),
        ([{"role": "user", "content": [file()]}], {}, "input[0].content[0].file_data", "missing"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], {}, "input[0].content[0].type", "audio"),
        ([{"role": "user", "content": [{"type": "x"}]}], {}, "input[0].content[0].type", "input_text"),
        ([{"role": "user", "content": [{"type": "input_text"}]}], {}, "input[0].content[0].text", "missing"),
        ([{"role": "user", "content": 5}], {}, "input[0].content", "a string or a list"),
        ([message("assistant", [image(IMAGE)])], {}, "input[0].content[0].type", "from the user alone"),
        ([message("system", [file(file_data="aGk=")])], {}, "input[0].content[0].type", "from the user alone"),
        ([{"role": "tool", "content": "a"}], {}, "input[0].role", "'tool'"),
        ([{"type": "message", "content": "a"}], {}, "input[0].role", "missing"),
        ([{"type": "something"}], {}, "input[0].type", "must be one of"),
        (["a"], {}, "input[0]", "must be an object"),
        ([call("1", arguments={})], {}, "input[0].arguments", "a string"),  # type: ignore[arg-type]
        ([call("")], {}, "input[0].call_id", "empty"),
        ([{"type": "function_call", "name": "a"}], {}, "input[0].call_id", "missing"),
        ([call("1", arguments='{"a":' * 200 + "1" + "}" * 200)], {}, "input[0].arguments", "nested deeper"),
        ([call("1"), output("1", [image("x")])], {}, "input[1].output[0].image_url", "data URL"),
        ([{"id": "msg_1"}], {}, "input[0].id", "not stored"),
        ([{"type": "item_reference", "id": "rs_1"}], {}, "input[0].id", "Send the item itself"),
        ([], {"input": 5}, "input", "a string or a list"),
        ([], {"instructions": 5}, "instructions", "a string"),
        ([], {"background": "yes"}, "background", "a boolean"),
        ([], {"max_output_tokens": 0}, "max_output_tokens", ">= 1"),
        ([], {"temperature": 3}, "temperature", "<= 2"),
        ([], {"reasoning": {"effort": "ultra"}}, "reasoning.effort", "'ultra'"),
        ([], {"text": {"format": {"type": "xml"}}}, "text.format.type", "'xml'"),
        ([], {"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema", "missing"),
        ([], {"tools": [{"type": "function"}]}, "tools[0].name", "missing"),
        ([], {"tools": [{"type": "telepathy"}]}, "tools[0].type", "'telepathy'"),
        ([], {"tools": [namespace("n", {"type": "mcp"})]}, "tools[0].tools[0].type", "'mcp'"),
        ([], {"stream": "yes"}, "stream", "a boolean"),
    ],
)  # fmt: skip
def test_errors_name_the_field(items: list[Any], more: dict[str, Any], param: str, said: str) -> None:
    error = refusal(*items, **more)
    assert error.param == param
    assert said in str(error)


@pytest.mark.parametrize("anything", [None, 5, "hi", [], True])
def test_a_body_that_is_no_object(anything: Any) -> None:
    with pytest.raises(InvalidRequest):
        to_messages(anything, CONTEXT)


def test_an_unknown_model() -> None:
    with pytest.raises(ModelNotFound):
        translate(model="llama")


def test_counting_takes_the_same_input() -> None:
    counted = to_count(body(message("user", "a"), tools=[function("x")], instructions="s"), CONTEXT)
    asked = translate(message("user", "a"), tools=[function("x")], instructions="s").request
    assert counted == asked
