"""A request's parameters as flag settings: all of them each time, so that none is left over for the next request."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backends.claude_cli.parameters import flag_settings, thinking_tokens
from tests.asking import ask, assistant, text, tool, user

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}


def extra_body(request):
    written = flag_settings(request, request.model)["env"]["CLAUDE_CODE_EXTRA_BODY"]
    return orjson.loads(written) if written else {}


def test_a_plain_request_clears_everything():
    assert flag_settings(ask("Hi"), "claude-opus-5-5") == {
        "model": "claude-opus-5-5",
        "effortLevel": None,
        "env": {"CLAUDE_CODE_EXTRA_BODY": "", "CLAUDE_CODE_MAX_OUTPUT_TOKENS": ""},
    }


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0, 1),
            "top_p": st.floats(0, 1),
            "top_k": st.integers(0, 100),
            "max_tokens": st.integers(1, 64000),
            "effort": st.sampled_from(["low", "max"]),
            "stop_sequences": st.lists(st.text(min_size=1)),
            "thinking": st.sampled_from([{"type": "disabled"}, {"type": "adaptive"}]),
            "output_schema": st.just(SCHEMA),
            "tool_choice": st.sampled_from([{"type": "any"}, {"type": "tool", "name": "look"}]),
        },
    )
)
def test_every_setting_is_said_every_time(parameters):
    settings = flag_settings(ask("Hi", **parameters), "m")
    plain = flag_settings(ask("Hi"), "m")
    assert settings.keys() == plain.keys()
    assert settings["env"].keys() == plain["env"].keys()
    assert all(isinstance(value, str) for value in settings["env"].values())


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ({"temperature": 0.0}, {"temperature": 0.0}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"top_k": 5}, {"top_k": 5}),
        ({"stop_sequences": ("a\n", "b")}, {"stop_sequences": ["a\n", "b"]}),
        ({"stop_sequences": ()}, {}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": {"type": "none"}}),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            {"tool_choice": {"type": "tool", "name": "look"}},
            {"tool_choice": {"type": "tool", "name": "mcp__client__look"}},
        ),
        ({"output_schema": SCHEMA}, {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ({"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}, "context_management": {"edits": []}}),
        ({"thinking": {"type": "adaptive"}}, {}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {}),
        ({"max_tokens": 5, "effort": "high"}, {}),
    ],
    ids=str,
)
def test_what_goes_into_the_api_requests_body(parameters, body):
    assert extra_body(ask("Hi", **parameters)) == body


def test_effort_and_the_longest_answer_are_settings_of_the_cli():
    settings = flag_settings(ask("Hi", max_tokens=77, effort="low"), "m")
    assert settings["effortLevel"] == "low"
    assert settings["env"]["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "77"


def test_a_prefill_takes_the_messages_along_under_the_models_names():
    begun = assistant("I say")
    request = ask("a", assistant(TOOL_USE), user(text("r")), begun, tools=[tool("look")])
    messages = extra_body(request)["messages"]
    assert messages[-1] == begun
    assert messages[1]["content"][0]["name"] == "mcp__client__look"
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant"]


def test_without_a_prefill_the_messages_stay_out():
    assert extra_body(ask("a", assistant("b"), "c")) == {}


@pytest.mark.parametrize(
    ("thinking", "tokens"),
    [
        (None, None),
        ({"type": "disabled"}, None),
        ({"type": "adaptive"}, None),
        ({"type": "enabled", "budget_tokens": 2000}, 2000),
    ],
)
def test_the_budget_for_thinking(thinking, tokens):
    assert thinking_tokens(ask("Hi", thinking=thinking)) == tokens
