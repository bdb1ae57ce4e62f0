"""Converts the CLI's report of a failed turn into an error. Pure."""

import re
from typing import Any

from server.backends.claude_cli.transport.wire import AssistantError, Result
from server.backends.upstream_errors import model_not_found_error, refusal_error
from server.config.own_commands import sign_in_hint
from server.core.errors import (
    AccountRefused,
    ContextTooLong,
    DragomanError,
    NotSignedIn,
    Overloaded,
    PlanLimitReached,
    UpstreamFailed,
    UpstreamTimeout,
)

_WINDOWS = {"five_hour": "5-hour", "seven_day": "7-day", "seven_day_opus": "7-day Opus", "overage": "overage"}
_KIND_STATUS = {
    "authentication_failed": 401,
    "oauth_org_not_allowed": 403,
    "account_on_hold": 403,
    "verification_required": 403,
    "billing_error": 403,
    "cloud_credential_error": 401,
    "rate_limit": 429,
    "overloaded": 529,
    "invalid_request": 400,
    "model_not_found": 404,
}


def turn_error(
    result: Result, report: AssistantError | None, limits: dict[str, Any], now: float, *, cli: str = "claude"
) -> DragomanError:
    """Build the error of a failed turn.

    `report` is the `assistant` line before `result`, `limits` the latest `rate_limit_info`, `now` in epoch seconds,
    and `cli` the path of the program, for hints.
    """
    kind = report.kind if report else ""
    text = _strip_wrapping(result.text or (report.text if report else ""))
    status = result.api_status or _KIND_STATUS.get(kind)
    match status:
        case 401:
            return _sign_in_error(text, cli, refused=result.api_status is not None)
        case 403:
            return AccountRefused(_with_reason("The account that Claude Code is signed in to was refused", text))
        case 404:
            return model_not_found_error(text)
        case 429:
            return _limit_error(text, limits, now)
        case 529 | 503:
            return Overloaded(_with_reason("Claude is overloaded", text), retry_after=10, hint="Try again in a moment.")
        case 408 | 504:
            return UpstreamTimeout(_with_reason("Claude did not answer in time", text))
        case 413:
            return ContextTooLong(_with_reason("The request is too large for the model", text))
        case int() if 400 <= status < 500:
            return refusal_error(text)
    return UpstreamFailed(f"Claude could not answer: {text or 'no reason given'}.", upstream_status=result.api_status)


def _sign_in_error(text: str, cli: str, *, refused: bool) -> NotSignedIn:
    # The CLI's advice is meant for its interactive prompt.
    words = re.sub(r"\s*·?\s*Please run /login\b", "", text).strip().rstrip(".")
    if not refused or not words or words.lower().startswith("not logged in"):
        return NotSignedIn("Claude Code is not signed in.", refused=refused, hint=sign_in_hint(cli))
    return NotSignedIn(f"Claude Code's sign-in was refused: {words}.", refused=refused, hint=sign_in_hint(cli))


def _with_reason(what: str, text: str) -> str:
    """Append the service's reason to `what` unless it repeats it."""
    return f"{what}." if text.casefold() in what.casefold() else f"{what}: {text}."


def _limit_error(text: str, limits: dict[str, Any], now: float) -> PlanLimitReached:
    resets_at = limits.get("resetsAt")
    window = limits.get("rateLimitType")
    wait = max(1.0, resets_at - now) if isinstance(resets_at, int | float) else None
    if window is None:
        return PlanLimitReached(_with_reason("Claude's rate limit is reached", text), retry_after=wait or 60)
    name = _WINDOWS.get(window, str(window).replace("_", " "))
    return PlanLimitReached(
        _with_reason(f"The {name} limit of your Claude plan is used up", text),
        window=window,
        resets_at=resets_at,
        retry_after=wait or 60,
        hint="Try again after the time in Retry-After.",
    )


def _strip_wrapping(text: str) -> str:
    """The API's message without the CLI's prefix and JSON."""
    text = re.sub(r"^(Failed to authenticate\. )?API Error:\s*(\d{3}\s*)?", "", text.strip())
    if (inner := re.search(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)"', text)) is not None:
        text = inner.group(1).encode().decode("unicode_escape", errors="replace")
    return text.strip().rstrip(".")
