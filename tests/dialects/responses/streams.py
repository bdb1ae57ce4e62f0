"""Streams of responses for tests: heads, encoded answers, and the rules that every stream keeps."""

from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from server.dialects.base import Chunk
from server.dialects.responses.encoder import ResponseEncoder
from server.dialects.responses.head import ClientTool, ResponseHead
from tests.dialects.generated import Generated
from tests.openai_schema import validate, validate_response_event

_EVENT = TypeAdapter[Any](ResponseStreamEvent)
LIFECYCLE = ("response.created", "response.in_progress", "response.completed", "response.incomplete", "response.failed")
ENDS = LIFECYCLE[2:]

ECHO = {
    "instructions": "Be brief.",
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "top_p": None,
    "tool_choice": "auto",
    "tools": [],
}
TOOLS = {
    "look": ClientTool("function", "look"),
    "clock__now": ClientTool("function", "now", "clock"),
    "patch": ClientTool("custom", "patch"),
    "functions__exec": ClientTool("custom", "exec", "functions"),
    "tool_search": ClientTool("tool_search", "tool_search"),
}


def head_of(**changes: Any) -> ResponseHead:
    return ResponseHead(
        **{
            "response_id": "resp_abc",
            "created_at": 1_700_000_000,
            "model": "gpt-5",
            "echo": ECHO,
            "tools": TOOLS,
            "seal": lambda block: f"sealed {block}",
            **changes,
        }
    )


def encoder_of(**changes: Any) -> Generated:
    return Generated(ResponseEncoder(head_of(**changes)))


def run(encoder: Generated, events: Any) -> list[dict[str, Any]]:
    """The whole stream of an answer, each event checked alone and all of them together."""
    chunks = [chunk for event in events for chunk in encoder.feed(event)]
    return checked_stream([*chunks, *encoder.close()])


def checked_stream(chunks: list[Chunk]) -> list[dict[str, Any]]:
    """The data of a whole stream that keeps all rules."""
    stream = [_checked_event(chunk) for chunk in chunks]
    assert [data["sequence_number"] for data in stream] == list(range(len(stream)))
    kinds = [data["type"] for data in stream]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert [kind for kind in kinds[2:] if kind in LIFECYCLE] == kinds[-1:]
    assert kinds[-1] in ENDS
    _check_items([data for data in stream if "output_index" in data], stream[-1]["response"])
    return stream


def _checked_event(chunk: Chunk) -> dict[str, Any]:
    assert isinstance(chunk.data, dict)
    assert chunk.event == chunk.data["type"]
    if chunk.event != "keepalive":
        validate_response_event(chunk.data)
        _EVENT.validate_python(chunk.data)
    if "response" in chunk.data:
        check_response(chunk.data["response"])
    return chunk.data


def check_response(response: dict[str, Any]) -> dict[str, Any]:
    validate("Response", response)
    Response.model_validate(response)
    assert (response["id"], response["object"], response["model"]) == ("resp_abc", "response", "gpt-5")
    assert {name: response[name] for name in ECHO} == ECHO
    assert response["status"] == "failed" or ("usage" in response) == (response["status"] != "in_progress")
    return response


def _check_items(events: list[dict[str, Any]], response: dict[str, Any]) -> None:
    """One item after the other, each begun and ended once, made of its deltas, and whole in the response."""
    for index, item in enumerate(response["output"]):
        own = [data for data in events if data["output_index"] == index]
        added, *inner = own
        assert added["type"] == "response.output_item.added"
        assert (added["item"]["id"], added["item"]["type"]) == (item["id"], item["type"])
        assert added["item"].get("call_id") == item.get("call_id")
        if own[-1]["type"] == "response.output_item.done":
            assert own[-1]["item"] == item
            inner = inner[:-1]
        assert {data["item_id"] for data in inner} <= {item["id"]}
        deltas = "".join(data["delta"] for data in inner if data["type"].endswith(".delta"))
        if item["type"] not in ("compaction", "tool_search_call"):
            assert deltas == written_in(item)
        for data in inner:
            if data["type"].endswith(".done"):
                assert text_of_done(data) == deltas
    indices = [data["output_index"] for data in events]
    assert indices == sorted(indices)
    assert set(indices) == set(range(len(response["output"])))
    assert len({item["id"] for item in response["output"]}) == len(response["output"])


def written_in(item: dict[str, Any]) -> str:
    """The text of an item that comes in deltas."""
    match item["type"]:
        case "message":
            return "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
        case "reasoning":
            return "".join(part["text"] for part in item["summary"])
        case "custom_tool_call":
            return item["input"]
        case "web_search_call":
            return ""
        case _:
            return item["arguments"]


def text_of_done(data: dict[str, Any]) -> str:
    """The text that an event repeats as a whole."""
    part = data.get("part") or data
    return next(part[name] for name in ("text", "refusal", "arguments", "input") if name in part)


def kinds_of(stream: list[dict[str, Any]]) -> list[str]:
    return [data["type"].removeprefix("response.") for data in stream]
