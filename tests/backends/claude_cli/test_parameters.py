"""A request's parameters as flag settings: always all of them, so that none remains for the next request."""

import base64
import copy
import socket
import struct
from urllib.parse import urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.backends.claude_cli.chat.parameters import (
    blocked_api_flags,
    bypasses_transcript,
    flag_settings,
    thinking_tokens,
)
from tests.asking import ask, assistant, text, tool, user

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}


def extra_body(request):
    written = flag_settings(request, None)["env"]["CLAUDE_CODE_EXTRA_BODY"]
    return orjson.loads(written) if written else {}


def test_beta_features_join_the_user_s_own():
    request = ask("Hi", betas=["files-api-2025-04-14", "effort-2025-11-24"])
    wanted = flag_settings(request, None, "own-2026-01-01")["env"]["ANTHROPIC_BETAS"]
    assert wanted == "own-2026-01-01,files-api-2025-04-14"


def test_parameters_of_the_messages_api_alone_go_along():
    request = ask("Hi", native={"container": "c"}, thinking={"type": "adaptive", "display": "updates"})
    assert extra_body(request) == {"container": "c", "thinking": {"type": "adaptive", "display": "updates"}}
    off = ask("Hi", native={"context_management": {"edits": [1]}}, thinking={"type": "disabled"})
    assert extra_body(off)["context_management"] == {"edits": [1]}


def test_tools_of_anthropic_keep_their_names():
    search = {"type": "web_search_20250305", "name": "web_search"}
    call = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}}
    request = ask(
        "Hi",
        assistant(call, TOOL_USE),
        tools=[search, {"type": "bash_20250124", "name": "bash"}, tool("look")],
        tool_choice={"type": "tool", "name": "web_search"},
    )
    body = extra_body(request)
    assert [one["name"] for one in body["tools"]] == ["web_search", "bash", "mcp__client__look"]
    assert body["tool_choice"] == {"type": "tool", "name": "web_search"}
    assert [block["name"] for block in body["messages"][1]["content"]] == ["bash", "mcp__client__look"]


