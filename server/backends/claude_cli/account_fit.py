"""What a request may ask of the account that Claude Code is signed in to. Pure."""

from collections.abc import Mapping
from typing import Any

from server.core.messages import MessagesRequest

_METADATA = (
    "metadata is not passed on and was left out: on a plan Claude Code says there which account and session asks"
)


def fit_to_account(request: MessagesRequest, account: Mapping[str, Any]) -> tuple[MessagesRequest, list[str]]:
    """The request without what would replace the account's own identification, and warnings.

    Claude Code (2.1.330) writes device, account and session into `metadata.user_id`. With an API key, or with a cloud
    provider, that field is the user's own to fill.
    """
    if "metadata" not in request.native or not _is_plan(account):
        return request, []
    native = {name: value for name, value in request.native.items() if name != "metadata"}
    return request.with_changes(native=native), [_METADATA]


def _is_plan(account: Mapping[str, Any]) -> bool:
    """Whether a plan pays. An unknown account counts as one."""
    if account.get("apiProvider", "firstParty") != "firstParty":
        return False
    return bool(account.get("subscriptionType")) or account.get("apiKeySource") in (None, "", "none")
