"""What a client's model name means."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dialects.base import Context
from server.dialects.model_names import DEFAULT_ALIASES, SHORT_NAMES, resolve
from server.errors import ModelNotFound

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
        ("us.anthropic.claude-opus-4-6-v1:0", "us.anthropic.claude-opus-4-6-v1:0"),
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
    ],
)
def test_names_of_clients(name, model):
    assert resolve(name, context()) == model


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
    assert resolve(name, context(default_model=default_model)) == model


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
    assert resolve(name, context(aliases)) == model


def test_an_offered_model_is_preferred_to_a_default_alias():
    assert resolve("claude-opus-4-0", context(models=("claude-opus-4-0",))) == "claude-opus-4-0"


def test_short_names_work_while_the_offer_is_unknown():
    assert [resolve(name, context(models=())) for name in sorted(SHORT_NAMES)] == sorted(SHORT_NAMES)


@pytest.mark.parametrize(
    ("aliases", "name"),
    [
        ({}, "llama3"),
        ({}, "gpt-99"),
        ({}, "claude-"),
        ({}, "anthropic/"),
        ({"a": "b", "b": "a"}, "a"),
        ({"a": "nowhere"}, "a"),
        ({str(n): str(n + 1) for n in range(50)}, "0"),
    ],
)
def test_unknown_names_and_aliases_that_lead_nowhere(aliases, name):
    with pytest.raises(ModelNotFound) as raised:
        resolve(name, context(aliases))
    assert f"'{name}'" in raised.value.message
    assert "claude-opus-5-5" in raised.value.hint
    assert "aliases" in raised.value.hint


@pytest.mark.parametrize("name", sorted(DEFAULT_ALIASES))
def test_every_default_alias_ends_at_a_short_name(name):
    assert resolve(name, context(models=())) in SHORT_NAMES


@given(
    name=st.none() | st.text() | st.sampled_from(["a", "b", "gpt-4o"]),
    aliases=st.dictionaries(
        st.sampled_from(["a", "b", "c", "gpt-4o", "opus"]), st.text() | st.sampled_from(["a", "b", "opus"])
    ),
    default_model=st.text(),
)
def test_any_name_is_resolved_or_not_found(name, aliases, default_model):
    with contextlib.suppress(ModelNotFound):
        assert resolve(name, context(aliases, default_model=default_model))
