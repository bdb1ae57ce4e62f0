"""Requests that the simulator refuses and accepts, model by model."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.models import MODELS
from tests.simulator.refusals import FIELDS, refusal

USER = {"role": "user", "content": "Hi"}
TOOL = {"name": "weather", "input_schema": {"type": "object"}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}
ADAPTIVE = {"type": "adaptive"}
BUDGET = {"type": "enabled", "budget_tokens": 1024}
OFF = {"type": "disabled"}
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()

WITH_BUDGET = [
    "claude-sonnet-4-5",
    "claude-opus-4-5-20251101",
    "claude-haiku-4-5",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
]
MIDDLE = ["claude-opus-4-7", "claude-opus-4-8", "claude-sonnet-5", "claude-opus-5"]
NEWEST = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"]


def body(model: str = "claude-opus-5-5", **fields: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 2048, "messages": [USER], **fields}


def why(model: str = "claude-opus-5-5", **fields: Any) -> str | None:
    refused = refusal(body(model, **fields))
    assert refused is None or (refused.status, refused.type) == (400, "invalid_request_error")
    return None if refused is None else refused.message


@pytest.mark.parametrize("model", MODELS)
def test_takes_a_plain_request(model: str) -> None:
    assert why(model) is None


def test_unknown_model_is_not_found() -> None:
    refused = refusal(body("claude-99"))
    assert refused is not None
    assert (refused.status, refused.type, refused.message) == (404, "not_found_error", "model: claude-99")


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
@pytest.mark.parametrize("model", MIDDLE + NEWEST)
def test_newer_models_refuse_sampling(model: str, name: str) -> None:
    assert why(model, **{name: 1}) == f"`{name}` is deprecated for this model."


@pytest.mark.parametrize("model", WITH_BUDGET)
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"temperature": 0.2}, None),
        ({"top_p": 0.2}, None),
        ({"top_k": 5}, None),
        ({"temperature": 0.2, "top_k": 5}, None),
        ({"temperature": 0.2, "top_p": 0.2}, "cannot both be specified"),
        ({"temperature": 1, "thinking": BUDGET}, None),
        ({"temperature": 0.9, "thinking": BUDGET}, "`temperature` may only be set to 1"),
        ({"temperature": 0.9, "thinking": OFF}, None),
        ({"top_p": 0.95, "thinking": BUDGET}, None),
        ({"top_p": 0.9, "thinking": BUDGET}, "`top_p` must be greater than or equal to 0.95"),
        ({"top_k": 5, "thinking": BUDGET}, "`top_k` must be unset"),
    ],
)
def test_sampling_of_older_models(model: str, fields: dict[str, Any], expected: str | None) -> None:
    message = why(model, **fields)
    assert message is None if expected is None else expected in (message or "")


@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        *[(model, OFF, None) for model in WITH_BUDGET + MIDDLE],
        *[(model, OFF, "disabled") for model in NEWEST],
        *[(model, ADAPTIVE, None) for model in MIDDLE + NEWEST],
        *[(model, BUDGET, "thinking.type.enabled") for model in MIDDLE + NEWEST],
        *[(model, BUDGET, None) for model in WITH_BUDGET],
        ("claude-sonnet-4-5", ADAPTIVE, "adaptive thinking is not supported"),
        ("claude-opus-4-6", ADAPTIVE, None),
        ("claude-sonnet-5-5", {"type": "between_tools"}, None),
        ("claude-opus-5-5", {"type": "between_tools"}, "between_tools"),
        ("claude-sonnet-4-5", {"type": "enabled"}, "budget_tokens: Field required"),
        ("claude-sonnet-4-5", {"type": "enabled", "budget_tokens": 1023}, "greater than or equal to 1024"),
        ("claude-sonnet-4-5", {"type": "enabled", "budget_tokens": 2048}, "`max_tokens` must be greater"),
        ("claude-opus-5-5", {"type": "sometimes"}, "Input tag 'sometimes'"),
    ],
)
def test_thinking(model: str, thinking: dict[str, Any], expected: str | None) -> None:
    message = why(model, thinking=thinking)
    assert message is None if expected is None else expected in (message or "")


@pytest.mark.parametrize(("effort", "refused"), [("high", False), ("xhigh", True), ("max", True)])
def test_opus_5_thinks_at_high_effort(effort: str, refused: bool) -> None:
    assert bool(why("claude-opus-5", thinking=OFF, output_config={"effort": effort})) == refused


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "weather"}])
@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        *[(model, None, None) for model in WITH_BUDGET + MIDDLE],
        *[(model, BUDGET, "Thinking may not be enabled") for model in WITH_BUDGET],
        *[(model, ADAPTIVE, None) for model in MIDDLE],
        *[(model, None, "not supported") for model in NEWEST],
    ],
)
def test_forced_tool(model: str, thinking: Any, choice: dict[str, Any], expected: str | None) -> None:
    message = why(model, thinking=thinking, tools=[TOOL], tool_choice=choice)
    assert message is None if expected is None else expected in (message or "")


@pytest.mark.parametrize("choice", [{"type": "auto"}, {"type": "none"}])
@pytest.mark.parametrize("model", NEWEST)
def test_unforced_choice_is_taken_by_all(model: str, choice: dict[str, Any]) -> None:
    assert why(model, tools=[TOOL], tool_choice=choice) is None


@pytest.mark.parametrize("trailing", [[], [{"role": "system", "content": []}]])
@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        ("claude-sonnet-4-5", None, None),
        ("claude-sonnet-4-5", BUDGET, "must start with a thinking block"),
        ("claude-opus-4-6", None, "assistant message prefill"),
        *[(model, None, "assistant message prefill") for model in MIDDLE + NEWEST],
    ],
)
def test_prefill(model: str, thinking: Any, trailing: list[Any], expected: str | None) -> None:
    message = why(model, thinking=thinking, messages=[USER, {"role": "assistant", "content": "{"}, *trailing])
    assert message is None if expected is None else expected in (message or "")


@pytest.mark.parametrize(("thinking", "refused"), [(OFF, True), (BUDGET, False)])
def test_clearing_thinking_needs_thinking(thinking: dict[str, Any], refused: bool) -> None:
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    message = why("claude-sonnet-4-5", thinking=thinking, context_management=edits)
    expected = "clear_thinking_20251015 strategy requires thinking to be enabled or adaptive"
    assert message == (expected if refused else None)


@pytest.mark.parametrize(
    ("model", "most"),
    [("claude-sonnet-4-5", 64_000), ("claude-opus-5-5", 128_000), ("claude-opus-4-1", 32_000)],
)
def test_max_tokens(model: str, most: int) -> None:
    assert why(model, max_tokens=most) is None
    message = f"max_tokens: {most + 1} > {most}, which is the maximum allowed number of output tokens for {model}"
    assert why(model, max_tokens=most + 1) == message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater"),
        ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
        ({"messages": "Hi"}, "messages: Input should be a valid array"),
        ({"stop_sequences": ["\n"]}, "each stop sequence must contain non-whitespace"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
    ],
)
def test_fields(fields: dict[str, Any], expected: str) -> None:
    assert expected in (why(**fields) or "")


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
def test_required_fields(name: str) -> None:
    fields = body()
    del fields[name]
    refused = refusal(fields)
    assert refused is not None
    assert refused.message == f"{name}: Field required"


@pytest.mark.parametrize(("name", "value"), [("temperature", 1.5), ("temperature", -1), ("top_p", 2), ("top_p", "x")])
def test_ranges(name: str, value: Any) -> None:
    assert (why("claude-sonnet-4-5", **{name: value}) or "").startswith(f"{name}: Input should be")


def test_effort_is_not_for_all() -> None:
    config = {"effort": "low"}
    assert why("claude-sonnet-4-5", output_config=config) == "This model does not support the effort parameter."
    assert why("claude-opus-4-5", output_config=config) is None


def test_four_cache_markers_and_no_more() -> None:
    marked = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    turn = {"role": "user", "content": [marked, marked]}
    tool = {**TOOL, "cache_control": {"type": "ephemeral"}}
    assert why(system=[marked], messages=[turn], tools=[tool]) is None
    message = why(system=[marked, marked], messages=[turn], tools=[tool])
    assert message == "A maximum of 4 blocks with cache_control may be provided. Found 5."


def test_a_mark_on_the_request_counts_as_one_of_four() -> None:
    marked = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    assert why(system=[marked] * 3, cache_control={"type": "ephemeral"}) is None
    assert "Found 5" in (why(system=[marked] * 4, cache_control={"type": "ephemeral"}) or "")


def turns(*contents: Any) -> list[dict[str, Any]]:
    """Turns of the user and the assistant in alternation."""
    roles = ["user", "assistant"]
    return [{"role": roles[at % 2], "content": content} for at, content in enumerate(contents)]


@pytest.mark.parametrize(
    "messages",
    [
        turns("a", [CALL], [RESULT]),
        turns("a", [CALL], [RESULT, {"type": "text", "text": "and?"}], "b", "c"),
        [*turns("a", [CALL]), {"role": "system", "content": "note"}, {"role": "user", "content": [RESULT]}],
        [USER, USER],
        [USER, {"role": "system", "content": [], "output_config": {"effort": "low"}}],
    ],
)
def test_messages_that_are_taken(messages: list[dict[str, Any]]) -> None:
    assert why(messages=messages) is None


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], "at least one message is required"),
        ([{"role": "assistant", "content": "Hi"}, USER], 'first message must use the "user" role'),
        ([{"role": "tool", "content": "Hi"}], "messages.0.role: Input should be"),
        ([{"role": "user"}], "messages.0.content: Field required"),
        (turns(""), "non-empty content"),
        (turns("a", "", "b"), "all messages must have non-empty content"),
        (turns([{"type": "text", "text": ""}]), "text content blocks must be non-empty"),
        (turns([{"type": "text", "text": " "}]), "must contain non-whitespace text"),
        (turns([{"type": "thing"}]), "Input tag 'thing'"),
        (
            turns("a", [CALL], "b"),
            "`tool_use` ids were found without `tool_result` blocks immediately after: toolu_1",
        ),
        (turns("a", [CALL], "b", "c", [RESULT]), "without `tool_result` blocks"),
        (turns([RESULT]), "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
        (turns("a", "b", [RESULT]), "unexpected `tool_use_id`"),
        (turns("a", [CALL], [{**RESULT, "tool_use_id": "toolu_2"}]), "unexpected `tool_use_id`"),
        (turns("a", [{"type": "tool_use"}]), "tool_use.id: Field required"),
        (
            turns("a", [{**CALL, "id": "call.1"}]),
            "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        ),
        (turns("a", [{**CALL, "id": ""}]), "tool_use.id: String should match pattern"),
        (turns("a", [{**CALL, "id": 1}]), "tool_use.id: Input should be a valid string"),
        (turns("a", [{**CALL, "name": "a.b"}]), "tool_use.name: String should match pattern"),
        (turns("a", [{**CALL, "input": []}]), "tool_use.input: Input should be an object"),
        (
            turns("a", [CALL], [{**RESULT, "tool_use_id": "call.1"}]),
            "messages.2.content.0.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        ),
        (
            turns("a", [{"type": "text", "text": "b"}, CALL, CALL]),
            "messages.1.content.2: `tool_use` ids must be unique",
        ),
        (turns("a", [CALL], [RESULT], [CALL], [RESULT]), "messages.3.content.0: `tool_use` ids must be unique"),
        (
            turns("a", [CALL], [RESULT, RESULT]),
            "messages.2.content.1: each tool_use must have a single result. "
            "Found multiple `tool_result` blocks with id: toolu_1",
        ),
        (turns("a", [{"type": "thinking", "thinking": "hm", "signature": "s"}], "b"), "cannot be `thinking`"),
        (
            turns("a", [CALL], [{**RESULT, "is_error": True, "content": [{"type": "image", "source": {}}]}]),
            "all content must be type `text`",
        ),
    ],
)
def test_messages_that_are_refused(messages: list[dict[str, Any]], expected: str) -> None:
    assert expected in (why(messages=messages) or "")


def test_empty_system_text_is_refused() -> None:
    assert why(system=[{"type": "text", "text": ""}]) == "system: text content blocks must be non-empty"


@pytest.mark.parametrize(
    ("kind", "media_type", "data", "expected"),
    [
        ("image", "image/png", PIXEL, None),
        ("document", "application/pdf", PIXEL, None),
        ("image", "image/tiff", PIXEL, "media_type: Input should be 'image/jpeg', "),
        ("document", "image/png", PIXEL, "media_type: Input should be 'application/pdf'"),
        ("image", "image/png", "not base64!", "not valid base64"),
        ("image", "image/png", "", "cannot be empty"),
    ],
)
def test_sources(kind: str, media_type: str, data: str, expected: str | None) -> None:
    block = {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}
    message = why(messages=turns([block]))
    assert message is None if expected is None else expected in (message or "")
    inside = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [block]}
    message = why(messages=turns("a", [CALL], [inside]))
    assert message is None if expected is None else expected in (message or "")


@pytest.mark.parametrize(
    ("tools", "choice", "expected"),
    [
        ([{**TOOL, "name": "a" * 128}], None, None),
        ([{**TOOL, "name": "a" * 129}], None, "tools.0.custom.name: String should match pattern"),
        ([{**TOOL, "name": "a.b"}], None, "should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
        ([{**TOOL, "name": "a\n"}], None, "should match pattern"),
        ([{**TOOL, "name": None}], None, "name: Input should be a valid string"),
        ([TOOL, TOOL], None, "Tool names must be unique"),
        ([{**TOOL, "description": None}], None, "tools.0.custom.description: Input should be a valid string"),
        ([{**TOOL, "strict": True, "cache_control": {"type": "ephemeral"}, "type": "custom"}], None, None),
        ([{**TOOL, "parameters": {}}], None, "tools.0.custom.parameters: Extra inputs are not permitted"),
        ([{"type": "web_search_20250305", "name": "web_search"}], None, None),
        ([], {"type": "auto"}, "may only be specified while providing tools"),
        ([TOOL], {"type": "tool", "name": "other"}, "Tool 'other' not found"),
        ([TOOL], {"type": "required"}, "Input tag 'required'"),
    ],
)
def test_tools(tools: list[Any], choice: Any, expected: str | None) -> None:
    message = why("claude-opus-5", tools=tools, **({"tool_choice": choice} if choice else {}))
    assert message is None if expected is None else expected in (message or "")


def taking(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


NOT_2020_12 = "tools.1.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 ("
AT_TOP_LEVEL = "tools.1.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
PROPERTY_KEYS = "tools.1.custom.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (taking(), None),
        (taking(**{"a.b-C_1": {}, "x" * 64: True}), None),
        (taking(a={"type": "object", "properties": {"filter[name]": {}, "größe": {}}}), None),
        (taking(a={"anyOf": [{"type": "string"}, {"oneOf": [{}]}], "allOf": [{}]}), None),
        (taking(a={"type": "array", "prefixItems": [{}, {}]}), None),
        (taking(a={"type": "string", "pattern": r"\p{Lu}", "format": "no such"}), None),
        ({**taking(), "$schema": "http://json-schema.org/draft-07/schema#", "x-own": 1}, None),
        ({**taking(a={"$ref": "#/definitions/b"}), "definitions": {"b": {}}}, None),
        (None, "tools.1.custom.input_schema: Input should be an object"),
        ({}, "tools.1.custom.input_schema.type: Field required"),
        ({"type": "string"}, "tools.1.custom.input_schema.type: Input should be 'object'"),
        ({"type": ["object", "null"]}, "tools.1.custom.input_schema.type: Input should be 'object'"),
        *[({**taking(), name: [{"required": ["a"]}]}, AT_TOP_LEVEL) for name in ("anyOf", "oneOf", "allOf")],
        *[(taking(**{name: {}}), PROPERTY_KEYS) for name in ("", "filter[name]", "$select", "größe", "a b", "x" * 65)],
        ({**taking(), "required": None}, NOT_2020_12),
        ({**taking(), "properties": None}, NOT_2020_12),
        ({**taking(), "required": ["a", "a"]}, NOT_2020_12),
        (taking(a={"type": "any"}), NOT_2020_12),
        (taking(a={"enum": None}), NOT_2020_12),
        (taking(a={"description": None}), NOT_2020_12),
        (taking(a={"type": "array", "items": [{}, {}]}), NOT_2020_12),
        (taking(a={"type": "number", "minimum": 1, "exclusiveMinimum": True}), NOT_2020_12),
        (taking(a={"type": "object", "required": True}), NOT_2020_12),
        (taking(a={"anyOf": []}), NOT_2020_12),
    ],
)
def test_input_schemas(schema: Any, expected: str | None) -> None:
    message = why(tools=[TOOL, {"name": "odd", "input_schema": schema}])
    assert message is None if expected is None else (message or "").startswith(expected)


def test_missing_input_schema_is_refused() -> None:
    assert why(tools=[{"name": "x"}]) == "tools.0.custom.input_schema: Field required"


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            closed(a={"type": "string", "format": "date"}, b={"type": "array", "items": {"type": "null"}}),
            None,
        ),
        (closed(a={"anyOf": [{"type": "string"}, {"$ref": "#/$defs/x"}]}), None),
        ({"type": "object"}, "'additionalProperties' must be explicitly set to false"),
        (closed(a={"type": "object"}), "'additionalProperties' must be explicitly set to false"),
        ({"type": "object", "additionalProperties": True}, "Please set 'additionalProperties' to false"),
        (
            closed(a={"type": "integer", "minimum": 1}),
            "For 'integer' type, property 'minimum' is not supported",
        ),
        (closed(a={"anyOf": [{"type": "string", "minLength": 1}]}), "'minLength' is not supported"),
        (closed(a={"type": ["number", "null"], "maximum": 1}), "'maximum' is not supported"),
        (closed(a={"type": "array", "items": {}, "minItems": 2}), "values other than 0 or 1"),
    ],
)
def test_schemas(schema: dict[str, Any], expected: str | None) -> None:
    message = why(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert message is None if expected is None else expected in (message or "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "role", "content", "text", "name", "source", "x"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON, max_size=4), st.lists(JSON, max_size=3))
def test_values_of_wrong_types_are_refused_or_taken(fields: dict[str, Any], messages: list[Any]) -> None:
    refused = refusal({**body(messages=messages), **fields})
    assert refused is None or refused.message


@pytest.mark.parametrize("name", ["tools", "thinking", "tool_choice", "output_config", "context_management"])
def test_wrong_types_are_refused(name: str) -> None:
    assert why(**{name: "wrong"})


SEARCH = {"type": "web_search_20250305", "name": "web_search"}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({}, None),
        ({"max_uses": 3, "allowed_domains": ["example.com"]}, None),
        ({"max_uses": 0}, "max_uses"),
        ({"name": "search"}, "name: Input should be 'web_search'"),
        ({"max_content_tokens": 5}, "max_content_tokens: Extra inputs"),
        ({"allowed_domains": ["https://example.com"]}, "Invalid domain"),
        ({"allowed_domains": ["a.com"], "blocked_domains": ["b.com"]}, "only one of"),
        ({"user_location": {"type": "exact"}}, "user_location.type"),
        ({"user_location": {"type": "approximate", "country": "Germany"}}, "country"),
        ({"type": "web_search_19990101"}, "does not match any of the expected tags"),
    ],
)
def test_tools_of_its_own(changes: dict[str, Any], part: str | None) -> None:
    refused = why(tools=[{**SEARCH, **changes}])
    assert (refused is None) if part is None else (part in (refused or ""))


SEARCHED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
PAGE = {"type": "web_search_result", "url": "https://a", "title": "A", "encrypted_content": "ENCx"}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [PAGE]}


@pytest.mark.parametrize(
    ("blocks", "part"),
    [
        ([SEARCHED, FOUND], None),
        ([SEARCHED], "without a corresponding `web_search_tool_result`"),
        ([FOUND], "unexpected `tool_use_id`"),
        ([{**SEARCHED, "id": "toolu_1"}, FOUND], "id: String should match pattern"),
        ([SEARCHED, {**FOUND, "content": [{**PAGE, "encrypted_content": "changed"}]}], "Invalid `encrypted_content`"),
        ([SEARCHED, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1"}], "content: Field required"),
    ],
)
def test_blocks_of_its_own_tools(blocks: list[dict[str, Any]], part: str | None) -> None:
    said = {"type": "text", "text": "So."}
    refused = why(messages=[USER, {"role": "assistant", "content": [*blocks, said]}, USER], tools=[SEARCH])
    assert (refused is None) if part is None else (part in (refused or ""))


def test_a_paused_answer_is_continued_by_every_model() -> None:
    assert why(messages=[USER, {"role": "assistant", "content": [SEARCHED]}], tools=[SEARCH]) is None
