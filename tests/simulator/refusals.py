"""What the real API refuses. Pure: a request body in, the refusal or None out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulator.models import MODELS


@dataclass(frozen=True)
class Refusal:
    """The API's answer to a request it does not take."""

    message: str
    status: int = 400
    type: str = "invalid_request_error"


def refusal(body: Mapping[str, Any]) -> Refusal | None:
    """Why the API refuses this body, or None."""
    if body.get("model") not in MODELS:
        return Refusal(f"model: {body.get('model')}", 404, "not_found_error")
    return None
