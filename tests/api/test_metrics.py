"""`GET /metrics`, read by Prometheus' own parser."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from server.api.exchange.request_totals import MAX_MODELS
from server.core.errors import Overloaded
from server.core.events import PlanWindowsChanged, PoolChanged, RequestFinished
from server.core.records import RequestRecord
from tests.api.conftest import Served
from tests.scripted_backend import answer

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}


async def read_metrics(server: Served) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = await server.http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> Any:
    return name, frozenset(labels.items())


async def test_requests_tokens_and_durations(server: Served) -> None:
    for stream in (False, True):
        server.backend.script(answer("Hi", cost=0.25))
        await server.http.post("/v1/chat/completions", json={**BODY, "stream": stream})
    server.backend.script(Overloaded("Busy."))
    await server.http.post("/v1/chat/completions", json=BODY)
    await server.finished(3)
    metrics = await read_metrics(server)
    labels = {"endpoint": "/v1/chat/completions", "model": "opus", "backend": "scripted"}
    assert metrics[key("dragoman_requests_total", **labels, status="ok")] == 2
    assert metrics[key("dragoman_requests_total", **labels, status="error")] == 1
    assert metrics[key("dragoman_tokens_total", model="opus", type="output")] == 14
    assert metrics[key("dragoman_cost_usd_total", backend="scripted")] == 0.5
    assert metrics[key("dragoman_request_duration_seconds_count", model="opus")] == 2
    assert metrics[key("dragoman_time_to_first_token_seconds_bucket", model="opus", le="+Inf")] == 2
    assert metrics[key("dragoman_requests_running")] == 0
    assert metrics[key("dragoman_uptime_seconds")] > 0


async def test_the_pool_and_the_plan(server: Served) -> None:
    server.services.bus.publish(PoolChanged(spares=1, live=3, busy=2, queued=4, memory_bytes=1000))
    server.services.bus.publish(PlanWindowsChanged({"five_hour": {"utilization": 0.4}, "odd": {}}))
    metrics = await read_metrics(server)
    processes = {state: metrics[key("dragoman_processes", state=state)] for state in ("spare", "busy", "idle")}
    assert processes == {"spare": 1, "busy": 2, "idle": 1}
    assert metrics[key("dragoman_requests_queued")] == 4
    assert metrics[key("dragoman_process_memory_bytes")] == 1000
    assert metrics[key("dragoman_plan_used_ratio", window="five_hour")] == 0.4


async def test_it_needs_the_key(server: Served) -> None:
    assert (await server.http.get("/metrics", headers={"authorization": ""})).status_code == 401


async def test_a_client_cannot_make_endless_rows(server: Served) -> None:
    for number in range(MAX_MODELS + 20):
        record = RequestRecord("r", 0.0, f"/{number}", "c", model=f"claude-{number}", status="ok", duration=1.0)
        server.services.bus.publish(RequestFinished(record))
    for number in range(20):
        server.services.bus.publish(RequestFinished(RequestRecord("r", 0.0, f"/{number}", "c", status="error")))
    assert len({model for _, model, _, _ in server.services.totals.requests}) <= MAX_MODELS + 1
    assert sum(not model for _, model, _, _ in server.services.totals.requests) <= 1


async def test_openmetrics_for_those_who_ask(server: Served) -> None:
    response = await server.http.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")
