"""`GET /metrics`: totals and gauges in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/. Needs the server's own key.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response

from server import __version__
from server.api.endpoints.administration import MAIN_KEY_ONLY
from server.api.exchange.request_totals import BOUNDS, Histogram

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from server.api.services import Services

router = APIRouter(dependencies=MAIN_KEY_ONLY)

_LE = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")


@router.api_route("/metrics", methods=["GET", "HEAD"])
async def get_metrics(request: Request) -> Response:
    """All metrics; a client that asks for OpenMetrics gets that."""
    from prometheus_client.exposition import choose_encoder  # loaded by the few who scrape
    from prometheus_client.registry import CollectorRegistry

    services: Services = request.app.state.services
    registry = CollectorRegistry()
    registry.register(_Collector(services))
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=content_type)


class _Collector:
    """Implements prometheus_client's `Collector`."""

    def __init__(self, services: "Services") -> None:
        self._services = services

    def collect(self) -> Iterator["Metric"]:
        yield from _collect_totals(self._services)
        yield from _collect_gauges(self._services)


def _collect_totals(services: "Services") -> Iterator["Metric"]:
    from prometheus_client.core import CounterMetricFamily

    totals = services.totals
    labels = ["endpoint", "model", "backend", "status"]
    requests = CounterMetricFamily("dragoman_requests", "Requests that have ended.", labels=labels)
    for key, count in totals.requests.items():
        requests.add_metric(key, count)
    yield requests
    tokens = CounterMetricFamily(
        "dragoman_tokens", "Tokens by model and type; input includes cached ones.", labels=["model", "type"]
    )
    for pair, count in totals.tokens.items():
        tokens.add_metric(pair, count)
    yield tokens
    cost = CounterMetricFamily("dragoman_cost_usd", "Cost at list prices, in US dollars.", labels=["backend"])
    for backend, usd in totals.cost_usd.items():
        cost.add_metric([backend], usd)
    yield cost
    yield _make_histogram("dragoman_request_duration_seconds", "Durations of successful requests.", totals.durations)
    yield _make_histogram("dragoman_time_to_first_token_seconds", "Times to the first token.", totals.first_tokens)


def _make_histogram(name: str, text: str, by_model: Mapping[str, Histogram]) -> "Metric":
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, text, labels=["model"])
    for model, histogram in by_model.items():
        buckets = [(le, float(count)) for le, count in zip(_LE, accumulate(histogram.counts), strict=True)]
        family.add_metric([model], buckets, histogram.sum)
    return family


def _collect_gauges(services: "Services") -> Iterator["Metric"]:
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

    yield InfoMetricFamily("dragoman", "The server.", value={"version": __version__})
    yield GaugeMetricFamily("dragoman_uptime_seconds", "Time since the start.", services.uptime)
    yield GaugeMetricFamily("dragoman_requests_running", "Requests being answered.", services.running.count)
    if (pool := services.totals.pool) is not None:
        processes = GaugeMetricFamily("dragoman_processes", "Claude Code processes.", labels=["state"])
        idle = pool.live - pool.busy
        for state, count in (("spare", pool.spares), ("busy", pool.busy), ("idle", idle)):
            processes.add_metric([state], count)
        yield processes
        yield GaugeMetricFamily("dragoman_requests_queued", "Requests that wait for a process.", pool.queued)
        yield GaugeMetricFamily("dragoman_process_memory_bytes", "Memory of all processes.", pool.memory_bytes)
    plan = GaugeMetricFamily("dragoman_plan_used_ratio", "Used share of the plan's windows.", labels=["window"])
    for name, window in services.totals.plan_windows.items():
        if isinstance(used := window.get("utilization"), int | float):
            plan.add_metric([name], used)
    yield plan
