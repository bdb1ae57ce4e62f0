"""Fitting requests to models: refused parameters are dropped or emulated, with a warning."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest
from server.core.messages import EFFORTS, MessagesRequest, text_block
from server.models import FittedRequest, capabilities_of, fit_request

MODELS = [
    "claude-opus-5-5",
    "claude-opus-5",
    "claude-opus-4-7",
    "claude-sonnet-4-6",
    "claude-opus-4-5",
    "claude-haiku-4-5",
    "claude-3-haiku-20240307",
    "default",
]
OFF = {"type": "disabled"}
TOOLS = [{"name": name, "description": "", "input_schema": {"type": "object"}} for name in ("look", "listen")]
NAMED = {"type": "tool", "name": "listen", "disable_parallel_tool_use": True}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
CLEAR = {"type": "clear_thinking_20251015", "keep": "all"}
USES = {"type": "clear_tool_uses_20250919"}


def user(text="hello"):
    return {"role": "user", "content": [text_block(text)]}


def assistant(*blocks):
    return {"role": "assistant", "content": [text_block(b) if isinstance(b, str) else b for b in blocks]}


def request(messages=None, **fields):
    messages = [user()] if messages is None else messages
    return MessagesRequest(model="m", requested_model="m", messages=messages, **fields)


def fitted(model, messages=None, **fields):
    return fit_request(request(messages, **fields), capabilities_of(model))


def unasked_thinking(model):
    """Return the thinking of a request without any: off on models with a budget."""
    return {"type": "disabled"} if capabilities_of(model).thinking_budget else None


@pytest.mark.parametrize("model", MODELS)
def test_a_plain_request_is_left_as_it_is(model):
    plain = request(max_tokens=1000, stop_sequences=("x",), tools=TOOLS, tool_choice={"type": "auto"})
    expected = plain.with_changes(thinking=unasked_thinking(model))
    assert fit_request(plain, capabilities_of(model)) == FittedRequest(expected, [], "none")


@pytest.mark.parametrize("model", MODELS)
def test_a_temperature_of_1_is_nobodys_wish(model):
    result = fitted(model, temperature=1.0, top_p=1)
    assert (result.request.temperature, result.request.top_p) == (None, None)
    assert result.request.thinking == unasked_thinking(model)
    assert result.warnings == []


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-opus-5", "claude-opus-4-7", "default"])
def test_sampling_that_is_refused_is_left_out_with_a_warning_for_each(model):
    result = fitted(model, temperature=0.2, top_p=0.5, top_k=4)
    assert (result.request.temperature, result.request.top_p, result.request.top_k) == (None, None, None)
    assert result.warnings == [
        f"{name} is not taken by {model} and was left out" for name in ("temperature", "top_p", "top_k")
    ]
    assert result.request.thinking is None


@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-haiku-4-5"])
def test_sampling_switches_thinking_off_where_nobody_asked_for_it(model):
    result = fitted(model, temperature=0.2, top_p=0.5)
    assert (result.request.temperature, result.request.top_p, result.request.thinking) == (0.2, None, OFF)
    assert result.warnings == [f"top_p is not taken by {model} together with temperature and was left out"]


@pytest.mark.parametrize(
    "asked",
    [{"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"thinking": {"type": "adaptive"}}, {"effort": "low"}],
)
@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-4-5"])
def test_sampling_gives_way_to_thinking_that_was_asked_for(model, asked):
    result = fitted(model, temperature=0.2, **asked)
    assert result.request.temperature is None
    assert f"temperature is not taken by {model} while it thinks and was left out" in result.warnings
    assert result.request.thinking != OFF


@pytest.mark.parametrize(("given", "sent"), [(1.7, None), (-1, 0.0), (0, 0), (0.99, 0.99)])
def test_a_temperature_of_openais_range_is_clamped(given, sent):
    result = fitted("claude-sonnet-4-6", temperature=given)
    assert result.request.temperature == sent
    assert [warning.partition(" and")[0] for warning in result.warnings] == (
        [] if 0 <= given <= 1 else [f"temperature of {given:g} is outside of 0 to 1"]
    )


@pytest.mark.parametrize("model", ["claude-opus-5-5", "default"])
def test_thinking_that_cannot_be_off_has_low_effort(model):
    result = fitted(model, thinking=OFF)
    assert (result.request.thinking, result.request.effort) == (None, "low")
    assert len(result.warnings) == 1
    assert fitted(model, thinking=OFF, effort="high").request.effort == "high"


@pytest.mark.parametrize("model", ["claude-opus-5", "claude-opus-4-7", "claude-sonnet-4-6", "claude-haiku-4-5"])
def test_thinking_is_off_where_it_can_be(model):
    result = fitted(model, thinking=OFF)
    assert (result.request.thinking, result.warnings) == (OFF, [])


@pytest.mark.parametrize("effort", ["xhigh", "max"])
def test_opus_5_has_no_thinking_off_at_its_highest_efforts(effort):
    assert fitted("claude-opus-5", thinking=OFF, effort=effort).request.effort == "high"
    assert fitted("claude-opus-5", effort=effort).request.effort == effort
    assert fitted("claude-opus-4-7", thinking=OFF, effort=effort).request.effort == effort


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        ("claude-opus-5-5", "max", "max"),
        ("claude-sonnet-4-6", "xhigh", "high"),
        ("claude-sonnet-4-6", "max", "max"),
        ("claude-opus-4-5", "max", "high"),
        ("claude-opus-4-5", "medium", "medium"),
    ],
)
def test_effort_is_the_nearest_lower_one(model, asked, sent):
    result = fitted(model, effort=asked)
    assert result.request.effort == sent
    assert len(result.warnings) == (asked != sent)


@pytest.mark.parametrize(("effort", "budget"), [("low", 4096), ("medium", 10_000), ("high", 24_000), ("max", 24_000)])
def test_a_thinking_budget_stands_for_an_effort(effort, budget):
    result = fitted("claude-haiku-4-5", effort=effort)
    assert result.request.effort is None
    assert result.request.thinking == {"type": "enabled", "budget_tokens": budget}
    assert f"{budget} tokens" in result.warnings[0]
    assert fitted("claude-haiku-4-5", effort=effort, thinking=OFF).request.thinking == OFF


@pytest.mark.parametrize(
    ("budget", "max_tokens", "sent"),
    [
        (2000, 4000, 2000),
        (2000, None, 2000),
        (63_999, None, 63_999),
        (64_000, None, 32_000),
        (10, 4000, 1024),
        (9000, 4000, 2000),
        (9000, 1500, 1024),
        (2000, 1024, None),
        (2000, 5, None),
    ],
)
def test_a_budget_fits_into_max_tokens(budget, max_tokens, sent):
    thinking = {"type": "enabled", "budget_tokens": budget}
    result = fitted("claude-sonnet-4-5", thinking=thinking, max_tokens=max_tokens)
    assert result.request.thinking == (OFF if sent is None else {"type": "enabled", "budget_tokens": sent})
    assert len(result.warnings) == (budget != sent)


@pytest.mark.parametrize("model", ["claude-opus-4-1", "claude-sonnet-4-0"])
def test_without_max_tokens_a_budget_fits_into_what_is_asked_for_then(model):
    """For models with a known and an unknown maximum."""
    thinking = {"type": "enabled", "budget_tokens": 32_000}
    assert fitted(model, thinking=thinking).request.thinking["budget_tokens"] == 16_000


def test_adaptive_thinking_and_budgets_become_what_the_model_knows():
    budget = {"type": "enabled", "budget_tokens": 10_000}
    result = fitted("claude-sonnet-4-5", thinking={"type": "adaptive"})
    assert (result.request.thinking, len(result.warnings)) == (budget, 1)
    result = fitted("claude-opus-5-5", thinking=budget)
    assert (result.request.thinking, len(result.warnings)) == ({"type": "adaptive"}, 1)


class TestForcedTool:
    @pytest.mark.parametrize("model", ["claude-opus-5-5", "default"])
    def test_a_named_tool_is_emulated(self, model):
        result = fitted(model, tools=TOOLS, tool_choice=NAMED, system=("Be kind.",))
        assert list(result.request.tools) == TOOLS[1:]
        assert result.request.tool_choice == {"type": "auto", "disable_parallel_tool_use": True}
        assert result.request.system == ("Be kind.", "Answer by calling the tool listen.")
        assert result.warnings == [f"tool_choice 'tool' is not taken by {model} and was emulated by an instruction"]

    def test_any_tool_is_emulated_with_all_of_them(self):
        result = fitted("claude-opus-5-5", tools=TOOLS, tool_choice={"type": "any"})
        assert list(result.request.tools) == TOOLS
        assert result.request.tool_choice == {"type": "auto"}
        assert result.request.system == ("Answer by calling one of the tools.",)

    @pytest.mark.parametrize("model", ["claude-opus-5", "claude-opus-4-7"])
    def test_models_that_take_it_get_it(self, model):
        result = fitted(model, tools=TOOLS, tool_choice=NAMED, effort="high")
        assert (result.request.tool_choice, result.request.thinking, result.warnings) == (NAMED, None, [])

    @pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-haiku-4-5"])
    def test_thinking_gives_way_only_if_nobody_asked_for_it(self, model):
        result = fitted(model, tools=TOOLS, tool_choice=NAMED)
        assert (result.request.tool_choice, result.request.thinking, result.warnings) == (NAMED, OFF, [])
        result = fitted(model, tools=TOOLS, tool_choice=NAMED, effort="high")
        assert result.request.tool_choice["type"] == "auto"
        assert result.request.thinking != OFF

    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize(("tools", "name"), [(TOOLS, "smell"), ((), "look")])
    def test_a_tool_that_is_not_there(self, model, tools, name):
        with pytest.raises(InvalidRequest, match=f"Tool '{name}' not found"):
            fitted(model, tools=tools, tool_choice={"type": "tool", "name": name})

    @pytest.mark.parametrize("kind", ["auto", "none"])
    def test_what_forces_nothing_is_left_alone(self, kind):
        result = fitted("claude-opus-5-5", tools=TOOLS, tool_choice={"type": kind})
        assert (result.request.tool_choice, result.warnings) == ({"type": kind}, [])


class TestPrefill:
    def test_it_is_native_where_it_is_taken(self):
        result = fitted("claude-haiku-4-5", [user(), assistant("The answer", " is (  \n")])
        assert result.prefill == "native"
        assert result.request.messages == (user(), assistant("The answer is ("))
        assert (result.request.thinking, result.warnings) == (OFF, [])

    @pytest.mark.parametrize(
        ("model", "asked"),
        [("claude-opus-5-5", {}), ("claude-sonnet-4-6", {}), ("default", {}), ("claude-haiku-4-5", {"effort": "low"})],
    )
    def test_it_is_emulated_elsewhere(self, model, asked):
        result = fitted(
            model, [user("one"), assistant("two"), user("three"), assistant("{ "), assistant('"a":')], **asked
        )
        assert result.prefill == "emulated"
        *before, last = result.request.messages
        assert before == [user("one"), assistant("two")]
        assert last["role"] == "user"
        assert last["content"][0] == text_block("three")
        assert last["content"][1]["text"].endswith('without remarks of your own:\n\n{ "a":')
        assert any("prefill" in warning for warning in result.warnings)

    def test_it_may_be_all_there_is(self):
        result = fitted("claude-opus-5-5", [assistant("Once upon")])
        assert [message["role"] for message in result.request.messages] == ["user"]

    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("blocks", [[], ["  \n"], [{"type": "thinking", "thinking": "hm", "signature": ""}]])
    def test_one_without_text_is_left_out(self, model, blocks):
        result = fitted(model, [user(), assistant(*blocks)])
        assert (list(result.request.messages), result.prefill, result.warnings) == ([user()], "none", [])
        with pytest.raises(InvalidRequest):
            fitted(model, [assistant(*blocks)])

    @pytest.mark.parametrize("model", MODELS)
    def test_an_unanswered_tool_call_is_none(self, model):
        call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
        with pytest.raises(InvalidRequest, match="toolu_1") as raised:
            fitted(model, [user(), assistant("so", call)])
        assert raised.value.param == "messages.1"


def test_no_messages():
    with pytest.raises(InvalidRequest):
        fitted("claude-opus-5-5", [])


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        ("claude-opus-5-5", 128_000, 128_000),
        ("claude-opus-5-5", 200_000, 128_000),
        ("claude-haiku-4-5", 100_000, 64_000),
        ("default", 1_000_000, 1_000_000),
    ],
)
def test_max_tokens_is_capped(model, asked, sent):
    result = fitted(model, max_tokens=asked)
    assert result.request.max_tokens == sent
    assert len(result.warnings) == (asked != sent)


def test_stop_sequences_that_the_api_refuses_are_watched_in_the_text():
    result = fitted("claude-opus-5-5", stop_sequences=["\n", "END", "", " END "])
    assert result.request.stop_sequences == ("END", " END ")
    assert result.watched_stops == ("\n",)
    assert result.warnings == []


def test_surplus_stop_sequences_are_watched_in_the_text():
    stops = [f"stop {number}" for number in range(20)]
    result = fitted("claude-opus-5-5", stop_sequences=stops)
    assert [*result.request.stop_sequences, *result.watched_stops] == stops
    assert len(result.request.stop_sequences) == 16


@pytest.mark.parametrize(
    ("model", "thinking", "effort"),
    [("claude-opus-5-5", None, "low"), ("claude-opus-4-7", OFF, None), ("claude-haiku-4-5", OFF, None)],
)
def test_thinking_that_is_to_be_avoided_is_least_without_a_warning(model, thinking, effort):
    result = fitted(model, avoid_thinking=True)
    assert (result.request.thinking, result.request.effort) == (thinking, effort)
    assert result.warnings == []


def test_thinking_that_is_asked_for_is_not_avoided():
    assert fitted("claude-opus-5-5", avoid_thinking=True, effort="high").request.effort == "high"
    asked = {"type": "adaptive"}
    assert fitted("claude-opus-5-5", avoid_thinking=True, thinking=asked).request.thinking == asked


class TestOutputFormat:
    def test_a_schema_is_brought_into_the_apis_subset(self):
        result = fitted("claude-opus-5-5", output_schema=SCHEMA)
        assert result.request.output_schema["additionalProperties"] is False
        assert result.warnings == ["the output schema's minimum cannot be enforced and became descriptions"]
        assert result.request.system == ()

    def test_what_is_written_in_another_way_is_told(self):
        either = {"oneOf": [{"type": "null"}, {"type": "string", "maxLength": 3}]}
        schema = {"type": "object", "properties": {"a": either}, "additionalProperties": True}
        assert fitted("claude-opus-5-5", output_schema=schema).warnings == [
            "the output schema's additionalProperties cannot be enforced and became false",
            "the output schema's maxLength cannot be enforced and became descriptions",
            "the output schema's oneOf cannot be enforced and became anyOf",
        ]

    @pytest.mark.parametrize(
        ("model", "schema"),
        [("claude-3-haiku-20240307", SCHEMA), ("claude-opus-5-5", {"type": "object"}), ("claude-opus-5-5", {})],
    )
    def test_else_it_is_an_instruction(self, model, schema):
        result = fitted(model, output_schema=schema, system=("Be kind.",))
        assert result.request.output_schema is None
        assert result.request.system[0] == "Be kind."
        assert "JSON Schema" in result.request.system[1]
        assert len(result.warnings) == 1

    @pytest.mark.parametrize("model", MODELS)
    def test_any_json_object_is_an_instruction(self, model):
        result = fitted(model, json_object=True)
        assert (result.request.json_object, result.warnings) == (False, [])
        assert "JSON object" in result.request.system[0]

    def test_a_schema_too_deep_to_write(self):
        schema = {}
        for _ in range(400):
            schema = {"not": schema}
        with pytest.raises(InvalidRequest):
            fitted("claude-opus-5-5", output_schema=schema)


TEXTS = st.text(max_size=5)
MESSAGES = st.lists(
    st.builds(
        lambda role, texts: {"role": role, "content": [text_block(text) for text in texts]},
        st.sampled_from(["user", "assistant"]),
        st.lists(TEXTS, max_size=3),
    ),
    max_size=4,
)
THINKING = st.one_of(
    st.just(OFF),
    st.just({"type": "adaptive"}),
    st.builds(lambda n: {"type": "enabled", "budget_tokens": n}, st.integers(0, 50_000)),
)
CHOICES = st.one_of(
    st.sampled_from([{"type": kind} for kind in ("auto", "any", "none")]),
    st.sampled_from([{"type": "tool", "name": name} for name in ("look", "smell")]),
)
SCHEMAS = st.sampled_from([{}, {"type": "object"}, SCHEMA, {"type": ["string", "null"]}, {"allOf": [{"type": "null"}]}])
REQUESTS = st.builds(
    MessagesRequest,
    model=st.just("m"),
    requested_model=st.just("m"),
    messages=MESSAGES,
    system=st.lists(TEXTS, max_size=2).map(tuple),
    tools=st.sampled_from([(), tuple(TOOLS)]),
    tool_choice=st.none() | CHOICES,
    max_tokens=st.none() | st.integers(1, 200_000),
    temperature=st.none() | st.floats(-1, 3),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(0, 100),
    stop_sequences=st.lists(TEXTS, max_size=3).map(tuple),
    effort=st.none() | st.sampled_from(EFFORTS),
    thinking=st.none() | THINKING,
    output_schema=st.none() | SCHEMAS,
    json_object=st.booleans(),
)


@given(asked=REQUESTS, model=st.sampled_from(MODELS))
def test_fitting_twice_is_fitting_once(asked, model):
    caps = capabilities_of(model)
    with contextlib.suppress(InvalidRequest):
        once = fit_request(asked, caps)
        twice = fit_request(once.request, caps)
        assert twice.request == once.request
        assert twice.warnings == []


@given(asked=REQUESTS, model=st.sampled_from(MODELS))
def test_what_is_fitted_is_what_the_model_takes(asked, model):
    caps = capabilities_of(model)
    with contextlib.suppress(InvalidRequest):
        sent = fit_request(asked, caps).request
        off = sent.thinking == OFF
        sampling = [value for value in (sent.temperature, sent.top_p) if value is not None]
        assert len(sampling) <= (caps.sampling and off)
        assert caps.thinking_off or not off
        assert sent.effort is None or sent.effort in (caps.thinking_off_efforts if off else caps.efforts)
        assert (sent.tool_choice or {}).get("type") not in ("any", "tool") or (
            caps.forced_tool and (off or caps.forced_tool_thinking)
        )
        assert sent.messages[-1]["role"] == "user" or (caps.prefill and off)
        if sent.thinking and sent.thinking["type"] == "enabled":
            assert 1024 <= sent.thinking["budget_tokens"] < (sent.max_tokens or caps.default_max_tokens)


@pytest.mark.parametrize(("effort", "budget"), [("low", 4096), ("medium", 10_000), ("high", 24_000)])
def test_effort_on_a_model_with_both_means_thinking(effort, budget):
    result = fitted("claude-opus-4-5", effort=effort)
    assert result.request.thinking == {"type": "enabled", "budget_tokens": budget}
    assert result.request.effort == effort
    assert result.warnings == []


def test_effort_and_few_tokens_do_without_thinking():
    result = fitted("claude-opus-4-5", effort="low", max_tokens=100)
    assert result.request.thinking == {"type": "disabled"}
    assert len(result.warnings) == 1


CALL = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "r"}]}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}


@pytest.mark.parametrize(("blocks", "thinks"), [([THOUGHT, CALL], True), ([CALL], False)])
def test_thinking_goes_on_after_a_tool_call_only_with_what_was_thought(blocks, thinks):
    result = fitted("claude-sonnet-4-5", [user(), assistant(*blocks), RESULT], effort="high")
    assert (result.request.thinking["type"] == "enabled") is thinks
    assert bool([warning for warning in result.warnings if "left out" in warning]) is not thinks


@pytest.mark.parametrize(
    ("content", "sent", "said"),
    [
        (["A", CALL], ["A", CALL], ""),
        (["A", CALL, "B"], ["A", "B", CALL], "before the call"),
        ([THOUGHT, CALL, "B", {**CALL, "id": "t2"}], [THOUGHT, "B", CALL, {**CALL, "id": "t2"}], "before the call"),
        ([THOUGHT, "A"], [THOUGHT, "A"], ""),
        ([THOUGHT], None, "thinking alone"),
    ],
)
def test_past_answers_are_brought_into_the_order_that_is_taken(content, sent, said):
    messages = [user(), assistant(*content), user("on")]
    result = fitted("claude-opus-5-5", messages)
    assert list(result.request.messages) == [user(), *([] if sent is None else [assistant(*sent)]), user("on")]
    assert [said in warning for warning in result.warnings] == ([True] if said else [])


def test_old_thinking_is_not_edited_where_thinking_is_off():
    native = {"context_management": {"edits": [CLEAR, USES]}, "container": "c"}
    asked = request(native=native, thinking=OFF)
    fitted = fit_request(asked, capabilities_of("claude-opus-4-7"))
    assert fitted.request.native == {"context_management": {"edits": [USES]}, "container": "c"}
    assert "clear_thinking" in fitted.warnings[0]
    assert fit_request(request(native=native), capabilities_of("claude-opus-4-7")).request.native == native


def test_a_paused_answer_is_no_prefill():
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    asked = request([user(), assistant("Let me see.", call)])
    fitted = fit_request(asked, capabilities_of("claude-opus-5-5"))
    assert (fitted.request.messages, fitted.prefill, fitted.warnings) == (asked.messages, "none", [])


def test_tools_of_anthropic_stay_as_they_are():
    tools = [{"type": "web_search_20250305", "name": "web_search"}, {"type": "computer_toolset_20260801"}, *TOOLS]
    fitted = fit_request(request(tools=tools), capabilities_of("claude-opus-5-5"))
    assert (list(fitted.request.tools), fitted.warnings) == (tools, [])
