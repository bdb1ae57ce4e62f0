"""Failures of the service become the right error for the client, and no request is sent twice."""

import pytest

from server.backends.claude_cli.chat.failures import turn_error
from server.backends.claude_cli.transport.wire import AssistantError, Result
from server.core.errors import (
    AccountRefused,
    ContextTooLong,
    DragomanError,
    InvalidRequest,
    ModelNotFound,
    NotSignedIn,
    Overloaded,
    PlanLimitReached,
    UpstreamFailed,
)
from server.core.events import CliChanged, EventBus
from tests.asking import ask, fold, words
from tests.simulator import (
    FIRST_DELTA,
    Cut,
    Gate,
    HttpError,
    RateLimitHeaders,
    StreamError,
    Text,
    prompt_too_long,
)
from tests.systems import posix_only

HTTP_ERRORS = [
    (HttpError(400, "invalid_request_error", "temperature: too odd"), InvalidRequest, "temperature: too odd"),
    (prompt_too_long(), ContextTooLong, "too long"),
    (HttpError(401, "authentication_error", "invalid x-api-key"), NotSignedIn, "auth login"),
    (HttpError(403, "permission_error", "No access for you."), AccountRefused, "No access for you"),
    (HttpError(404, "not_found_error", "model: claude-haiku-5-5"), ModelNotFound, "claude-haiku-5-5"),
    (HttpError(413, "request_too_large", "Request exceeds the maximum size"), ContextTooLong, "too large"),
    (HttpError(429, "rate_limit_error", "Slow down"), PlanLimitReached, "Slow down"),
    (HttpError(500, "api_error", "Internal server error"), UpstreamFailed, "Internal server error"),
    (HttpError(529, "overloaded_error", "Overloaded"), Overloaded, "overloaded"),
]


@pytest.mark.parametrize(("reply", "kind", "said"), HTTP_ERRORS, ids=lambda value: getattr(value, "__name__", None))
async def test_an_error_of_the_api(backend, simulator, reply, kind, said):
    simulator.script(reply, when=lambda recorded: True)
    with pytest.raises(DragomanError) as caught:
        await fold(backend.stream(ask("Hi")))
    assert type(caught.value) is kind
    assert said in str(caught.value)
    assert backend.pool.counts().live == 0


async def test_the_next_request_after_an_error_is_served(backend, simulator):
    simulator.script(HttpError(529, "overloaded_error", "Overloaded"))
    with pytest.raises(Overloaded):
        await fold(backend.stream(ask("Hi")))
    assert words(await fold(backend.stream(ask("Hi")))) == "You said: Hi"


async def test_a_connection_cut_before_the_first_event_is_tried_once_more(backend, simulator):
    simulator.script(Cut())
    assert words(await fold(backend.stream(ask("Hi")))) == "You said: Hi"
    assert len(simulator.messages_calls) == 2


async def test_a_connection_cut_twice_is_an_error(backend, simulator):
    simulator.script(Cut(), when=lambda recorded: True)
    with pytest.raises(UpstreamFailed):
        await fold(backend.stream(ask("Hi")))
    assert len(simulator.messages_calls) == 2


@pytest.mark.parametrize("ending", [Cut, StreamError])
@pytest.mark.parametrize("after", [FIRST_DELTA, FIRST_DELTA + 1], ids=["in a block", "after a block"])
async def test_a_stream_that_breaks_after_its_first_delta_is_not_begun_again(backend, simulator, ending, after):
    gate = Gate(after_events=after)
    simulator.script([Text("one two", chunks=["one ", "two"]), gate, ending(after_events=after + 1)])
    seen = []

    async def read():
        async for event in backend.stream(ask("Hi")):
            seen.append(event["type"])
            if event["type"] == "content_block_delta":
                gate.open()

    with pytest.raises((UpstreamFailed, Overloaded)):
        await read()
    assert seen.count("message_start") == 1
    assert "message_stop" not in seen
    assert "message_delta" not in seen


