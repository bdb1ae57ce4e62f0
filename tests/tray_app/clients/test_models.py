"""The models that are offered, and the initial one."""

import pytest

from server.models.info import ModelInfo
from tests.scripted_backend import MODELS
from tray_app.clients.connection import Limits
from tray_app.clients.models import initial_model, limits_of, model_names


def test_short_names_aliases_ids() -> None:
    assert model_names(MODELS, {"fast": "haiku", "opus": "haiku"}) == [
        "opus",
        "sonnet",
        "haiku",
        "fast",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-4-5-20251001",
    ]


def test_fallback_names_while_nothing_is_offered() -> None:
    assert model_names((), {"fast": "haiku"}) == ["fable", "haiku", "opus", "sonnet", "fast"]


def test_initial_model() -> None:
    assert initial_model(MODELS, "default") == "opus"
    assert initial_model(MODELS, "claude-haiku-5-5") == "claude-haiku-5-5"
    assert initial_model((), "default") == "sonnet"
    assert initial_model((ModelInfo("", "default", is_default=True),), "default") == "sonnet"


@pytest.mark.parametrize(
    ("model", "limits"),
    [
        ("opus", Limits(1_000_000, 128_000)),
        ("claude-sonnet-5-5", Limits(1_000_000, 128_000)),
        ("haiku", Limits(200_000, 64_000)),
        ("claude-haiku-4-5", Limits(200_000, 64_000)),
        ("claude-opus-4-5", Limits(200_000, 64_000)),
        ("gpt-5", Limits(1_000_000, 128_000)),
        ("fast", Limits(200_000, 64_000)),
        ("no such model", Limits(200_000, 32_000)),
    ],
)
def test_limits_are_those_of_the_resolved_model(model: str, limits: Limits) -> None:
    assert limits_of(model, MODELS, {"fast": "haiku"}) == limits