def test_a_plain_request_clears_everything():
    assert flag_settings(ask("Hi", model="claude-opus-5-5"), None) == {
        "model": "claude-opus-5-5",
        "effortLevel": None,
        "env": {"CLAUDE_CODE_EXTRA_BODY": "", "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "", "ANTHROPIC_BETAS": ""},
    }


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0, 1),
            "top_p": st.floats(0, 1),
            "top_k": st.integers(0, 100),
            "max_tokens": st.integers(1, 64000),
            "effort": st.sampled_from(["low", "max"]),
            "stop_sequences": st.lists(st.text(min_size=1)),
            "thinking": st.sampled_from([{"type": "disabled"}, {"type": "adaptive"}]),
            "output_schema": st.just(SCHEMA),
            "tool_choice": st.sampled_from([{"type": "any"}, {"type": "tool", "name": "look"}]),
        },
    )
)
def test_every_setting_is_said_every_time(parameters):
    settings = flag_settings(ask("Hi", **parameters), None)
    plain = flag_settings(ask("Hi"), None)
    assert settings.keys() == plain.keys()
    assert settings["env"].keys() == plain["env"].keys()
    assert all(isinstance(value, str) for value in settings["env"].values())


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ({"temperature": 0.0}, {"temperature": 0.0}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"top_k": 5}, {"top_k": 5}),
        ({"stop_sequences": ("a\n", "b")}, {"stop_sequences": ["a\n", "b"]}),
        ({"stop_sequences": ()}, {}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": {"type": "none"}}),
        (
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            {"tool_choice": {"type": "tool", "name": "look"}},
            {"tool_choice": {"type": "tool", "name": "mcp__client__look"}},
        ),
        ({"output_schema": SCHEMA}, {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ({"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}, "context_management": {"edits": []}}),
        ({"thinking": {"type": "adaptive"}}, {}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {}),
        ({"max_tokens": 5, "effort": "high"}, {}),
    ],
    ids=str,
)
def test_what_goes_into_the_api_requests_body(parameters, body):
    assert extra_body(ask("Hi", **parameters)) == body


def test_effort_and_the_longest_answer_are_settings_of_the_cli():
    settings = flag_settings(ask("Hi", max_tokens=77, effort="low"), None)
    assert settings["effortLevel"] == "low"
    assert settings["env"]["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "77"


@pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:8080"])
def test_each_request_finds_the_api_again(base_url):
    """After `blocked_api_flags` the CLI reaches no API until this is set."""
    environment = flag_settings(ask("Hi"), base_url)["env"]
    assert environment["ANTHROPIC_BASE_URL"] == base_url
    assert environment.keys() >= blocked_api_flags()["env"].keys()


def test_where_the_api_is_not_ours_to_say_nothing_is_said():
    assert "ANTHROPIC_BASE_URL" not in flag_settings(ask("Hi"), None)["env"]


def test_in_silence_nobody_is_reached():
    (address,) = blocked_api_flags()["env"].values()
    with pytest.raises(OSError, match=r"."), socket.create_connection(("127.0.0.1", urlsplit(address).port)):
        pass


def test_a_prefill_takes_the_messages_along_under_the_models_names():
    request = ask("a", assistant(TOOL_USE), user("r"), assistant("I say"), tools=[tool("look")])
    assert bypasses_transcript(request)
    assert extra_body(request)["messages"] == [
        user("a"),
        assistant({**TOOL_USE, "name": "mcp__client__look"}),
        user({**text("r"), "cache_control": {"type": "ephemeral"}}),
        assistant("I say"),
    ]


def png(width, height, padding=0):
    """The header of a picture of that size and `padding` bytes."""
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII5x", 13, b"IHDR", width, height)
    data = base64.b64encode(header + b"\0" * padding).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


PICTURES = {
    "small": (png(10, 10), False),
    "as large as may be": (png(2000, 2000), False),
    "too wide": (png(2001, 10), True),
    "too high": (png(10, 2001), True),
    "too many bytes": (png(10, 10, 480_000), True),
    "of a size that cannot be read": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        True,
    ),
}


@pytest.mark.parametrize("inside", [False, True], ids=["said", "in a result"])
@pytest.mark.parametrize(("picture", "whole"), PICTURES.values(), ids=PICTURES)
def test_pictures_that_the_cli_would_make_smaller_go_past_it(picture, whole, inside):
    block = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [picture]} if inside else picture
    request = ask(user("see", block), assistant("I see"), "and?")
    assert bypasses_transcript(request) is whole
    assert ("messages" in extra_body(request)) is whole


@pytest.mark.parametrize(
    ("blocks", "whole"),
    [
        (["(no content)"], True),
        ([" (no content)\n\ufeff", "(no content)"], True),
        ([THOUGHT, "(no content)"], True),
        (["(no content)", TOOL_USE], False),
        (["(no content)", "and more"], False),
        (["(No content)"], False),
        ([TOOL_USE], False),
    ],
    ids=str,
)
def test_an_answer_that_the_cli_takes_for_none_goes_past_it(blocks, whole):
    request = ask("a", assistant(*blocks), user("(no content)"), assistant("c"), user("d"), tools=[tool("look")])
    assert bypasses_transcript(request) is whole
    assert ("messages" in extra_body(request)) is whole


def test_thinking_without_a_signature_stays_behind_on_either_way():
    request = ask("a", assistant({**THOUGHT, "signature": ""}, "(no content)"), user("b"))
    assert extra_body(request)["messages"][1] == assistant("(no content)")


def test_what_the_client_sent_is_not_written_to():
    request = ask(user("a", png(3000, 3000)), assistant(TOOL_USE), user("r"))
    before = copy.deepcopy(request.messages)
    flag_settings(request, None)
    assert request.messages == before


def test_other_messages_stay_in_the_transcript():
    request = ask("a", assistant(TOOL_USE), user({"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"}))
    assert not bypasses_transcript(request)
    assert extra_body(request) == {}


@pytest.mark.parametrize(
    ("thinking", "tokens"),
    [
        (None, None),
        ({"type": "disabled"}, None),
        ({"type": "adaptive"}, None),
        ({"type": "enabled", "budget_tokens": 2000}, 2000),
    ],
)
def test_the_budget_for_thinking(thinking, tokens):
    assert thinking_tokens(ask("Hi", thinking=thinking)) == tokens