async def test_plan_limits_name_their_window_and_when_it_ends(start_backend, simulator, claude_environment):
    account = {name: value for name, value in claude_environment.items() if name != "ANTHROPIC_API_KEY"}
    account["CLAUDE_CODE_OAUTH_TOKEN"] = "dummy"
    limits = RateLimitHeaders(status="rejected", representative_claim="five_hour", five_hour=1.0)
    simulator.script(
        HttpError(429, "rate_limit_error", "limit", headers=limits.as_headers()), when=lambda recorded: True
    )
    async with start_backend(environment=account) as backend:
        with pytest.raises(PlanLimitReached) as caught:
            await fold(backend.stream(ask("Hi")))
    assert caught.value.window == "five_hour"
    assert caught.value.resets_at
    assert caught.value.retry_after > 1
    assert "5-hour" in str(caught.value)


async def test_plan_windows_are_known_after_an_answer(start_backend, simulator, claude_environment):
    account = {name: value for name, value in claude_environment.items() if name != "ANTHROPIC_API_KEY"}
    account["CLAUDE_CODE_OAUTH_TOKEN"] = "dummy"
    simulator.script([RateLimitHeaders(five_hour=0.92), Text("fine")])
    async with start_backend(environment=account) as backend:
        await fold(backend.stream(ask("Hi")))
        assert backend.plan_windows["five_hour"]["utilization"] == pytest.approx(0.92)


@posix_only("a script as the program")
async def test_nobody_signed_in(start_backend, claude_environment):
    nobody = {name: value for name, value in claude_environment.items() if name != "ANTHROPIC_API_KEY"}
    async with start_backend(environment=nobody) as backend:
        probe = await backend.wait_for_probe()
        assert probe.signed_in is False
        assert backend.status().ready is False
        with pytest.raises(NotSignedIn, match="auth login"):
            await fold(backend.stream(ask("Hi")))


async def test_a_login_that_the_service_refuses_counts_as_signed_out_until_it_serves(
    start_backend, simulator, claude_environment
):
    bus, told = EventBus(), []
    bus.subscribe(lambda event: told.append(event.signed_in) if isinstance(event, CliChanged) else None)
    async with start_backend(bus=bus) as backend:
        await backend.wait_for_probe()
        refusing = [True]
        refusal = HttpError(401, "authentication_error", "invalid x-api-key")
        simulator.script(refusal, when=lambda recorded: refusing[0])
        with pytest.raises(NotSignedIn) as caught:
            await fold(backend.stream(ask("Hi")))
        assert caught.value.refused
        await backend.wait_for_probe()
        assert backend.status().ready is False
        refusing[0] = False
        await fold(backend.stream(ask("Hi")))
        assert backend.status().ready is True
    assert told == [True, False, True]


def ended(text="", status=None):
    return Result(True, status, text, frozenset(), None)


@pytest.mark.parametrize(
    ("result", "report", "kind"),
    [
        (ended("Not logged in · Please run /login"), AssistantError("authentication_failed", ""), NotSignedIn),
        (ended("held"), AssistantError("account_on_hold", ""), AccountRefused),
        (ended("pay"), AssistantError("billing_error", ""), AccountRefused),
        (ended("limit"), AssistantError("rate_limit", ""), PlanLimitReached),
        (ended("", 503), None, Overloaded),
        (ended("input length and `max_tokens` exceed context limit: 1 + 2 > 3", 400), None, ContextTooLong),
        (ended("anything"), None, UpstreamFailed),
        (ended(), AssistantError("unknown", "who knows"), UpstreamFailed),
    ],
)
def test_errors_are_told_apart(result, report, kind):
    assert type(turn_error(result, report, {}, now=0.0)) is kind


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (ended("Not logged in · Please run /login", None), "Claude Code is not signed in."),
        (ended("API Error: 401 invalid x-api-key · Please run /login", 401), "Claude Code's sign-in was refused: "
         "invalid x-api-key."),
        (ended("Overloaded", 529), "Claude is overloaded."),
        (ended("", 503), "Claude is overloaded."),
        (ended("Please wait", 529), "Claude is overloaded: Please wait."),
    ],
)  # fmt: skip
def test_nothing_is_said_twice(result, message):
    report = None if result.api_status else AssistantError("authentication_failed", "")
    error = turn_error(result, report, {}, now=0.0, cli="/opt/my claude")
    assert error.message == message
    if isinstance(error, NotSignedIn):
        assert "`'/opt/my claude' auth login`" in error.hint
