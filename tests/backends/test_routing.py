"""Routing: Claude Code first, the Anthropic API only where it is allowed."""

from contextlib import asynccontextmanager

import pytest

from server.backends.anthropic_api import AnthropicApiBackend
from server.backends.base import ROUTED
from server.backends.budget import ApiBudget, BudgetLimits
from server.backends.routing import RoutedBackend
from server.core.errors import (
    ApiKeyRefused,
    CliNotFound,
    InvalidRequest,
    NotSignedIn,
    Overloaded,
    PlanLimitReached,
    ProcessDied,
    QueueFull,
    Stopping,
    UpstreamFailed,
)
from server.core.events import EventBus
from server.core.messages import ApiOnly
from server.secrets import KeyStore
from server.secrets.anthropic_key import ANTHROPIC_API_KEY
from server.secrets.storage import MemoryStorage
from tests.asking import ask, fold, tool, words
from tests.scripted_backend import ScriptedBackend, answer, begin
from tests.simulator import Cut, HttpError, Text

KEY = "sk-ant-api03-the-key-of-this-test_0123456789"
NOT_THERE = CliNotFound("There is no claude.", hint="Install it.")
NOT_SIGNED_IN = NotSignedIn("Nobody is signed in.", hint="Sign in.")
USED_UP = PlanLimitReached("The plan is used up.", retry_after=60, hint="Wait.")


@pytest.fixture
def routed(simulator):
    """`async with routed(key=..., fallback=..., on_plan_limit=...) as backend`; `backend.cli` is scripted."""

    @asynccontextmanager
    async def make(key=KEY, fallback=True, on_plan_limit=False, budget=None):
        store = KeyStore(MemoryStorage())
        if key:
            await store.set(ANTHROPIC_API_KEY, key)
        cli = ScriptedBackend()
        api = AnthropicApiBackend(simulator.url, store, listed=cli.models)
        backend = RoutedBackend(cli, api, fallback=fallback, on_plan_limit=on_plan_limit, budget=budget)
        backend.key_store = store
        await backend.start()
        yield backend
        await backend.stop()

    return make


async def events_of(backend, request):
    return [event async for event in backend.stream(request)]


async def test_claude_code_serves_while_it_can(routed, simulator):
    async with routed() as backend:
        backend.cli.script(answer("Hi"))
        events = await events_of(backend, ask("Hello"))
    assert events == answer("Hi")
    assert simulator.requests == []


@pytest.mark.parametrize("error", [NOT_THERE, NOT_SIGNED_IN], ids=["missing", "not signed in"])
async def test_the_api_serves_when_claude_code_cannot(routed, simulator, error):
    async with routed() as backend:
        backend.cli.script(error)
        simulator.script(Text("From the API"))
        first, *rest = await events_of(backend, ask("Hello", tools=[tool("look")]))
    assert (first["type"], first["backend"]) == (ROUTED, "anthropic_api")
    assert "your own key" in first["warnings"][0]
    assert [rest[0]["type"], rest[-1]["type"]] == ["message_start", "message_stop"]
    (call,) = simulator.messages_calls
    assert call.headers["x-api-key"] == KEY


