"""The list of models, for both dialects' clients."""

import anthropic
import openai
import pytest

from tests.api.conftest import Serve, Served
from tests.openai_schema import validate


async def test_openais_client(server: Served) -> None:
    response = await server.http.get("/v1/models")
    validate("ListModelsResponse", response.json())
    ids = [model.id async for model in server.openai().models.list()]
    assert ids[:4] == ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5-20251001", "opus"]
    assert {"gpt-5", "gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo"} <= set(ids)
    assert len(ids) == len(set(ids))


async def test_anthropics_client(server: Served) -> None:
    page = await server.anthropic().models.list()
    assert page.has_more is False
    assert (page.first_id, page.last_id) == (page.data[0].id, page.data[-1].id)
    assert page.data[0].display_name == "Opus 5.5"
    haiku = await server.anthropic().models.retrieve("claude-haiku-4-5-20251001")
    assert haiku.created_at.date().isoformat() == "2025-10-01"


@pytest.mark.parametrize("name", ["opus", "gpt-5", "openai/gpt-4o", "claude-sonnet-4-20250514"])
async def test_one_model(server: Served, name: str) -> None:
    model = await server.openai().models.retrieve(name)
    assert (model.id, model.object) == (name, "model")
    validate("Model", (await server.http.get(f"/v1/models/{name}")).json())


async def test_unknown_models(server: Served) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await server.openai().models.retrieve("no-such-model")
    assert caught.value.code == "model_not_found"
    with pytest.raises(anthropic.NotFoundError):
        await server.anthropic().models.retrieve("no-such-model")


async def test_the_users_aliases(serve: Serve) -> None:
    server = await serve(aliases={"mine": "sonnet", "lost": "nowhere"})
    ids = [model["id"] for model in (await server.http.get("/v1/models")).json()["data"]]
    assert "mine" in ids
    assert "lost" not in ids
    assert (await server.http.get("/v1/models/mine")).json()["display_name"] == "mine (Sonnet 5.5)"


async def test_before_the_backend_has_said_what_it_offers(server: Served) -> None:
    server.backend.offered = ()
    ids = [model["id"] for model in (await server.http.get("/v1/models")).json()["data"]]
    assert "gpt-5" in ids


async def test_anthropics_client_goes_through_all_pages(server: Served) -> None:
    every = [model["id"] for model in (await server.http.get("/v1/models")).json()["data"]]
    assert [model.id async for model in server.anthropic().models.list(limit=7)] == every
    last = await server.anthropic().models.list(after_id=every[-3])
    assert ([model.id for model in last.data], last.has_more) == (every[-2:], False)


async def test_anthropics_client_goes_backwards(server: Served) -> None:
    every = [model["id"] for model in (await server.http.get("/v1/models")).json()["data"]]
    page = await server.anthropic().models.list(before_id=every[5], limit=2)
    assert ([model.id for model in page.data], page.has_more) == (every[3:5], True)
    assert [model.id async for model in page] == [*every[3:5], *every[1:3], every[0]]
    whole = await server.anthropic().models.list(before_id=every[2])
    assert ([model.id for model in whole.data], whole.has_more) == (every[:2], False)


async def test_a_page_as_long_as_the_list_is_the_last(server: Served) -> None:
    count = len((await server.http.get("/v1/models")).json()["data"])
    assert (await server.http.get(f"/v1/models?limit={count}")).json()["has_more"] is False
    assert (await server.http.get(f"/v1/models?limit={count - 1}")).json()["has_more"] is True


async def test_beyond_the_end_there_is_an_empty_page(server: Served) -> None:
    every = (await server.http.get("/v1/models")).json()["data"]
    page = (await server.http.get("/v1/models", params={"after_id": every[-1]["id"]})).json()
    assert (page["data"], page["has_more"], page["first_id"], page["last_id"]) == ([], False, None, None)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=few", "after_id=none-such", "before_id=", "after_id=opus&before_id=opus"]
)
async def test_pages_that_cannot_be(server: Served, query: str) -> None:
    response = await server.http.get(f"/v1/models?{query}")
    assert response.status_code == 400
    assert response.json()["error"]["param"] in query


async def test_the_limits_and_capabilities_of_a_model(serve: Serve) -> None:
    server = await serve(aliases={"smart": "opus:high > haiku"})
    opus = await server.anthropic().models.retrieve("gpt-5.5")
    assert (opus.max_input_tokens, opus.max_tokens, opus.line) == (1_000_000, 128_000, "opus")
    assert opus.capabilities is not None
    assert (opus.capabilities.effort.high.supported, opus.capabilities.effort.max.supported) == (True, False)
    assert opus.capabilities.thinking.types.adaptive.supported
    haiku = (await server.http.get("/v1/models/haiku:low")).json()
    assert (haiku["context_window"], haiku["max_output_tokens"]) == (200_000, 64_000)
    assert haiku["capabilities"]["thinking"]["types"]["enabled"] == {"supported": True}
    chain = (await server.http.get("/v1/models/smart")).json()
    assert (chain["context_window"], chain["display_name"]) == (200_000, "smart (Opus 5.5 > Haiku 4.5)")


async def test_every_model_is_whole_for_both_clients(server: Served) -> None:
    for entry in (await server.http.get("/v1/models")).json()["data"]:
        validate("Model", entry)
        anthropic.types.ModelInfo.model_validate(entry, strict=False)
        assert entry["context_window"] == entry["max_input_tokens"] >= 200_000
