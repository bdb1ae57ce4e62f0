"""Streams and bodies of responses are valid by OpenAI's schemas and SDK, in order, and agree."""

from typing import Any

import pytest

from server.core.errors import Overloaded
from server.dialects.responses.encoder import ResponseEncoder
from tests.dialects.chat_completions.samples import events_of
from tests.dialects.responses.streams import (
    check_response,
    checked_stream,
    encoder_of,
    head_of,
    kinds_of,
    run,
)

TEXT = {"type": "text", "text": "Hello there, world"}
THINKING = {"type": "thinking", "thinking": "Let me think about it."}
REDACTED = {"type": "redacted_thinking", "data": "xyz", "input": {}}
LOOK = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"x": [1, 2, 3], "y": "ü"}}
NOW = {"type": "tool_use", "id": "toolu_2", "name": "clock__now", "input": {}}
PATCH = {"type": "tool_use", "id": "toolu_3", "name": "patch", "input": {"input": "*** Begin\n+ü 😀"}}
SEARCH = {"type": "tool_use", "id": "toolu_4", "name": "tool_search", "input": {"query": "files"}}


def answer(*blocks: dict[str, Any], stop_reason: str = "end_turn", **more: Any) -> tuple[list[Any], dict[str, Any]]:
    """The events and the body of an answer; `head` changes the head."""
    encoder = encoder_of(**more.pop("head", {}))
    stream = run(encoder, events_of(blocks, stop_reason, **more))
    body = check_response(encoder.build_response())
    assert body == stream[-1]["response"]
    return stream, body


def test_text():
    stream, body = answer(TEXT)
    assert kinds_of(stream) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 3,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [data["delta"] for data in stream if "delta" in data] == ["Hello ", "there,", " world"]
    (message,) = body["output"]
    assert message == {
        "type": "message",
        "id": "msg_abc_0",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": TEXT["text"], "annotations": [], "logprobs": []}],
    }
    assert (body["status"], body["error"], body["incomplete_details"]) == ("completed", None, None)


def test_neighbouring_texts_are_one_message():
    """Programs read the last message as the answer: a second one would hide the first."""
    _, body = answer(TEXT, {"type": "text", "text": " and more"}, {"type": "text", "text": ""})
    assert [part["text"] for item in body["output"] for part in item["content"]] == ["Hello there, world and more"]


def test_texts_around_a_call_are_two_messages():
    _, body = answer(TEXT, LOOK, TEXT)
    assert [item["id"] for item in body["output"]] == ["msg_abc_0", "fc_abc_1", "msg_abc_2"]


def test_an_empty_text_makes_no_message():
    stream, body = answer({"type": "text", "text": ""})
    assert kinds_of(stream) == ["created", "in_progress", "completed"]
    assert body["output"] == []


def test_thinking_is_the_summary_and_is_sealed_when_it_is_signed():
    stream, body = answer(THINKING, TEXT)
    assert kinds_of(stream)[2:10] == [
        "output_item.added",
        "reasoning_summary_part.added",
        *["reasoning_summary_text.delta"] * 3,
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert stream[2]["item"]["encrypted_content"] is None
    assert body["output"][0] == {
        "type": "reasoning",
        "id": "rs_abc_0",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": THINKING["thinking"]}],
        "encrypted_content": f"sealed {THINKING | {'signature': 'sig'}}",
    }


def test_thinking_without_words_and_redacted_thinking():
    stream, body = answer({"type": "thinking", "thinking": ""}, REDACTED)
    assert kinds_of(stream)[2:-1] == ["output_item.added", "output_item.done"] * 2
    assert [item["summary"] for item in body["output"]] == [[], []]
    assert all(item["encrypted_content"].startswith("sealed ") for item in body["output"])


def test_thinking_without_a_signature_is_not_sealed():
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "Hm"}}
    first, *_, end, stop = events_of([])
    encoder = encoder_of()
    run(encoder, [first, start, {"type": "content_block_stop", "index": 0}, end, stop])
    assert encoder.build_response()["output"][0]["encrypted_content"] is None


def test_calls_of_every_kind():
    stream, body = answer(LOOK, NOW, PATCH, SEARCH, stop_reason="tool_use")
    assert body["output"] == [
        {
            "type": "function_call",
            "id": "fc_abc_0",
            "call_id": "toolu_1",
            "status": "completed",
            "name": "look",
            "arguments": '{"x":[1,2,3],"y":"ü"}',
        },
        {
            "type": "function_call",
            "id": "fc_abc_1",
            "call_id": "toolu_2",
            "status": "completed",
            "name": "now",
            "namespace": "clock",
            "arguments": "{}",
        },
        {
            "type": "custom_tool_call",
            "id": "ctc_abc_2",
            "call_id": "toolu_3",
            "status": "completed",
            "name": "patch",
            "input": "*** Begin\n+ü 😀",
        },
        {
            "type": "tool_search_call",
            "id": "tsc_abc_3",
            "call_id": "toolu_4",
            "status": "completed",
            "execution": "client",
            "arguments": {"query": "files"},
        },
    ]
    assert [data["name"] for data in stream if data["type"].endswith("arguments.done")] == ["look", "now"]
    assert body["status"] == "completed"


