"""The models that a client can be given."""

from collections.abc import Iterable, Mapping

from server.backends.base import ModelInfo
from server.dialects.model_families import SHORT_NAMES
from server.dialects.model_names import DEFAULT

_USUAL = "sonnet"


def model_names(offered: Iterable[ModelInfo], aliases: Mapping[str, str]) -> list[str]:
    """Short names first, which stay right when models change, then the person's aliases, then full ids.

    While nothing is `offered` the names that always work take its place.
    """
    offered = list(offered)
    short = [model.name for model in offered if model.name] or sorted(SHORT_NAMES)
    return list(dict.fromkeys([*short, *aliases, *(model.id for model in offered if model.id)]))


def usual_model(offered: Iterable[ModelInfo], default_model: str) -> str:
    """The one to begin with: the settings' own, else what Claude Code takes by itself."""
    if default_model != DEFAULT:
        return default_model
    named = (model.name or model.id for model in offered if model.is_default)
    return next((name for name in named if name and name != DEFAULT), _USUAL)
