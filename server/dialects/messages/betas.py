"""Beta features that a client asks for in `anthropic-beta` or in the body."""

import re
from collections.abc import Mapping
from typing import Any

from server.models.betas import WHO_ASKS, feature_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_PASSED = 32
BETA_FIELDS = ("betas", "anthropic_beta")


def read_betas(body: Mapping[str, Any], header: str | None, warnings: list[str]) -> tuple[str, ...]:
    """The features to pass on: of `betas` (the SDK), `anthropic_beta` (Bedrock, Vertex) and the header.

    Adds to `warnings` what is no name of a feature.
    """
    given = [str(name) for field in BETA_FIELDS for name in _as_list(body.get(field) or [])]
    names = [name.strip() for text in (*given, header or "") for name in text.split(",")]
    wanted = [name for name in dict.fromkeys(names) if name and feature_of(name) not in WHO_ASKS]
    passed = [name for name in wanted if _NAME.fullmatch(name)][:_MAX_PASSED]
    if left_out := [name[:64] for name in wanted if name not in passed]:
        warnings.append(f"anthropic-beta: not passed on and left out: {', '.join(left_out)[:400]}")
    return tuple(passed)


def _as_list(names: Any) -> list[Any]:
    return names if isinstance(names, list) else [names]
