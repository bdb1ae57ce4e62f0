"""What a model name asks for besides the model, and chains of models."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import ModelNotFound
from server.core.messages import MessagesRequest, ModelChoice, text_block
from server.models.aliases import ModelNames, resolve_model

OFFERED = ("claude-opus-5-5", "opus", "claude-sonnet-5-5", "sonnet", "claude-haiku-5-5", "haiku")
ON, OFF = {"type": "adaptive"}, {"type": "disabled"}


def choices(name, aliases=None, default_model="default", models=OFFERED):
    return resolve_model(name, ModelNames(aliases or {}, models, default_model)).choices


def applied(name, **fields):
    asked = MessagesRequest("", name, [{"role": "user", "content": [text_block("Hello")]}], **fields)
    return resolve_model(name, ModelNames({}, OFFERED, "default")).apply_to(asked)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("opus:high", ModelChoice("opus", "high")),
        ("OPUS:High", ModelChoice("opus", "high")),
        ("sonnet:low", ModelChoice("sonnet", "low")),
        ("sonnet:minimal", ModelChoice("sonnet", "low")),
        ("sonnet:medium", ModelChoice("sonnet", "medium")),
        ("opus:xhigh", ModelChoice("opus", "xhigh")),
        ("opus:max", ModelChoice("opus", "max")),
        ("haiku:nothink", ModelChoice("haiku", None, OFF)),
        ("haiku:none", ModelChoice("haiku", None, OFF)),
        ("haiku:think", ModelChoice("haiku", None, ON)),
        ("opus:high[1m]", ModelChoice("opus[1m]", "high")),
        ("opus[1m]:high", ModelChoice("opus[1m]", "high")),
        ("opus:1m:high", ModelChoice("opus[1m]", "high")),
        ("opus:high:1m", ModelChoice("opus[1m]", "high")),
        ("opus:high:nothink", ModelChoice("opus", "high", OFF)),
        ("default:high", ModelChoice("default", "high")),
        ("opus:low:high", ModelChoice("opus", "high")),
        ("anthropic/claude-3.7-sonnet:thinking", ModelChoice("sonnet", None, ON)),
        ("claude-sonnet-4.5-thinking", ModelChoice("claude-sonnet-4-5", None, ON)),
        ("claude-sonnet-4.5-thinking[1m]", ModelChoice("claude-sonnet-4-5[1m]", None, ON)),
        ("claude-4.5-opus-high-thinking", ModelChoice("claude-opus-4-5", "high", ON)),
        ("claude-3-7-sonnet-latest:high", ModelChoice("sonnet", "high")),
        ("anthropic/claude-sonnet-4.5@preset/quick-one", ModelChoice("claude-sonnet-4-5")),
        ("anthropic/claude-sonnet-4.5@preset/very-high:low", ModelChoice("claude-sonnet-4-5", "low")),
        ("anthropic/claude-sonnet-4.5:beta:high", ModelChoice("claude-sonnet-4-5", "high")),
        ("haiku:high:latest", ModelChoice("haiku", "high")),
        ("gpt-5.5:xhigh", ModelChoice("opus", "xhigh")),
        ("gpt-5.1-codex-max", ModelChoice("opus")),
        ("o4-mini-high", ModelChoice("sonnet", "high")),
        ("opus-4.5", ModelChoice("claude-opus-4-5")),
        ("sonnet-4", ModelChoice("sonnet")),
        ("api:haiku", ModelChoice("haiku", by_api=True)),
        ("API: claude-opus-4.8:low", ModelChoice("claude-opus-4-8", "low", by_api=True)),
        *(
            (f"gpt-{version}-{size}", ModelChoice(model))
            for version in ("5.6", "6", "6.1", "6.2")
            for size, model in (("sol", "opus"), ("astra", "opus"), ("terra", "sonnet"), ("luna", "haiku"))
        ),
    ],
)
def test_a_names_wishes(name, wanted):
    assert choices(name) == (wanted,)


@pytest.mark.parametrize("order", list(itertools.permutations((":high", "[1m]", ":thinking", ":beta"))))
def test_suffixes_may_come_in_any_order(order):
    assert choices("claude-sonnet-4.5" + "".join(order)) == (ModelChoice("claude-sonnet-4-5[1m]", "high", ON),)


@pytest.mark.parametrize(
    ("aliases", "name", "wanted"),
    [
        ({"fast": "haiku:nothink"}, "fast", ModelChoice("haiku", None, OFF)),
        ({"fast": "haiku:nothink"}, "fast:think", ModelChoice("haiku", None, ON)),
        ({"fast": "haiku:nothink"}, "fast:high", ModelChoice("haiku", "high")),
        ({"fast": "haiku:low"}, "team/fast:high[1m]", ModelChoice("haiku[1m]", "high")),
        ({"fast": "quick:high", "quick": "gpt-4o-mini:low"}, "fast", ModelChoice("haiku", "high")),
        ({"fast:high": "opus"}, "fast:high", ModelChoice("opus")),
        ({"fast:high": "opus"}, "fast:high:1m", ModelChoice("opus[1m]")),
        ({"opus": "opus:high"}, "opus", ModelChoice("opus", "high")),
        ({"gpt-5": "gpt-5:max"}, "gpt-5", ModelChoice("opus", "max")),
        ({"paid": "api:haiku"}, "paid:low", ModelChoice("haiku", "low", by_api=True)),
        ({"gpt-4o": "haiku"}, "gpt-4o[1m]", ModelChoice("haiku[1m]")),
    ],
)
def test_wishes_of_aliases_and_of_names_together(aliases, name, wanted):
    assert choices(name, aliases) == (wanted,)


def test_a_large_context_that_is_a_model_of_its_own():
    offered = (*OFFERED, "sonnet[1m]")
    assert choices("sonnet:high:1m", models=offered) == (ModelChoice("sonnet[1m]", "high"),)
    assert choices("openai/Sonnet[1m]", {"sonnet": "opus"}, models=offered) == (ModelChoice("sonnet[1m]"),)


@pytest.mark.parametrize(
    ("aliases", "name", "models"),
    [
        ({"smart": "opus > sonnet > api:haiku"}, "smart", ["opus", "sonnet", "api:haiku"]),
        ({}, "opus > sonnet", ["opus", "sonnet"]),
        ({}, "opus>gpt-4o-mini", ["opus", "haiku"]),
        ({}, "opus > opus > api:opus", ["opus", "api:opus"]),
        ({"smart": "opus > sonnet"}, "api:smart", ["api:opus", "api:sonnet"]),
        ({"smart": "opus > cheap", "cheap": "sonnet > haiku"}, "smart", ["opus", "sonnet", "haiku"]),
        ({"opus": "opus > sonnet"}, "opus", ["opus", "sonnet"]),
        ({"smart": "opus > sonnet"}, "smart[1m]", ["opus[1m]", "sonnet[1m]"]),
    ],
)
def test_a_chain_lists_its_models_in_order(aliases, name, models):
    assert ["api:" * one.by_api + one.model for one in choices(name, aliases)] == models


def test_each_model_of_a_chain_has_its_own_wishes_and_shares_the_names():
    low, off = ModelChoice("opus", "low"), ModelChoice("haiku", None, OFF)
    assert choices("smart", {"smart": "opus:low > haiku:nothink"}) == (low, off)
    high = (ModelChoice("opus", "high"), ModelChoice("haiku", "high"))
    assert choices("smart:high", {"smart": "opus:low > haiku:nothink"}) == high


def test_the_default_model_may_be_a_chain():
    assert [one.model for one in choices(None, default_model="opus:high > haiku")] == ["opus", "haiku"]


@pytest.mark.parametrize(
    ("aliases", "name", "named"),
    [
        ({}, "opus > llama3", "llama3"),
        ({}, "opus >", "lacks a name"),
        ({}, "> opus", "lacks a name"),
        ({}, ">", "lacks a name"),
        ({}, "api:", "api:"),
        ({}, "@preset/opus", "@preset/opus"),
        ({}, "claude-sonnet-4.5:online", "claude-sonnet-4.5:online"),
        ({}, "opus:ultra", "opus:ultra"),
        ({}, ":high", ":high"),
        ({"smart": "opus > llama3"}, "smart", "smart -> llama3"),
        ({"a": "b > b", **{chr(98 + n): f"{chr(99 + n)} > {chr(99 + n)}" for n in range(9)}}, "a", "a"),
        ({}, " > ".join(["opus"] * 100_000), "opus"),
        ({}, "opus" + ":high" * 100_000, "opus:high"),
        ({}, "a/" * 100_000, "a/"),
    ],
)
def test_names_and_chains_that_are_not_found(aliases, name, named):
    with pytest.raises(ModelNotFound) as raised:
        choices(name, aliases)
    assert named in raised.value.message
    assert len(raised.value.message) < 1000


@pytest.mark.parametrize(
    ("fields", "effort", "thinking"),
    [
        ({}, "high", OFF),
        ({"effort": "low"}, "low", None),
        ({"thinking": ON}, "high", ON),
        ({"thinking": OFF}, None, OFF),
        ({"thinking": OFF, "effort": "max"}, "max", OFF),
    ],
)
def test_the_request_itself_takes_precedence(fields, effort, thinking):
    request = applied("opus:high:nothink > haiku:low", **fields)
    assert (request.model, request.effort, request.thinking) == ("opus", effort, thinking)
    [other] = request.alternatives
    assert other.model == "haiku"
    assert other.effort == ("low" if effort == "high" else effort)


PIECES = (
    "opus", "haiku", "gpt-5", "a", "b", "claude-", "-4.5", ":high", ":nothink", "[1m]", ":1m", ":", " > ", ">", "api:",
    "/", "anthropic/", "@preset/x", "-latest", ":max", "-20250101", "thinking", "-thinking",
)  # fmt: skip
NAMES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=6).map("".join)


@given(name=NAMES, aliases=st.dictionaries(st.sampled_from(["a", "b", "opus", "gpt-5"]), NAMES), default_model=NAMES)
def test_any_name_resolves_or_is_not_found(name, aliases, default_model):
    with contextlib.suppress(ModelNotFound):
        found = choices(name, aliases, default_model=default_model)
        assert found
        assert len(set(map(repr, found))) == len(found)
        assert all(one.model and ">" not in one.model for one in found)
