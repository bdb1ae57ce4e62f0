"""Resolution of clients' model names."""

import contextlib
from typing import get_args

import pytest
from anthropic.types import ModelParam
from hypothesis import given
from hypothesis import strategies as st
from openai.types import ChatModel

from server.core.errors import ModelNotFound
from server.dialects.base import Context
from server.models import capabilities_of
from server.models.aliases import COMMON_NAMES, DEFAULT_ALIASES, resolve_model
from server.models.families import SHORT_NAMES

OFFERED = ("claude-opus-5-5", "opus", "claude-sonnet-5-5", "sonnet", "claude-haiku-5-5", "haiku")


def context(aliases=None, models=OFFERED, default_model="default"):
    return Context(
        aliases=aliases or {},
        models=models,
        default_model=default_model,
        response_id="abc",
        created=1_750_000_000,
    )


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("opus", "opus"),
        ("Opus", "opus"),
        (" sonnet ", "sonnet"),
        ("sonnet[1m]", "sonnet[1m]"),
        ("default", "default"),
        ("fable", "fable"),
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("CLAUDE-OPUS-5-5", "claude-opus-5-5"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
        ("claude-somethingnew-7", "claude-somethingnew-7"),
        ("anthropic/claude-opus-4-8", "claude-opus-4-8"),
        ("claude-code/claude-haiku-5-5", "claude-haiku-5-5"),
        ("openrouter/anthropic/claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("gpt-4o", "sonnet"),
        ("GPT-4o", "sonnet"),
        ("openai/gpt-4o", "sonnet"),
        ("gpt-4o-2024-08-06", "sonnet"),
        ("openai/gpt-4o-mini-2024-07-18", "haiku"),
        ("gpt-4-0613", "sonnet"),
        ("gpt-3.5-turbo-1106", "haiku"),
        ("gpt-5", "opus"),
        ("gpt-5.1", "opus"),
        ("gpt-5-mini", "sonnet"),
        ("o3-mini", "sonnet"),
        ("o3-2025-04-16", "opus"),
        ("claude-3-5-sonnet-latest", "sonnet"),
        ("anthropic/claude-3-5-haiku-20241022", "haiku"),
        ("claude-opus-4-0", "opus"),
        ("claude-opus-4-1", "opus"),
        ("claude-opus-4-1-20250805", "opus"),
        ("haiku:latest", "haiku"),
        # Claude's names as routers and clouds write them.
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("claude-4.5-sonnet", "claude-sonnet-4-5"),
        ("claude-4-5-haiku", "claude-haiku-4-5"),
        ("claude-opus-4.8", "claude-opus-4-8"),
        ("claude-opus-5.0", "claude-opus-5"),
        ("claude-opus-5.10", "claude-opus-5-10"),
        ("claude-fable-5.2", "claude-fable-5-2"),
        ("claude-4.5-sonnet-20250929", "claude-sonnet-4-5-20250929"),
        ("claude-sonnet-4-5-latest", "claude-sonnet-4-5"),
        ("claude-haiku-latest", "haiku"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
        ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("global.anthropic.claude-opus-4-6-v1:0", "claude-opus-4-6"),
        ("bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", "sonnet"),
        ("vertex_ai/claude-3-5-sonnet-v2@20241022", "sonnet"),
        ("anthropic:claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("anthropic/claude-3.7-sonnet:thinking", "sonnet"),
        ("claude-3.7-sonnet-thought", "sonnet"),
        ("claude-sonnet-4.5-thinking", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5:beta", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5:free", "claude-sonnet-4-5"),
        ("claude-sonnet-4.5[1m]", "claude-sonnet-4-5[1m]"),
        ("claude-sonnet-4.5:1m", "claude-sonnet-4-5[1m]"),
        ("claude-sonnet-4-20250514[1m]", "sonnet[1m]"),
        ("opus:1m", "opus[1m]"),
        ("claude-3.7-sonnet", "sonnet"),
        ("claude-3.5-haiku", "haiku"),
        ("claude-3-opus", "opus"),
        ("claude-4-sonnet-20250514", "sonnet"),
        ("claude-4-opus", "opus"),
        ("claude-opus-4.1", "opus"),
        ("claude-2", "sonnet"),
        ("claude-v2.1", "sonnet"),
        ("claude-2.1", "sonnet"),
        ("claude-instant-1.2", "haiku"),
        ("anthropic.claude-instant-v1", "haiku"),
        ("claude-mythos-preview", "claude-mythos-preview"),
        # OpenAI's, by family and size.
        ("gpt-5.4", "opus"),
        ("gpt-5.4-mini-2026-03-17", "sonnet"),
        ("gpt-5.4-nano", "haiku"),
        ("gpt-5.5-pro-2026-04-23", "opus"),
        ("gpt-5.6-sol", "opus"),
        ("gpt-5.6-terra", "sonnet"),
        ("openai/gpt-5.6-luna", "haiku"),
        ("gpt-6-astra", "opus"),
        ("gpt-6.2-astra-law", "opus"),
        ("gpt-6.1-terra", "sonnet"),
        ("gpt-5.3-codex", "opus"),
        ("gpt-5.1-codex-max", "opus"),
        ("gpt-5.1-codex-mini", "sonnet"),
        ("gpt-5-chat-latest", "opus"),
        ("gpt-99", "opus"),
        ("gpt-99.1-nano", "haiku"),
        ("gpt-4.1", "sonnet"),
        ("gpt-4.1-mini", "haiku"),
        ("gpt-4.5-preview", "opus"),
        ("chatgpt-4o-latest", "sonnet"),
        ("gpt-4-vision-preview", "sonnet"),
        ("gpt-4-32k-0613", "sonnet"),
        ("gpt-35-turbo", "haiku"),
        ("gpt-3.5-turbo-16k", "haiku"),
        ("o1-preview", "opus"),
        ("o5", "opus"),
        ("o5-mini-high", "sonnet"),
        ("codex-mini-latest", "sonnet"),
    ],
)
def test_names_of_clients(name, model):
    assert resolve_model(name, context()).model == model


@pytest.mark.parametrize("name", [None, "", "  "])
@pytest.mark.parametrize(
    ("default_model", "model"),
    [
        ("default", "default"),
        ("", "default"),
        ("opus", "opus"),
        ("gpt-4o", "sonnet"),
        ("claude-opus-4-6", "claude-opus-4-6"),
    ],
)
def test_no_name_is_the_default_model(name, default_model, model):
    assert resolve_model(name, context(default_model=default_model)).model == model


@pytest.mark.parametrize(
    ("aliases", "name", "model"),
    [
        ({"gpt-4o": "haiku"}, "gpt-4o", "haiku"),
        ({"gpt-4o": "haiku"}, "openai/gpt-4o-2024-08-06", "haiku"),
        ({"My-Model": "opus"}, "my-model", "opus"),
        ({"team/fast": "haiku"}, "team/fast", "haiku"),
        ({"fast": "quick", "quick": "gpt-4o-mini"}, "fast", "haiku"),
        ({"claude-opus-5-5": "sonnet"}, "claude-opus-5-5", "sonnet"),
        ({"opus": "claude-opus-4-8"}, "gpt-5", "claude-opus-4-8"),
        ({"default": "haiku"}, None, "haiku"),
        ({"claude-x": "claude-x"}, "claude-x", "claude-x"),
        ({"gpt-4o-2024-08-06": "haiku", "gpt-4o": "opus"}, "gpt-4o-2024-08-06", "haiku"),
    ],
)
def test_the_users_aliases_come_first(aliases, name, model):
    assert resolve_model(name, context(aliases)).model == model


def test_an_offered_model_is_preferred_to_a_default_alias():
    assert resolve_model("claude-opus-4-0", context(models=("claude-opus-4-0",))).model == "claude-opus-4-0"


def test_short_names_work_while_the_offer_is_unknown():
    assert [resolve_model(name, context(models=())).model for name in sorted(SHORT_NAMES)] == sorted(SHORT_NAMES)


@pytest.mark.parametrize(
    ("aliases", "name"),
    [
        ({}, "llama3"),
        ({}, "gemini-3-pro"),
        ({}, "deepseek-chat"),
        ({}, "kimi-k2-thinking"),
        ({}, "gpt-oss-120b"),
        ({}, "gpt-2"),
        ({}, "gpt-4-x-alpaca-13b"),
        ({}, "gpt-image-1"),
        ({}, "gpt-4o-audio-preview"),
        ({}, "o3-deep-research"),
        ({}, "text-embedding-3-small"),
        ({}, "olmo-3"),
        ({}, "claude-"),
        ({}, "anthropic/"),
        ({"a": "b", "b": "a"}, "a"),
        ({"a": "nowhere"}, "a"),
        ({str(n): str(n + 1) for n in range(50)}, "0"),
    ],
)
def test_unknown_names_and_aliases_that_lead_nowhere(aliases, name):
    with pytest.raises(ModelNotFound) as raised:
        resolve_model(name, context(aliases))
    assert f"'{name}'" in raised.value.message
    assert "claude-opus-5-5" in raised.value.hint
    assert "aliases" in raised.value.hint


CLOUD = ("us.anthropic.claude-opus-4-6-v1:0", "opus")


@pytest.mark.parametrize("name", ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5@20250929"])
def test_a_claude_code_that_works_for_a_cloud_gets_the_clouds_ids(name):
    assert resolve_model(name, context(models=CLOUD)).model == name


@pytest.mark.parametrize("name", get_args(ChatModel))
def test_openais_chat_models_are_all_served_but_those_that_hear(name):
    if "audio" in name.split("-"):
        with pytest.raises(ModelNotFound):
            resolve_model(name, context())
    else:
        assert resolve_model(name, context()).model in SHORT_NAMES


@pytest.mark.parametrize("name", [name for part in get_args(ModelParam) for name in get_args(part)])
def test_anthropics_own_names_stay_as_they_are(name):
    assert resolve_model(name, context()).model == name


@pytest.mark.parametrize(
    "name", ["claude-sonnet-4.5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4.5-sonnet"]
)
def test_the_capabilities_are_those_of_the_model_that_is_meant(name):
    caps = capabilities_of(resolve_model(name, context()).model)
    assert (caps.max_tokens, caps.prefill, caps.thinking_budget) == (64_000, True, True)


@pytest.mark.parametrize("name", sorted({*DEFAULT_ALIASES, *COMMON_NAMES}))
def test_every_default_alias_ends_at_a_short_name(name):
    assert resolve_model(name, context(models=())).model in SHORT_NAMES


@given(
    name=st.none() | st.text() | st.sampled_from(["a", "b", "gpt-4o"]),
    aliases=st.dictionaries(
        st.sampled_from(["a", "b", "c", "gpt-4o", "opus"]), st.text() | st.sampled_from(["a", "b", "opus"])
    ),
    default_model=st.text(),
)
def test_any_name_is_resolved_or_not_found(name, aliases, default_model):
    with contextlib.suppress(ModelNotFound):
        assert resolve_model(name, context(aliases, default_model=default_model)).model


@pytest.mark.parametrize("name", ["claude-mythos-1", "claude-nova-1-20270101", "claude-mythos-2-5"])
def test_a_new_family_that_counts_from_one_is_not_taken_for_a_retired_model(name):
    assert resolve_model(name, context()).model == name
    assert resolve_model(f"anthropic/{name}", context()).model == name
