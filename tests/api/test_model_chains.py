"""Chains of models: the next one answers where an earlier one cannot begin."""

import asyncio

import anthropic
import openai
import pytest

from server.backends.base import routed_event
from server.core.errors import (
    AccountRefused,
    ApiKeyRefused,
    CliNotFound,
    ContextTooLong,
    InvalidRequest,
    ModelNotFound,
    NotSignedIn,
    Overloaded,
    PlanLimitReached,
    ProcessDied,
    QueueFull,
    Stopping,
    UpstreamFailed,
    UpstreamTimeout,
)
from tests.api.conftest import Serve, Served
from tests.scripted_backend import Gate, answer, begin, text

HELLO = [{"role": "user", "content": "Hello"}]
CHAIN = {"smart": "opus:high > sonnet > api:haiku"}


def asked(server: Served) -> list[tuple[str, bool]]:
    return [(request.model, request.by_api) for request in server.backend.requests]


async def test_the_first_model_answers_while_it_can(serve: Serve) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(answer("Hi"))
    raw = await server.openai().chat.completions.with_raw_response.create(model="smart", messages=HELLO)
    assert "warning" not in raw.headers
    assert raw.parse().model == "smart"
    assert asked(server) == [("opus", False)]
    [ended] = await server.finished()
    assert (ended.record.requested_model, ended.record.model) == ("smart", "opus")


@pytest.mark.parametrize("stream", [False, True])
async def test_the_next_model_answers_and_the_answer_says_so(serve: Serve, stream: bool) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(Overloaded("Claude is overloaded."))
    server.backend.script(answer("Hi"))
    raw = await server.openai().chat.completions.with_raw_response.create(model="smart", messages=HELLO, stream=stream)
    assert 'opus could not answer (Claude is overloaded), so sonnet was asked"' in raw.headers["warning"]
    models = {chunk.model async for chunk in raw.parse()} if stream else {raw.parse().model}
    assert models == {"sonnet"}
    [ended] = await server.finished()
    assert (ended.record.requested_model, ended.record.model) == ("smart", "sonnet")
    assert "sonnet was asked" in ended.record.warnings[-1]


async def test_each_model_gets_the_request_as_it_takes_it(serve: Serve) -> None:
    server = await serve(aliases={"smart": "opus:high > claude-opus-4-5:low > haiku"})
    server.backend.script(Overloaded("Busy."))
    server.backend.script(Overloaded("Busy."))
    server.backend.script(answer("Hi"))
    raw = await server.openai().chat.completions.with_raw_response.create(
        model="smart", messages=HELLO, max_tokens=100_000
    )
    first, second, third = server.backend.requests
    assert (first.effort, first.max_tokens) == ("high", 100_000)
    assert (second.effort, second.max_tokens) == ("low", 64_000)
    assert (third.effort, third.thinking) == (None, {"type": "disabled"})
    assert "100000" in raw.headers["warning"], "the fitting to a later model is told"
    assert raw.parse().model == "haiku"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_responses_client_reads_the_model_that_answered(serve: Serve, stream: bool) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(Overloaded("Busy."))
    server.backend.script(answer("Hi"))
    raw = await server.openai().responses.with_raw_response.create(model="smart", input="Hello", stream=stream)
    assert "sonnet was asked" in raw.headers["warning"]
    answered = raw.parse()
    models = (
        {event.response.model async for event in answered if "response" in event.model_fields_set}
        if stream
        else {answered.model}
    )
    assert models == {"sonnet"}


async def test_a_messages_client_reads_the_model_that_answered(serve: Serve) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(ModelNotFound("The model opus does not exist."))
    server.backend.script(begin("claude-sonnet-5-5"), answer("Hi")[1:])
    raw = await server.anthropic().messages.with_raw_response.create(model="smart", messages=HELLO, max_tokens=100)
    assert "sonnet was asked" in raw.headers["warning"]
    assert (await raw.parse()).model == "claude-sonnet-5-5"


