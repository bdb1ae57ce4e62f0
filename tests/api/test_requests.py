"""The list of requests."""

from tests.api.conftest import Served
from tests.scripted_backend import answer

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}


async def test_pages_and_filters(server: Served) -> None:
    for _ in range(3):
        server.backend.script(answer("Hi"))
        await server.http.post("/v1/chat/completions", json=BODY)
    await server.http.post("/v1/messages", json={})
    first = (await server.http.get("/api/requests", params={"limit": 3})).json()
    assert (first["total"], len(first["items"])) == (4, 3)
    assert first["items"][0]["endpoint"] == "/v1/messages"
    rest = (await server.http.get("/api/requests", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    failed = (await server.http.get("/api/requests", params={"status": "error"})).json()
    assert [item["endpoint"] for item in failed["items"]] == ["/v1/messages"]
    session = first["items"][1]["session_id"]
    of_one = (await server.http.get("/api/requests", params={"session_id": session})).json()
    assert of_one["total"] == 1


async def test_one(server: Served) -> None:
    server.backend.script(answer("Hi"))
    response = await server.http.post("/v1/chat/completions", json=BODY)
    request_id = response.headers["x-request-id"]
    found = (await server.http.get(f"/api/requests/{request_id}")).json()
    assert (found["id"], found["status"]) == (request_id, "ok")


async def test_none(server: Served) -> None:
    assert (await server.http.get("/api/requests/none")).status_code == 404
    assert (await server.http.delete("/api/requests/none")).status_code == 404
    wrong = await server.http.get("/api/requests", params={"status": "nonsense"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "status")
