"""Validation of settings by the rules of the server's own model."""

import re
from typing import Any

from pydantic import ValidationError

from server.config.settings import validated_value
from tray_app.translation import tr

_NUMBER_TYPES = ("int_parsing", "int_from_float", "int_type", "int_parsing_size")


def setting_problem(name: str, value: Any) -> str:
    """Return why `value` is invalid for the setting `name`, or an empty text."""
    try:
        validated_value(name, value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        limits = first.get("ctx") or {}
        if name.endswith("_bytes") and "ge" in limits:
            return tr("Enter {limit} kB or more.").format(limit=_format_limit(limits["ge"] / 1024))
        return _error_text(first["type"], limits, first["msg"])
    return ""


def parse_setting(name: str, value: Any) -> Any:
    """Convert an entered value: `"8001"` to 8001. Raises ValidationError."""
    return validated_value(name, value)


def _error_text(kind: str, limits: dict[str, Any], message: str) -> str:
    """The message for an error type (https://docs.pydantic.dev/latest/errors/validation_errors)."""
    if kind in _NUMBER_TYPES:
        return tr("Enter a whole number.")
    match kind:
        case "float_parsing" | "float_type" | "finite_number":
            return tr("Enter a number.")
        case "greater_than_equal":
            return tr("Enter {limit} or more.").format(limit=_format_limit(limits["ge"]))
        case "less_than_equal":
            return tr("Enter {limit} or less.").format(limit=_format_limit(limits["le"]))
        case "greater_than":
            return tr("Enter more than {limit}.").format(limit=_format_limit(limits["gt"]))
        case "string_too_short":
            return tr("Enter a value.")
    reason = re.sub(r"^Value error, ", "", message).replace("Input should", "must", 1).rstrip(".")
    return f"{reason[:1].upper()}{reason[1:]}."


def _format_limit(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)
