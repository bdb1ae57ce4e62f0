"""Traces of requests by OpenTelemetry, exported by OTLP/HTTP; needs the extra `otel`.

One span a request, made when it has ended, so that nothing is added to the path of a request. A client's `traceparent`
becomes the parent. Prompts and answers are not part of a span.

Attributes: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/.
"""

import asyncio
import logging
from typing import Any

from server import __version__
from server.core.events import Event, EventBus, Notice, RequestFinished
from server.core.records import RequestRecord

log = logging.getLogger(__name__)

_NANOSECONDS = 1_000_000_000
_OPERATION = "chat"
_EXPORT_SECONDS = 2.0
"""For an export with its retries: a stop of the server waits for the last one."""


class RequestTracing:
    """Exports a span for each ended request to the collector at `endpoint`, such as `http://127.0.0.1:4318`.

    Raises ImportError without the extra.
    """

    def __init__(self, bus: EventBus, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": "dragoman", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=_EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("dragoman", __version__)
        self._unsubscribe = bus.subscribe(self._on_event)

    async def close(self) -> None:
        """Export what waits, and stop."""
        self._unsubscribe()
        await asyncio.to_thread(self._provider.shutdown)

    def _on_event(self, event: Event) -> None:
        # A request that was refused before its model was known is no call of a model.
        if isinstance(event, RequestFinished) and event.record.model is not None:
            self._export_record(event.record)

    def _export_record(self, record: RequestRecord) -> None:
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        started = int(record.started_at * _NANOSECONDS)
        span = self._tracer.start_span(
            f"{_OPERATION} {record.model}",
            context=TraceContextTextMapPropagator().extract(dict(record.request_headers or ())),
            kind=SpanKind.SERVER,
            attributes=span_attributes(record),
            start_time=started,
        )
        if record.status == "error":
            span.set_status(StatusCode.ERROR, record.error)
        span.end(end_time=started + int((record.duration or 0.0) * _NANOSECONDS))


def span_attributes(record: RequestRecord) -> dict[str, Any]:
    """Return the attributes of a request's span, without unknown ones."""
    failed = record.status != "ok"
    attributes = {
        "gen_ai.operation.name": _OPERATION,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": record.requested_model or record.model,
        "gen_ai.response.model": record.model,
        "gen_ai.response.finish_reasons": (record.stop_reason,) if record.stop_reason else None,
        "gen_ai.conversation.id": record.session_id,
        "gen_ai.usage.input_tokens": record.input_tokens,
        "gen_ai.usage.output_tokens": record.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": record.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": record.cache_write_tokens,
        "http.request.method": "POST",
        "http.response.status_code": record.http_status,
        "url.path": record.endpoint,
        "user_agent.name": record.client,
        "error.type": str(record.http_status or record.status) if failed else None,
        "dragoman.request.id": record.id,
        "dragoman.backend": record.backend,
        "dragoman.cost_usd": record.cost_usd,
        "dragoman.time_to_first_token": record.ttft,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def open_tracing(bus: EventBus, endpoint: str) -> RequestTracing | None:
    """Start to export, if there is an endpoint. Without the extra the user is told how to add it."""
    if not endpoint:
        return None
    try:
        return RequestTracing(bus, endpoint)
    except ImportError as error:
        log.warning("traces are not exported: %s", error)
        packages = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        hint = f"Install it (pip install {packages}) and restart, or empty the setting otlp_endpoint."
        bus.publish(Notice("warning", "Traces are not exported: OpenTelemetry is not installed.", hint, topic="otel"))
        return None