@pytest.mark.parametrize(
    ("error", "models"),
    [
        (Overloaded("Busy."), ["opus", "sonnet"]),
        (ModelNotFound("Not there."), ["opus", "sonnet"]),
        (PlanLimitReached("Used up.", window="seven_day_opus"), ["opus", "sonnet"]),
        (AccountRefused("Not this one."), ["opus", "sonnet"]),
        (UpstreamFailed("Broken."), ["opus", "sonnet"]),
        (UpstreamTimeout("Too slow."), ["opus", "sonnet"]),
        (ContextTooLong("Too long."), ["opus", "sonnet"]),
        (CliNotFound("Not there."), ["opus", "haiku"]),
        (NotSignedIn("Nobody."), ["opus", "haiku"]),
        (ProcessDied("Died."), ["opus", "haiku"]),
        (QueueFull("Full."), ["opus", "haiku"]),
        (InvalidRequest("Bad."), ["opus"]),
        (Stopping("Stopping."), ["opus"]),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_only_an_error_that_another_model_may_not_have_leads_on(
    serve: Serve, error: Exception, models: list[str]
) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(error)
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/chat/completions", json={"model": "smart", "messages": HELLO})
    assert [name for name, _ in asked(server)] == models
    assert response.is_success == (len(models) == 2)


async def test_an_answer_that_has_begun_is_never_continued_by_another_model(serve: Serve) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(begin(), text("So far"), Overloaded("Busy."))
    with pytest.raises(openai.APIError, match="Busy"):
        async for _ in await server.openai().chat.completions.create(model="smart", messages=HELLO, stream=True):
            pass
    assert len(server.backend.requests) == 1


async def test_a_missing_key_leads_back_to_claude_code(serve: Serve) -> None:
    server = await serve(aliases={"smart": "api:opus > api:sonnet > haiku"})
    server.backend.script(ApiKeyRefused("No key is stored."))
    server.backend.script(answer("Hi"))
    await server.openai().chat.completions.create(model="smart", messages=HELLO)
    assert asked(server) == [("opus", True), ("haiku", False)]


async def test_the_error_of_a_whole_chain_is_one_that_may_pass_and_names_all(serve: Serve) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(ModelNotFound("There is no opus."))
    server.backend.script(PlanLimitReached("Used up.", retry_after=90))
    server.backend.script(ApiKeyRefused("No key is stored."))
    with pytest.raises(openai.RateLimitError) as raised:
        await server.openai().chat.completions.create(model="smart", messages=HELLO)
    assert raised.value.response.headers["retry-after"] == "90"
    for words in ("sonnet: Used up.", "opus (There is no opus)", "haiku (No key is stored)"):
        assert words in raised.value.message
    [ended] = await server.finished()
    assert ended.record.status == "error"


async def test_the_backend_that_failed_for_an_earlier_model_is_not_recorded(serve: Serve) -> None:
    server = await serve(aliases=CHAIN)
    server.backend.script(routed_event("anthropic_api", "by the API"), Overloaded("Busy."))
    server.backend.script(answer("Hi"))
    raw = await server.openai().chat.completions.with_raw_response.create(model="smart", messages=HELLO)
    assert "by the API" not in raw.headers["warning"]
    [ended] = await server.finished()
    assert ended.record.backend == "scripted"


async def test_a_chain_as_the_name_itself_and_in_the_list_of_models(serve: Serve) -> None:
    server = await serve(aliases=CHAIN)
    assert "smart" in [model.id async for model in server.openai().models.list()]
    server.backend.script(Overloaded("Busy."))
    server.backend.script(answer("Hi"))
    await server.anthropic().messages.create(model="haiku > sonnet", messages=HELLO, max_tokens=100)
    assert asked(server) == [("haiku", False), ("sonnet", False)]
    with pytest.raises(anthropic.NotFoundError, match="chain with 'llama3'"):
        await server.anthropic().messages.create(model="haiku > llama3", messages=HELLO, max_tokens=100)


async def test_each_of_several_answers_finds_its_model(serve: Serve) -> None:
    server = await serve(aliases=CHAIN)
    gates = [Gate(), Gate()]
    for gate in gates:
        server.backend.script(gate, Overloaded("Busy."))
    server.backend.script(answer("Hi"))
    server.backend.script(answer("Ho"))
    asking = asyncio.ensure_future(server.openai().chat.completions.create(model="smart", messages=HELLO, n=2))
    for gate in gates:
        await gate.reached.wait()
        gate.open()
    reply = await asking
    assert sorted(choice.message.content for choice in reply.choices) == ["Hi", "Ho"]
    assert reply.model == "sonnet"
