"""The limits of models by name."""

import pytest

from server.core.messages import ModelChoice
from server.models import capabilities_of
from server.models.aliases import ModelNames, NamedModel, resolve_model
from server.models.info import ModelInfo, ReportedLimits, find_info, with_limits
from server.models.windows import Window, window_of

OPUS = ModelInfo("claude-opus-5-5", "opus", is_default=True)
HAIKU = ModelInfo("claude-haiku-4-5-20251001", "haiku")
OFFERED = (OPUS, HAIKU)
NEW = Window(1_000_000, 128_000)


def window(name, offered=OFFERED):
    ids = tuple(known for info in offered for known in (info.id, info.name))
    return window_of(resolve_model(name, ModelNames({"fast": "haiku:low"}, ids, "default")), offered)


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("opus", NEW),
        ("default", NEW),
        ("gpt-5.5", NEW),
        ("opus:high", NEW),
        ("api:opus", NEW),
        ("sonnet", NEW),
        ("haiku", Window(200_000, 64_000)),
        ("fast", Window(200_000, 64_000)),
        ("haiku[1m]", Window(1_000_000, 64_000)),
        ("claude-sonnet-4-6", Window(200_000, 128_000)),
        ("claude-sonnet-4.6:1m", Window(1_000_000, 128_000)),
        ("claude-opus-4-8", NEW),
        ("claude-nova-9", Window(1_000_000, 32_000)),
        ("opus > haiku", Window(200_000, 64_000)),
        ("claude-sonnet-4-6 > claude-haiku-4-5[1m]", Window(200_000, 64_000)),
    ],
)
def test_the_limits_behind_a_name(name, limits):
    assert window(name) == limits


@pytest.mark.parametrize("name", ["opus", "sonnet", "haiku", "fable", "default", "haiku[1m]"])
def test_short_names_are_the_newest_models_while_nothing_is_listed(name):
    assert window(name, ()) == NEW


def test_a_reported_window_takes_precedence():
    reported = {"claude-opus-5-5": ReportedLimits(2_000_000, 256_000)}
    offered = tuple(with_limits(info, reported) for info in OFFERED)
    assert window("opus", offered) == Window(2_000_000, 256_000)
    assert window("haiku", offered) == Window(200_000, 64_000)


def test_claude_codes_own_limit_for_answers_never_lowers_the_models():
    info = with_limits(ModelInfo("claude-sonnet-4-6", "old"), {"claude-sonnet-4-6": ReportedLimits(200_000, 32_000)})
    assert capabilities_of("old", info).max_tokens == 128_000
    unknown = with_limits(ModelInfo("claude-nova-9", "nova"), {"claude-nova-9": ReportedLimits(500_000, 48_000)})
    caps = capabilities_of("nova", unknown)
    assert (caps.max_tokens, caps.default_max_tokens, caps.context_window) == (None, 48_000, 500_000)


def test_an_entry_is_found_by_id_short_name_and_default():
    assert [find_info(name, OFFERED) for name in ("opus", "claude-opus-5-5", "opus[1m]", "default")] == [OPUS] * 4
    assert find_info("sonnet", OFFERED) is None
    assert find_info("default", (HAIKU,)) is None


def test_the_window_of_a_chain_fits_all_its_models():
    named = NamedModel((ModelChoice("opus"), ModelChoice("claude-opus-4-5", by_api=True)))
    assert window_of(named, OFFERED) == Window(200_000, 64_000)
