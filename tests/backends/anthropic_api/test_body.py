"""Request bodies for the API, model by model."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backends.anthropic_api.body import build_count_body, build_headers, build_messages_body
from server.core.errors import InvalidRequest
from server.models import capabilities_of, fit_request
from server.models.table import FALLBACK_MAX_TOKENS
from tests.asking import ask, assistant, text, tool, user
from tests.models.test_fitting_against_the_api import REQUESTS
from tests.simulator.models import MODELS
from tests.simulator.refusals import refusal

NEWEST = "claude-opus-5-5"
SUMMARIZED = {"type": "adaptive", "display": "summarized"}


def body(request, model=NEWEST):
    return build_messages_body(request, capabilities_of(model))


@given(asked=REQUESTS, model=st.sampled_from(sorted(MODELS)), limited=st.booleans())
def test_nothing_fitted_is_refused(asked, model, limited):
    caps = capabilities_of(model)
    with contextlib.suppress(InvalidRequest):
        fitted = fit_request(asked if limited else asked.with_changes(max_tokens=None), caps).request
        assert refusal(build_messages_body(fitted, caps)) is None
        assert refusal({**build_count_body(fitted, caps), "max_tokens": MODELS[model].max_tokens}) is None


def test_everything_that_was_asked_for_goes_along():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    turns = [user("a", image), assistant("b"), user("c")]
    request = ask(
        *turns,
        system=["Be brief.", " ", "Be kind."],
        tools=[tool("look")],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
        max_tokens=100,
        temperature=0.5,
        top_k=3,
        stop_sequences=("X",),
        effort="low",
        thinking={"type": "disabled"},
        output_schema=schema,
    )
    assert body(request) == {
        "model": NEWEST,
        "messages": turns,
        "system": [text("Be brief."), text("Be kind.")],
        "tools": [tool("look")],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "max_tokens": 100,
        "temperature": 0.5,
        "top_k": 3,
        "stop_sequences": ["X"],
        "thinking": {"type": "disabled"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": schema}},
        "stream": True,
        "cache_control": {"type": "ephemeral"},
    }


def test_what_was_not_asked_for_does_not():
    assert body(ask("Hi"), "claude-haiku-4-5").keys() == {"model", "messages", "max_tokens", "stream", "cache_control"}
    without_tools = ask("Hi", tool_choice={"type": "auto"})
    assert "tool_choice" not in body(without_tools)


@pytest.mark.parametrize(
    ("model", "limit"),
    [(NEWEST, 128_000), ("claude-haiku-4-5", 64_000), ("claude-opus-4-1", 32_000), ("claude-x-9", FALLBACK_MAX_TOKENS)],
)
def test_the_largest_answer_is_allowed_unless_the_client_says_less(model, limit):
    assert body(ask("Hi"), model)["max_tokens"] == limit
    assert body(ask("Hi", max_tokens=7), model)["max_tokens"] == 7


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (NEWEST, {}, SUMMARIZED),
        (NEWEST, {"thinking": {"type": "adaptive"}}, SUMMARIZED),
        ("claude-opus-4-6", {}, None),
        ("claude-opus-4-6", {"effort": "low"}, SUMMARIZED),
        ("claude-opus-4-6", {"thinking": {"type": "disabled"}}, {"type": "disabled"}),
        ("claude-opus-4-5", {"effort": "low"}, None),
        (
            "claude-opus-4-5",
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            {"type": "enabled", "budget_tokens": 2000},
        ),
    ],
)
def test_thinking(model, asked, sent):
    assert body(ask("Hi", **asked), model).get("thinking") == sent


def test_only_the_apis_own_thinking_goes_back():
    signed = {"type": "thinking", "thinking": "mine", "signature": "s"}
    unsigned = {"type": "thinking", "thinking": "another's", "signature": ""}
    sent = body(ask("a", assistant(unsigned, signed, "b"), "c", assistant(unsigned), "d"))["messages"]
    assert [turn["content"] for turn in sent] == [[text("a")], [signed, text("b")], [text("c")], [text("d")]]


def test_a_tool_without_a_description():
    nameless = {**tool("look"), "description": ""}
    assert body(ask("Hi", tools=[nameless]))["tools"] == [
        {"name": "look", "input_schema": {"type": "object", "properties": {}}}
    ]


def test_what_is_counted_has_nothing_of_the_answer():
    request = ask("Hi", system=["S"], tools=[tool("look")], max_tokens=9, temperature=0.1, stop_sequences=("X",))
    assert build_count_body(request, capabilities_of("claude-opus-4-5")).keys() == {
        "model",
        "messages",
        "system",
        "tools",
    }


def test_what_only_the_messages_api_has_goes_along():
    native = {"metadata": {"user_id": "me"}, "container": "c", "service_tier": "auto", "user_profile_id": "p"}
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    thinking = {"type": "adaptive", "display": "omitted"}
    request = ask("a", native=native, tools=[search], thinking=thinking, betas=["a-2026-01-01", "b-2026-01-01"])
    sent = body(request)
    assert {name: sent[name] for name in ("metadata", "container", "service_tier", "thinking", "tools")} == {
        "metadata": {"user_id": "me"},
        "container": "c",
        "service_tier": "auto",
        "thinking": thinking,
        "tools": [search],
    }
    assert "user_profile_id" not in sent
    assert build_headers(request) == {
        "anthropic-user-profile-id": "p",
        "anthropic-beta": "a-2026-01-01,b-2026-01-01",
    }
    counted = build_count_body(request, capabilities_of(NEWEST))
    assert not {"metadata", "container", "service_tier"} & counted.keys()
