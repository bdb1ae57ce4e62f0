"""Errors of Claude Code and of the API behind it, in each dialect's form."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from server.config.own_commands import cli_command
from tests.clients.live import HELLO, KEY, Live, Serve
from tests.simulator import HttpError, RateLimitHeaders, Text, prompt_too_long

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-opus-5-5"


@dataclass(frozen=True)
class Case:
    """An error of the API, and what OpenAI's and Anthropic's clients get: exception, HTTP status, code or type."""

    reply: HttpError
    openai: tuple[type[openai.APIStatusError], int, str | None]
    anthropic: tuple[type[anthropic.APIStatusError], int, str]
    said: str


CASES = {
    "refused": Case(
        HttpError(400, message="messages: too odd"),
        (openai.BadRequestError, 400, None),
        (anthropic.BadRequestError, 400, "invalid_request_error"),
        "messages: too odd",
    ),
    "context": Case(
        prompt_too_long(),
        (openai.BadRequestError, 400, "context_length_exceeded"),
        (anthropic.BadRequestError, 400, "invalid_request_error"),
        "Prompt is too long",
    ),
    "signed out": Case(
        HttpError(401),
        (openai.AuthenticationError, 401, "claude_code_not_signed_in"),
        (anthropic.AuthenticationError, 401, "authentication_error"),
        "auth login",
    ),
    "forbidden": Case(
        HttpError(403),
        (openai.PermissionDeniedError, 403, "account_refused"),
        (anthropic.PermissionDeniedError, 403, "permission_error"),
        "permission",
    ),
    "no model": Case(
        HttpError(404, message=f"model: {MODEL}"),
        (openai.NotFoundError, 404, "model_not_found"),
        (anthropic.NotFoundError, 404, "not_found_error"),
        MODEL,
    ),
    "too many": Case(
        HttpError(429),
        (openai.RateLimitError, 429, "rate_limit_exceeded"),
        (anthropic.RateLimitError, 429, "rate_limit_error"),
        "rate limit",
    ),
    "broken": Case(
        HttpError(500),
        (openai.InternalServerError, 500, None),
        (anthropic.InternalServerError, 500, "api_error"),
        "Internal server error",
    ),
    "overloaded": Case(
        HttpError(529),
        (openai.InternalServerError, 503, "overloaded"),
        (anthropic.OverloadedError, 529, "overloaded_error"),
        "overloaded",
    ),
}


@pytest.mark.parametrize(
    ("case", "stream"),
    [*((case, False) for case in CASES.values()), (CASES["overloaded"], True)],
    ids=[*CASES, "stream"],
)
async def test_errors_to_openai_s_client(server: Live, case: Case, stream: bool) -> None:
    server.simulator.script(case.reply, when=lambda recorded: True)
    kind, status, code = case.openai
    with pytest.raises(kind) as caught:
        await server.openai().chat.completions.create(model=MODEL, messages=HELLO, stream=stream)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert case.said in str(caught.value)
    assert ("retry-after" in caught.value.response.headers) is (status in (429, 503))
    # A refusal costs nothing, and the CLI tries another set of beta headers before it believes one.
    assert len(server.simulator.messages_calls) == 1 or status in (400, 404)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_errors_to_anthropic_s_client(server: Live, case: Case) -> None:
    server.simulator.script(case.reply, when=lambda recorded: True)
    kind, status, type_ = case.anthropic
    with pytest.raises(kind) as caught:
        await server.anthropic().messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == type_
    assert case.said in str(caught.value)
    assert caught.value.body["request_id"] == caught.value.response.headers["request-id"]


async def test_nobody_is_signed_in(serve: Serve, cli_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    server = await serve()
    with pytest.raises(openai.AuthenticationError) as caught:
        await server.openai().chat.completions.create(model=MODEL, messages=HELLO)
    said = caught.value.body["message"]
    assert f"`{cli_command(cli_path, 'auth', 'login')}`" in said, "a bundled one is not on PATH"
    assert said.startswith("Claude Code is not signed in. Run ")
    assert "/login" not in said, "nothing is said twice, and nothing that only the CLI's own prompt takes"
    with pytest.raises(anthropic.AuthenticationError, match="auth login"):
        await server.anthropic().messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    health = (await server.http().get("/health")).json()
    assert "not signed in" in str(health)
    assert server.simulator.messages_calls == []


async def test_a_plan_that_is_used_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client learns which window it is and when it ends; before, the windows are known from good answers."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", "made-up")
    server = await serve()
    server.simulator.script([RateLimitHeaders(five_hour=0.92), Text("fine")])
    await server.openai().chat.completions.create(model=MODEL, messages=HELLO)
    assert server.backend.plan_windows["five_hour"]["utilization"] == pytest.approx(0.92)
    limits = RateLimitHeaders(status="rejected", representative_claim="seven_day", seven_day=1.0)
    server.simulator.script(HttpError(429, headers=limits), when=lambda recorded: True)
    for client, error in ((_ask_openai, openai.RateLimitError), (_ask_anthropic, anthropic.RateLimitError)):
        with pytest.raises(error, match=r"7-day limit of your Claude plan is used up") as caught:
            await client(server)
        assert 3600 < int(caught.value.response.headers["retry-after"]) <= 72 * 3600


async def _ask_openai(server: Live) -> Any:
    return await server.openai().chat.completions.create(model=MODEL, messages=HELLO)


async def _ask_anthropic(server: Live) -> Any:
    return await server.anthropic().messages.create(model=MODEL, max_tokens=9, messages=HELLO)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        (None, None, 401),
        ("authorization", "Bearer wrong", 401),
        ("x-api-key", "wrong", 401),
        ("authorization", "Bearer {key}", 200),
        ("x-api-key", "{key}", 200),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_the_server_s_own_key(server: Live, path: str, header: str | None, value: str, status: int) -> None:
    headers = {header: value.format(key=KEY)} if header else {}
    body = {"model": "gemini-3-pro", "max_tokens": 9, "messages": HELLO}
    response = await server.http(key=None).post(path, json=body, headers=headers)
    # With the key the request is read, and the model not found.
    assert response.status_code == (404 if status == 200 else 401)