@pytest.mark.parametrize(
    "error",
    [
        USED_UP,
        InvalidRequest("Odd."),
        Overloaded("Busy."),
        ProcessDied("Gone."),
        QueueFull("Full."),
        Stopping("Over."),
        UpstreamFailed("No."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_no_money_is_spent_for_another_reason(routed, simulator, error):
    said = str(error)
    async with routed() as backend:
        backend.cli.script(error)
        with pytest.raises(type(error)) as caught:
            await events_of(backend, ask("Hello"))
    assert caught.value is error
    assert str(error) == said
    assert simulator.requests == []


async def test_a_plan_that_is_used_up_counts_where_the_person_says_so(routed, simulator):
    async with routed(on_plan_limit=True) as backend:
        backend.cli.script(USED_UP)
        first, *_ = await events_of(backend, ask("Hello"))
        assert "limit of your Claude plan" in first["warnings"][0]
    async with routed(on_plan_limit=True, key=None) as backend:
        backend.cli.script(USED_UP)
        with pytest.raises(PlanLimitReached):
            await events_of(backend, ask("Hello"))
    assert len(simulator.messages_calls) == 1


@pytest.mark.parametrize("on_plan_limit", [False, True])
async def test_what_is_switched_off_is_off(routed, simulator, on_plan_limit):
    async with routed(fallback=False, on_plan_limit=on_plan_limit) as backend:
        for error in (NOT_THERE, NOT_SIGNED_IN, USED_UP):
            backend.cli.script(error)
            with pytest.raises(type(error)) as caught:
                await events_of(backend, ask("Hello"))
            assert "key --anthropic" not in str(caught.value)
        assert await backend.count_tokens(ask("Hello")) is None
    assert simulator.requests == []


async def test_an_answer_that_has_begun_is_never_taken_over(routed, simulator):
    async with routed(on_plan_limit=True) as backend:
        for error in (NOT_THERE, NOT_SIGNED_IN, USED_UP):
            backend.cli.script(begin(), error)
            with pytest.raises(type(error)):
                await events_of(backend, ask("Hello"))
    assert simulator.requests == []


async def test_without_a_key_the_error_says_what_to_do(routed, simulator):
    async with routed(key=None) as backend:
        error = NotSignedIn("Nobody is signed in.", hint="Sign in.")
        for _ in range(2):
            backend.cli.script(error)
            with pytest.raises(NotSignedIn, match=r"Sign in\. Or store .* `.* key --anthropic`"):
                await events_of(backend, ask("Hello"))
        assert str(error).count("Or store") == 1
        assert await backend.count_tokens(ask("Hello")) is None
    assert simulator.requests == []


async def test_a_key_that_comes_or_goes_later_counts_at_once(routed, simulator):
    async with routed(key=None) as backend:
        await backend.key_store.set(ANTHROPIC_API_KEY, KEY)
        backend.cli.script(NOT_SIGNED_IN)
        assert words(await fold(backend.stream(ask("Hello")))) == "You said: Hello"
        await backend.key_store.set(ANTHROPIC_API_KEY, None)
        backend.cli.script(NotSignedIn("Nobody is signed in."))
        with pytest.raises(NotSignedIn):
            await fold(backend.stream(ask("Hello")))
    assert len(simulator.messages_calls) == 1


async def test_an_error_of_the_api_is_told_as_its_own(routed, simulator):
    simulator.script(HttpError(401))
    async with routed() as backend:
        backend.cli.script(NOT_SIGNED_IN)
        events = backend.stream(ask("Hello"))
        assert (await anext(events))["type"] == ROUTED
        with pytest.raises(ApiKeyRefused):
            await anext(events)


async def test_a_reader_that_leaves_ends_the_work_of_whoever_serves(routed):
    async with routed() as backend:
        backend.cli.script(answer("Hi"))
        events = backend.stream(ask("Hello"))
        await anext(events)
        await events.aclose()
        assert backend.cli.closed == 1


async def test_counting_is_the_apis(routed, simulator):
    async with routed() as backend:
        assert await backend.count_tokens(ask("Hello " * 500)) > 500
        assert await backend.count_tokens(ask("Hello", model="claude-of-nowhere")) is None
    assert {call.path for call in simulator.requests} == {"/v1/messages/count_tokens"}


async def test_the_models_are_claude_codes_or_else_the_apis(routed):
    async with routed() as backend:
        assert backend.models() == backend.cli.offered
        backend.cli.offered = ()
        assert [info.name for info in backend.models()] == ["opus", "sonnet", "haiku", "fable"]
    async with routed(key=None) as backend:
        backend.cli.offered = ()
        assert backend.models() == ()


@pytest.mark.parametrize(
    ("running", "key", "fallback", "ready", "stands_in"),
    [
        (True, KEY, True, True, False),
        (False, KEY, True, True, True),
        (False, None, True, False, False),
        (False, KEY, False, False, False),
    ],
)
async def test_the_status_is_that_of_both(routed, running, key, fallback, ready, stands_in):
    async with routed(key=key, fallback=fallback) as backend:
        backend.cli.running = running
        status = backend.status()
        assert status.ready is ready
        assert ("Anthropic API answers" in status.detail) is stands_in
        assert status.facts["version"] == "9.9.9"
        assert status.facts["anthropic_api"]["key_stored"] is (key is not None)
        assert status.facts["anthropic_api"]["fallback"] is fallback
        assert KEY not in repr(status)


async def test_both_are_started_and_stopped(routed):
    async with routed() as backend:
        assert backend.cli.running
        assert backend.name == backend.cli.name
        await backend.stop()
        assert not backend.cli.running
        with pytest.raises(Stopping):
            await fold(backend.api.stream(ask("Hi")))


MCP = ApiOnly(("mcp_servers",), {"mcp_servers": [{"type": "url", "url": "https://x.example", "name": "x"}]})


async def test_what_only_the_api_has_goes_there_at_once(routed, simulator):
    async with routed() as backend:
        first, *_ = await events_of(backend, ask("Hello", api_only=MCP, betas=("mcp-1",)))
        assert backend.cli.requests == []
    assert "Claude Code does not have mcp_servers" in first["warnings"][0]
    (call,) = simulator.messages_calls
    assert call.body["mcp_servers"] == MCP.fields["mcp_servers"]
    assert call.headers["anthropic-beta"] == "mcp-1"


@pytest.mark.parametrize("options", [{"key": None}, {"fallback": False}])
async def test_what_only_the_api_has_is_refused_without_it(routed, simulator, options):
    async with routed(**options) as backend:
        with pytest.raises(InvalidRequest, match="only the Anthropic API") as caught:
            await events_of(backend, ask("Hello", api_only=MCP))
        assert backend.cli.requests == []
    assert caught.value.param == "mcp_servers"
    assert simulator.requests == []


async def test_claude_code_that_cannot_begin_is_left_alone_until_it_is_ready(routed, simulator):
    async with routed() as backend:
        backend.cli.running = False
        backend.cli.script(NOT_SIGNED_IN)
        for _ in range(3):
            assert (await events_of(backend, ask("Hello")))[0]["type"] == ROUTED
        assert len(backend.cli.requests) == 1
        backend.cli.running = True
        backend.cli.script(answer("Back"))
        assert await events_of(backend, ask("Hello")) == answer("Back")


async def test_a_used_up_plan_is_that_of_one_model(routed, simulator):
    async with routed(on_plan_limit=True) as backend:
        backend.cli.script(USED_UP)
        for _ in range(2):
            await events_of(backend, ask("Hello", model="claude-opus-5-5"))
        assert len(backend.cli.requests) == 1
        backend.cli.script(answer("Mine"))
        assert await events_of(backend, ask("Hello", model="claude-haiku-5-5")) == answer("Mine")
        backend.configure(fallback=True, on_plan_limit=False)
        backend.cli.script(answer("Again"))
        assert await events_of(backend, ask("Hello", model="claude-opus-5-5")) == answer("Again")


async def test_an_api_that_keeps_failing_is_left_alone(routed, simulator):
    async with routed() as backend:
        for _ in range(3):
            backend.cli.script(NOT_THERE)
            simulator.script(HttpError(500))
            with pytest.raises(UpstreamFailed):
                await events_of(backend, ask("Hello"))
        backend.cli.script(NOT_THERE)
        with pytest.raises(Overloaded, match="failed several times") as caught:
            await events_of(backend, ask("Hello"))
        assert 0 < caught.value.retry_after <= 30
    assert len(simulator.messages_calls) == 3


class FullLedger:
    """One in which 0.99 of everything is spent."""

    spent = 0.99

    def __init__(self):
        self.rows = {}

    async def record_spending(self, call_id, day, usd):
        self.rows[call_id] = usd

    async def sum_spending(self, first_day):
        return self.spent + sum(self.rows.values())


async def test_the_budget_is_checked_before_and_charged_after(routed, simulator):
    ledger = FullLedger()
    async with routed(budget=ApiBudget(BudgetLimits(usd_a_day=1.0), EventBus(), lambda: ledger)) as backend:
        error = NotSignedIn("Nobody is signed in.", hint="Sign in.")
        backend.cli.script(error)
        with pytest.raises(NotSignedIn, match=r"Sign in\. This request may cost up to \$"):
            await events_of(backend, ask("Hello", max_tokens=100_000))
        assert simulator.requests == []
        backend.cli.script(NOT_THERE)
        usage = {"input_tokens": 1000, "output_tokens": 200, "cache_read_input_tokens": 0}
        simulator.script(Text("Hi", usage={**usage, "cache_creation_input_tokens": 0}))
        events = await events_of(backend, ask("Hello", max_tokens=1000))
        assert [event["cost_usd"] for event in events if "cost_usd" in event] == [pytest.approx(0.0002)]
        await backend.guarded_api.stop()
    assert list(ledger.rows.values()) == [pytest.approx(0.0002)]


async def test_a_cut_answer_is_charged_for_what_came(routed, simulator):
    ledger = FullLedger()
    async with routed(budget=ApiBudget(BudgetLimits(usd_a_day=1000.0), EventBus(), lambda: ledger)) as backend:
        backend.cli.script(NOT_THERE)
        simulator.script([Text("many words " * 50), Cut(after_events=20)])
        with pytest.raises(UpstreamFailed):
            await events_of(backend, ask("Hello", max_tokens=100_000))
        await backend.guarded_api.stop()
    [cost] = ledger.rows.values()
    assert 0 < cost < 0.01


async def test_a_model_of_the_api_is_served_by_it_although_claude_code_could(routed, simulator):
    async with routed() as backend:
        simulator.script(Text("From the API"))
        first, *rest = await events_of(backend, ask("Hello", model="opus", by_api=True))
    assert (first["type"], first["backend"], first["warnings"]) == (ROUTED, "anthropic_api", [])
    assert rest[-1]["type"] == "message_stop"
    assert backend.cli.requests == []
    (call,) = simulator.messages_calls
    assert (call.model, call.headers["x-api-key"]) == ("claude-opus-5-5", KEY)


@pytest.mark.parametrize(
    ("key", "fallback", "hint"), [("", True, "Store a valid key"), (KEY, False, "anthropic_fallback")]
)
async def test_a_model_of_the_api_needs_a_key_and_the_users_leave(routed, simulator, key, fallback, hint):
    async with routed(key=key, fallback=fallback) as backend:
        with pytest.raises(ApiKeyRefused) as raised:
            await events_of(backend, ask("Hello", by_api=True))
    assert hint in raised.value.hint
    assert simulator.requests == []
