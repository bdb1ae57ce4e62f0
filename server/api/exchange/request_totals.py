"""Totals of all requests since the start, for `GET /metrics`."""

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from server.core.events import Event, EventBus, PlanWindowsChanged, PoolChanged, RequestFinished
from server.core.records import RequestRecord

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of the histograms' buckets, in seconds; the last bucket has none."""
MAX_MODELS = 50
"""Further models are counted as `other`: a client may invent names."""


@dataclass(slots=True)
class Histogram:
    """Counts of durations by bucket, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    def add_duration(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds


class RequestTotals:
    """Sums over the requests that the bus reports as ended.

    `requests` is keyed by endpoint, model, backend and status, `tokens` by model and type, `cost_usd` by backend, the
    histograms by model.
    """

    def __init__(self, bus: EventBus) -> None:
        self.requests: Counter[tuple[str, str, str, str]] = Counter()
        self.tokens: Counter[tuple[str, str]] = Counter()
        self.cost_usd: defaultdict[str, float] = defaultdict(float)
        self.durations: defaultdict[str, Histogram] = defaultdict(Histogram)
        self.first_tokens: defaultdict[str, Histogram] = defaultdict(Histogram)
        self.pool: PoolChanged | None = None
        self.plan_windows: dict[str, dict[str, Any]] = {}
        self._models: set[str] = set()
        bus.subscribe(self._on_event)

    def _on_event(self, event: Event) -> None:
        match event:
            case RequestFinished():
                self._add_record(event.record)
            case PoolChanged():
                self.pool = event
            case PlanWindowsChanged():
                self.plan_windows = event.windows

    def _add_record(self, record: RequestRecord) -> None:
        model = self._label_model(record)
        # A refused request's path may be anything.
        endpoint = record.endpoint if record.model is not None else ""
        self.requests[endpoint, model, record.backend or "", record.status] += record.count
        counts = {
            "input": record.input_tokens,
            "output": record.output_tokens,
            "cache_read": record.cache_read_tokens,
            "cache_write": record.cache_write_tokens,
        }
        for kind, tokens in counts.items():
            if tokens:
                self.tokens[model, kind] += tokens
        if record.cost_usd:
            self.cost_usd[record.backend or ""] += record.cost_usd
        if record.status == "ok" and record.duration is not None:
            self.durations[model].add_duration(record.duration)
        if record.ttft is not None:
            self.first_tokens[model].add_duration(record.ttft)

    def _label_model(self, record: RequestRecord) -> str:
        model = record.model or ""
        if model not in self._models and len(self._models) >= MAX_MODELS:
            return "other"
        self._models.add(model)
        return model
