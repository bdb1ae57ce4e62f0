"""Request ids."""

import pytest

from tests.api.conftest import Served


async def test_every_answer_has_one(server: Served) -> None:
    ids = [
        (await server.http.get(path, headers=headers)).headers["x-request-id"]
        for path in ("/health", "/nothing", "/v1/models")
        for headers in ({}, {"host": "evil.example"}, {"authorization": "Bearer wrong"})
    ]
    assert len(set(ids)) == len(ids)
    assert all(request_id.startswith("req_") for request_id in ids)


async def test_the_clients_own(server: Served) -> None:
    response = await server.http.get("/health", headers={"x-request-id": "trace-7.b:1"})
    assert response.headers["x-request-id"] == "trace-7.b:1"


@pytest.mark.parametrize("wanted", ["", "a b", "x" * 129, '"', "-x", "a;b"])
async def test_one_that_is_not_sane_is_replaced(server: Served, wanted: str) -> None:
    response = await server.http.get("/health", headers={"x-request-id": wanted})
    assert response.headers["x-request-id"].startswith("req_")


async def test_anthropics_name_for_it(server: Served) -> None:
    response = await server.http.get("/v1/models", headers={"anthropic-version": "2023-06-01"})
    assert response.headers["request-id"] == response.headers["x-request-id"]
    assert "request-id" not in (await server.http.get("/v1/models")).headers