def test_a_custom_tool_of_a_namespace_has_its_bare_name():
    call = {"type": "tool_use", "id": "toolu_1", "name": "functions__exec", "input": {"input": "1"}}
    _, body = answer(call)
    assert (body["output"][0]["namespace"], body["output"][0]["name"]) == ("functions", "exec")


def test_a_tool_that_the_head_does_not_name_is_a_function():
    _, body = answer({"type": "tool_use", "id": "toolu_1", "name": "other", "input": {}})
    assert (body["output"][0]["type"], body["output"][0]["name"]) == ("function_call", "other")


@pytest.mark.parametrize("name", ["look", "patch", "tool_search"])
def test_an_input_that_came_with_the_block_itself(name):
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {"input": "x"}}
    first, *_, end, stop = events_of([])
    start = {"type": "content_block_start", "index": 0, "content_block": block}
    encoder = encoder_of()
    run(encoder, [first, start, {"type": "content_block_stop", "index": 0}, end, stop])
    (item,) = encoder.build_response()["output"]
    assert item.get("arguments", item.get("input")) in ('{"input":"x"}', "x", {"input": "x"})


@pytest.mark.parametrize(
    ("stop_reason", "status", "reason"),
    [
        ("end_turn", "completed", None),
        ("stop_sequence", "completed", None),
        ("pause_turn", "completed", None),
        ("tool_use", "completed", None),
        ("a_reason_of_the_future", "completed", None),
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
    ],
)
@pytest.mark.parametrize("originator", ["", "codex_exec"])
def test_ends(stop_reason, status, reason, originator):
    stream, body = answer(TEXT, stop_reason=stop_reason, head={"originator": originator})
    assert stream[-1]["type"] == f"response.{status}"
    assert (body["incomplete_details"] or {}).get("reason") == reason
    assert body["output"][0]["status"] == status


@pytest.mark.parametrize(("originator", "is_done"), [("", True), ("codex_exec", False)])
def test_a_call_that_was_cut_is_not_done_for_codex(originator, is_done):
    """Codex runs a call as soon as it is done, before it learns how the response ended."""
    stream, body = answer(LOOK, PATCH, stop_reason="max_tokens", head={"originator": originator})
    done = [data["item"]["id"] for data in stream if data["type"] == "response.output_item.done"]
    assert done == ["fc_abc_0", "ctc_abc_1"][: 1 + is_done]
    assert [item["status"] for item in body["output"]] == ["completed", "incomplete"]


REFUSAL = {"type": "refusal", "category": "bio", "explanation": "That is dangerous."}


def test_a_refusal_is_a_part_of_its_own():
    stream, body = answer(TEXT, stop_reason="refusal", stop_details=REFUSAL)
    assert body["output"][1]["content"] == [{"type": "refusal", "refusal": "That is dangerous."}]
    assert body["output"][0]["status"] == "incomplete"
    assert "refusal.done" in kinds_of(stream)
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})


@pytest.mark.parametrize("originator", ["codex_exec", "Codex Desktop"])
@pytest.mark.parametrize(
    ("details", "message"), [(REFUSAL, "That is dangerous."), (None, "Claude declined to answer this request.")]
)
def test_a_refusal_for_codex_is_a_failure_with_its_words(originator, details, message):
    encoder = encoder_of(originator=originator)
    *_, last = run(encoder, events_of([], "refusal", stop_details=details))
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": "invalid_prompt", "message": message}
    assert encoder.build_response() == last["response"]


def test_a_refusal_without_words_has_no_part():
    _, body = answer(TEXT, stop_reason="refusal")
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert len(body["output"]) == 1


USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 1000,
    "output_tokens_details": {"thinking_tokens": 2},
}


def test_usage_includes_cached_tokens():
    _, body = answer(TEXT, usage=USAGE)
    assert body["usage"] == {
        "input_tokens": 1110,
        "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 1000},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 1115,
    }


def test_a_compaction_is_one_sealed_item():
    stream, body = answer(THINKING, TEXT, {"type": "text", "text": "."}, head={"compaction": True})
    assert kinds_of(stream)[2:-1] == ["output_item.added", "output_item.done"]
    summary = {"type": "text", "text": f"{TEXT['text']}."}
    assert body["output"] == [{"type": "compaction", "id": "cmp_abc_0", "encrypted_content": f"sealed {summary}"}]


def test_a_refused_compaction_has_no_item():
    _, body = answer(TEXT, stop_reason="refusal", head={"compaction": True})
    assert (body["status"], body["output"]) == ("incomplete", [])


SERVER_TOOL = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
SERVER_RESULT = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [], "input": {}}


def test_blocks_of_other_kinds_have_no_item_and_disturb_none():
    _, body = answer(LOOK, {**SERVER_TOOL, "name": "code_execution"}, SERVER_RESULT, TEXT)
    assert [item["id"] for item in body["output"]] == ["fc_abc_0", "msg_abc_1"]
    assert body["output"][0]["arguments"] == '{"x":[1,2,3],"y":"ü"}'


