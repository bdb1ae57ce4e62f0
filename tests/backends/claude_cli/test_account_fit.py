"""What a request may ask of the account that Claude Code is signed in to."""

import pytest

from server.backends.claude_cli.account_fit import fit_to_account
from tests.asking import ask

NATIVE = {"metadata": {"user_id": "me"}, "service_tier": "auto"}


@pytest.mark.parametrize(
    "account", [{"apiKeySource": "ANTHROPIC_API_KEY"}, {"apiProvider": "bedrock", "subscriptionType": "max"}]
)
def test_metadata_is_passed_on_where_the_user_pays_by_use(account):
    request = ask("Hi", native=NATIVE)
    assert fit_to_account(request, account) == (request, [])


@pytest.mark.parametrize(
    "account",
    [{"subscriptionType": "max"}, {"tokenSource": "CLAUDE_CODE_OAUTH_TOKEN", "apiKeySource": "none"}, {}],
)
def test_on_a_plan_claude_code_says_who_asks(account):
    request, warnings = fit_to_account(ask("Hi", native=NATIVE), account)
    assert request.native == {"service_tier": "auto"}
    assert [warning.split()[0] for warning in warnings] == ["metadata"]
    assert fit_to_account(ask("Hi"), account) == (ask("Hi"), [])
