"""Resolving model names for the API."""

import pytest

from server.backends.anthropic_api.models import MODELS, find_model
from server.models.info import ModelInfo
from tests.simulator.models import MODELS as KNOWN

LISTED = (
    ModelInfo("claude-opus-6", "opus", effort_levels=("low",)),
    ModelInfo("claude-sonnet-6[1m]", "sonnet[1m]", effort_levels=("high",), is_default=True),
)


@pytest.mark.parametrize(
    ("name", "alone", "with_list"),
    [
        ("opus", "claude-opus-5-5", "claude-opus-6"),
        ("sonnet[1m]", "claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("haiku", "claude-haiku-5-5", "claude-haiku-5-5"),
        ("default", "claude-opus-5-5", "claude-sonnet-6"),
        ("claude-opus-4-5-20251101", "claude-opus-4-5-20251101", "claude-opus-4-5-20251101"),
        ("claude-sonnet-6[1m]", "claude-sonnet-6", "claude-sonnet-6"),
    ],
)
def test_names(name, alone, with_list):
    assert find_model(name, ()).id == alone
    assert find_model(name, LISTED).id == with_list


def test_what_claude_code_says_of_a_model_is_kept():
    assert find_model("claude-sonnet-6", LISTED).effort_levels == ("high",)


def test_the_ids_of_a_cloud_are_not_the_apis():
    listed = [ModelInfo("us.anthropic.claude-opus-4-5-20251101-v1:0", "opus", is_default=True)]
    assert find_model("opus", listed).id == find_model("default", listed).id == "claude-opus-5-5"


def test_the_table_names_models_that_there_are():
    assert {info.id for info in MODELS} <= KNOWN.keys()
    assert [info.is_default for info in MODELS].count(True) == 1