def test_citations_leave_the_text_as_it_is():
    events = list(events_of([TEXT]))
    citation = {"type": "citations_delta", "citation": {"type": "web_search_result_location", "url": "http://a"}}
    events.insert(4, {"type": "content_block_delta", "index": 0, "delta": citation})
    encoder = encoder_of()
    run(encoder, events)
    assert encoder.build_response()["output"][0]["content"][0]["text"] == TEXT["text"]


FOUND = {"type": "web_search_result", "url": "http://a", "title": "A", "encrypted_content": "x"}
ERROR = {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
CITED = {"type": "web_search_result_location", "url": "http://a", "title": "A", "encrypted_index": "x"}


@pytest.mark.parametrize(("content", "status"), [([FOUND], "completed"), ([], "completed"), (ERROR, "failed")])
def test_a_search_is_an_item(content, status):
    stream, body = answer(SERVER_TOOL, {**SERVER_RESULT, "content": content}, TEXT)
    action = {"type": "search", "query": "x", "queries": ["x"]}
    assert body["output"][0] == {"type": "web_search_call", "id": "ws_abc_0", "status": status, "action": action}
    expected = ["output_item.added", "web_search_call.in_progress", "web_search_call.searching"]
    expected += ["web_search_call.completed"] if status == "completed" else []
    assert kinds_of(stream)[2 : len(expected) + 3] == [*expected, "output_item.done"]


def test_a_search_shows_its_sources_where_they_are_asked_for():
    _, body = answer(SERVER_TOOL, {**SERVER_RESULT, "content": [FOUND]}, TEXT, head={"sources": True})
    assert body["output"][0]["action"]["sources"] == [{"type": "url", "url": "http://a"}]


def test_a_search_that_was_cut_failed():
    _, body = answer(SERVER_TOOL, stop_reason="max_tokens")
    assert [item["status"] for item in body["output"]] == ["failed"]


def test_citations_are_annotations_of_their_block():
    cited = {"type": "text", "text": "Cats sleep.", "citations": [CITED, CITED, {"type": "char_location"}]}
    stream, body = answer({"type": "text", "text": "So: "}, cited, {"type": "text", "text": " Yes."})
    annotation = {"type": "url_citation", "url": "http://a", "title": "A", "start_index": 4, "end_index": 15}
    (part,) = body["output"][0]["content"]
    assert (part["text"], part["annotations"]) == ("So: Cats sleep. Yes.", [annotation])
    added = [data for data in stream if data["type"] == "response.output_text.annotation.added"]
    assert [(data["annotation"], data["annotation_index"]) for data in added] == [(annotation, 0)]


def test_what_is_not_known_is_passed_over():
    encoder = ResponseEncoder(head_of())
    stray = {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{"}}
    odd = {"type": "content_block_delta", "index": 0, "delta": {"type": "news"}}
    for event in [stray, odd, {"type": "news"}, {"type": "message_delta", "delta": {}, "usage": {}}]:
        assert list(encoder.feed(event)) == []
    assert len(list(encoder.feed(next(events_of([]))))) == 2
    for event in [stray, odd, {"type": "news"}, {"type": "message_delta", "delta": {}, "usage": {}}]:
        assert list(encoder.feed(event)) == []


def test_a_second_message_start_does_not_begin_anew():
    events = list(events_of([TEXT]))
    stream = run(encoder_of(), [events[0], *events])
    assert kinds_of(stream).count("created") == 1


def test_a_ping_before_the_first_event_begins_the_stream():
    encoder = encoder_of()
    events = list(events_of([TEXT]))
    chunks = [*encoder.encoder.ping(), *encoder.encoder.ping()]
    for event in events[:4]:
        chunks += encoder.feed(event)
    chunks += encoder.encoder.ping()
    for event in events[4:]:
        chunks += encoder.feed(event)
    kinds = kinds_of(checked_stream([*chunks, *encoder.close()]))
    assert kinds[:4] == ["created", "in_progress", "keepalive", "output_item.added"]
    assert kinds.count("keepalive") == 2


def test_a_failure_has_the_output_so_far_and_does_not_look_whole():
    encoder = encoder_of()
    chunks = [chunk for event in list(events_of([LOOK, TEXT]))[:-5] for chunk in encoder.feed(event)]
    *_, last = checked_stream([*chunks, *encoder.fail(Overloaded("The service is overloaded.", hint="Try later."))])
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": "server_error", "message": "The service is overloaded. Try later."}
    assert [item["status"] for item in last["response"]["output"]] == ["completed", "incomplete"]
    assert encoder.build_response()["status"] == "incomplete"


def test_a_failure_before_the_first_event_begins_the_stream():
    encoder = encoder_of()
    assert kinds_of(checked_stream(list(encoder.fail(Overloaded("No."))))) == ["created", "in_progress", "failed"]
