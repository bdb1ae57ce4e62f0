"""Capabilities of each model."""

import pytest

from server.core.messages import EFFORTS
from server.models import capabilities_of
from server.models.info import ModelInfo


def facts(caps):
    return (caps.sampling, caps.thinking_off, caps.forced_tool, caps.prefill, caps.max_tokens)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", (False, False, False, False, 128_000)),
        ("claude-sonnet-5-5", (False, False, False, False, 128_000)),
        ("claude-haiku-5-5", (False, False, False, False, 128_000)),
        ("claude-fable-5-2", (False, False, False, False, 128_000)),
        ("claude-mythos-5", (False, False, False, False, 128_000)),
        ("claude-opus-5", (False, True, True, False, 128_000)),
        ("claude-sonnet-5", (False, True, True, False, 128_000)),
        ("claude-opus-4-8", (False, True, True, False, 128_000)),
        ("claude-opus-4-7", (False, True, True, False, 128_000)),
        ("claude-opus-4-6", (True, True, True, False, 128_000)),
        ("claude-sonnet-4-6", (True, True, True, False, 128_000)),
        ("claude-opus-4-5-20251101", (True, True, True, True, 64_000)),
        ("claude-sonnet-4-5", (True, True, True, True, 64_000)),
        ("claude-haiku-4-5-20251001", (True, True, True, True, 64_000)),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", (True, True, True, True, 64_000)),
        ("claude-sonnet-4-5@20250929", (True, True, True, True, 64_000)),
        ("claude-opus-4-1-20250805", (True, True, True, True, 32_000)),
        ("claude-opus-4-20250514", (True, True, True, True, 32_000)),
        ("claude-3-5-sonnet-20241022", (True, True, True, True, None)),
        ("opus", (False, False, False, False, None)),
        ("default", (False, False, False, False, None)),
        ("claude-opus-6", (False, False, False, False, None)),
        ("claude-brandnew-9-1", (False, False, False, False, None)),
        ("", (False, False, False, False, None)),
    ],
)
def test_the_table(model, expected):
    assert facts(capabilities_of(model)) == expected


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        *((model, 1_000_000) for model in ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")),
        *((model, 1_000_000) for model in ("claude-fable-5-2", "claude-opus-5", "claude-sonnet-5", "claude-opus-4-8")),
        *((model, 200_000) for model in ("claude-opus-4-6", "claude-sonnet-4-6", "claude-sonnet-4-5")),
        *((model, 200_000) for model in ("claude-haiku-4-5", "claude-3-5-sonnet-20241022")),
        ("sonnet", 1_000_000),
    ],
)
def test_context_windows(model, tokens):
    assert capabilities_of(model).context_window == tokens


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("claude-opus-5-5", EFFORTS),
        ("claude-opus-4-7", EFFORTS),
        ("claude-opus-4-6", ("low", "medium", "high", "max")),
        ("claude-opus-4-5", ("low", "medium", "high")),
        ("claude-sonnet-4-5", ()),
        ("claude-haiku-4-5", ()),
        ("something", EFFORTS),
    ],
)
def test_efforts(model, efforts):
    assert capabilities_of(model).efforts == efforts


def test_short_names_have_the_rules_of_the_model_behind_them():
    info = ModelInfo(id="claude-sonnet-4-6", name="sonnet")
    assert capabilities_of("sonnet", info) == capabilities_of("claude-sonnet-4-6")


def test_what_the_cli_says_goes_before_the_table():
    said = ModelInfo(id="claude-opus-7", effort_levels=("high", "low", "odd"), supports_thinking_off=True)
    caps = capabilities_of("opus", said)
    assert (caps.model, caps.efforts, caps.thinking_off) == ("claude-opus-7", ("low", "high"), True)


def test_what_needs_thinking_off_goes_with_it():
    said = ModelInfo(id="claude-sonnet-4-5", supports_thinking_off=False)
    assert facts(capabilities_of("sonnet", said)) == (False, False, False, False, 64_000)
