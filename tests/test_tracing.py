"""Traces reach a collector by OTLP/HTTP, as children of the client's trace."""

import asyncio
import builtins
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from server.core.events import EventBus, Notice, RequestFinished
from server.core.records import RequestRecord
from server.tracing import open_tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
RECORD = RequestRecord(
    id="req_1",
    started_at=1000.5,
    endpoint="/v1/chat/completions",
    client="openai/3",
    requested_model="gpt-5",
    model="claude-opus-5-5",
    session_id="ses_1",
    backend="claude_code",
    status="ok",
    http_status=200,
    duration=2.0,
    input_tokens=12,
    output_tokens=3,
    stop_reason="end_turn",
    request_body='{"secret": "words of the prompt"}',
    request_headers=(("traceparent", f"00-{TRACE}-{PARENT}-01"),),
)


class Collector:
    """An OTLP/HTTP collector that keeps the bodies it gets."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        assert head.startswith("post /v1/traces ")
        self.bodies.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    @property
    def spans(self) -> list[Any]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for one in requests
            for kind in one.resource_spans
            for scope in kind.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    server = await asyncio.start_server(collector.handle, "127.0.0.1", 0)
    async with server:
        collector.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield collector


async def export(collector: Collector, *records: RequestRecord) -> list[Any]:
    bus = EventBus()
    tracing = open_tracing(bus, collector.url)
    assert tracing is not None
    for record in records:
        bus.publish(RequestFinished(record))
    await tracing.close()
    bus.publish(RequestFinished(RECORD))
    return collector.spans


def attributes_of(span: Any) -> dict[str, Any]:
    return {one.key: one.value for one in span.attributes}


async def test_a_span_has_the_conventions_attributes_and_the_clients_parent(collector: Collector) -> None:
    [span] = await export(collector, RECORD)
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("chat claude-opus-5-5", TRACE, PARENT)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1_000_500_000_000, 1_002_500_000_000)
    attributes = attributes_of(span)
    assert attributes["gen_ai.request.model"].string_value == "gpt-5"
    assert attributes["gen_ai.usage.input_tokens"].int_value == 12
    assert attributes["gen_ai.response.finish_reasons"].array_value.values[0].string_value == "end_turn"
    assert "error.type" not in attributes
    assert not any(b"words of the prompt" in body for body in collector.bodies)


async def test_a_failed_request_and_a_refused_one(collector: Collector) -> None:
    failed = RequestRecord("req_2", 1.0, "/v1/messages", "c", model="m", status="error", http_status=529, error="Busy.")
    refused = RequestRecord("req_3", 1.0, "/nowhere", "c", status="error", http_status=404)
    [span] = await export(collector, failed, refused)
    assert (span.status.code, span.status.message) == (2, "Busy.")
    assert attributes_of(span)["error.type"].string_value == "529"
    assert not span.parent_span_id


async def test_a_collector_that_is_away_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL + 1, logger="opentelemetry")
    bus = EventBus()
    tracing = open_tracing(bus, "http://127.0.0.1:9")
    assert tracing is not None
    bus.publish(RequestFinished(RECORD))
    tracing._provider.force_flush(1)
    closing = asyncio.create_task(tracing.close())
    await closing


def test_without_the_extra_the_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without_otel(name: str, *args: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return original(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_otel)
    bus, events = EventBus(), list[Any]()
    bus.subscribe(events.append)
    assert open_tracing(bus, "http://127.0.0.1:4318") is None
    [notice] = events
    assert isinstance(notice, Notice)
    assert "pip install opentelemetry-sdk" in notice.hint


def test_it_is_off_by_default() -> None:
    assert open_tracing(EventBus(), "") is None
