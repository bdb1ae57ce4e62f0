"""Bodies of `POST /v1/messages` as requests in the core format."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest, ModelNotFound, RequestError
from server.core.messages import MAX_INPUT_DEPTH, ApiOnly
from server.dialects.base import Context
from server.dialects.messages import to_count, to_messages

CONTEXT = Context(aliases={}, models=("claude-opus-5-5", "opus"), default_model="default", response_id="abc", created=1)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
TOOL = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}


def user(*content):
    return {"role": "user", "content": [text(part) if isinstance(part, str) else part for part in content]}


def assistant(*content):
    return {**user(*content), "role": "assistant"}


def text(words):
    return {"type": "text", "text": words}


def call(id="t1", **input):
    return {"type": "tool_use", "id": id, "name": "look", "input": input}


def result(id="t1", content="seen", **more):
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def body(*messages, **fields):
    return {"model": "opus", "max_tokens": 100, "messages": list(messages or [user("hello")]), **fields}


def translate(*messages, **fields):
    return to_messages(body(*messages, **fields), CONTEXT)


def refusal(*messages, **fields):
    with pytest.raises(InvalidRequest) as raised:
        translate(*messages, **fields)
    return raised.value


def test_a_plain_request():
    got = translate({"role": "user", "content": "hello"}, model="gpt-4o")
    assert got.request.messages == (user("hello"),)
    assert (got.request.model, got.request.requested_model, got.request.max_tokens) == ("sonnet", "gpt-4o", 100)
    assert (got.stream, got.n, got.warnings) == (False, 1, [])


def test_all_parameters():
    got = translate(
        system=[text("Be kind."), {**text("Be brief."), "cache_control": {"type": "ephemeral"}}],
        temperature=0.5,
        top_p=1,
        top_k=3,
        stop_sequences=["END"],
        stream=True,
        tools=[
            {**TOOL, "type": "custom", "cache_control": {"type": "ephemeral"}},
            {**TOOL, "name": "see", "description": None},
        ],
        tool_choice={"type": "tool", "name": "see", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
        output_config={"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        metadata={"user_id": "u"},
        session_id="ses_1",
    )
    asked = got.request
    assert asked.system == ("Be kind.", "Be brief.")
    assert (asked.temperature, asked.top_p, asked.top_k, asked.stop_sequences) == (0.5, 1, 3, ("END",))
    without_description = {"name": "see", "input_schema": TOOL["input_schema"]}
    assert asked.tools == ({**TOOL, "cache_control": {"type": "ephemeral"}}, without_description)
    assert asked.tool_choice == {"type": "tool", "name": "see", "disable_parallel_tool_use": True}
    assert asked.thinking == {"type": "enabled", "budget_tokens": 2000}
    assert (asked.effort, asked.output_schema, asked.session_id) == ("high", {"type": "object"}, "ses_1")
    assert got.stream
    assert got.warnings == []


@pytest.mark.parametrize("name", ["temperature", "system", "tools", "thinking", "stream", "stop_sequences", "model"])
def test_null_is_as_good_as_nothing(name):
    fields = {**body(), name: None}
    expected = {key: value for key, value in body().items() if key != name}
    assert to_messages(fields, CONTEXT).request == to_messages(expected, CONTEXT).request


def test_the_older_output_format():
    asked = translate(output_format={"type": "json_schema", "schema": {"type": "object"}}).request
    assert asked.output_schema == {"type": "object"}


class TestContent:
    def test_every_kind_of_block_is_passed_on(self):
        thinking = {"type": "thinking", "thinking": "hm", "signature": "sig"}
        redacted = {"type": "redacted_thinking", "data": "xyz"}
        document = {**PDF, "title": "T", "context": "C", "citations": {"enabled": True}}
        plain = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
        parts = {"type": "document", "source": {"type": "content", "content": [text("a"), IMAGE]}}
        found = {"type": "search_result", "source": "s", "title": "t", "content": [text("x")]}
        inner = result(content=[text("a"), IMAGE, PDF, found])
        messages = [
            user("look", IMAGE, document, plain, parts, found),
            assistant(thinking, redacted, call(a=1)),
            user(inner),
        ]
        assert translate(*messages).request.messages == tuple(messages)

    def test_cache_control_is_stripped_everywhere(self):
        marked = {"cache_control": {"type": "ephemeral"}}
        messages = [
            user({**text("a"), **marked}, {**IMAGE, **marked}),
            assistant({**call(), **marked}),
            user({**result(content=[{**text("r"), **marked}]), **marked}),
        ]
        got = translate(*messages, cache_control={"type": "ephemeral"})
        assert got.request.messages == (user("a", IMAGE), assistant(call()), user(result(content=[text("r")])))
        assert got.warnings == []

    def test_null_keys_are_left_out(self):
        asked = translate(user({**text("a"), "citations": None}), assistant(call()), user(result(content=None)))
        assert asked.request.messages[0] == user("a")
        assert asked.request.messages[2] == user({"type": "tool_result", "tool_use_id": "t1"})

    def test_neighbours_of_one_role_are_one_turn(self):
        asked = translate(user("a"), user("b"), assistant("c"), assistant("d"), user("e")).request
        assert asked.messages == (user("a", "b"), assistant("c", "d"), user("e"))

    def test_system_messages_become_text_in_the_users_turn(self):
        system = {"role": "system", "content": "Rain now."}
        asked = translate(user("a"), assistant(call()), system, user("b", result()), assistant("c"), system).request
        wrapped = "<system>\nRain now.\n</system>"
        seen = result(content=[text("seen")])
        assert asked.messages == (user("a"), assistant(call()), user(seen, wrapped, "b"), assistant("c"), user(wrapped))
        assert asked.system == ()

    def test_system_messages_at_the_start_are_the_system_prompt(self):
        system = {"role": "system", "content": [text("Rain."), text(" ")]}
        asked = translate(system, user("a"), system="Be kind.").request
        assert (asked.system, asked.messages) == (("Be kind.", "Rain."), (user("a"),))

    def test_blank_texts_lose_no_character_beside_words(self):
        asked = translate(user("a", "\n", IMAGE, " ", "b"), assistant(" ", call()), user(result(content="")))
        assert asked.request.messages == (user("a\n", IMAGE, " b"), assistant(call()), user(result(content=[])))

    def test_empty_answers_are_left_out(self):
        asked = translate(user("a"), assistant(), user("b"), assistant("")).request
        assert asked.messages == (user("a", "b"),)

    def test_a_prefill_stays(self):
        assert translate(user("a"), assistant("{")).request.messages == (user("a"), assistant("{"))


class TestRefusals:
    @pytest.mark.parametrize(("field", "param"), [("max_tokens", "max_tokens"), ("messages", "messages")])
    def test_what_is_required(self, field, param):
        fields = body()
        del fields[field]
        with pytest.raises(InvalidRequest) as raised:
            to_messages(fields, CONTEXT)
        assert raised.value.message == f"{field}: Field required"
        assert raised.value.param == param

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"max_tokens": "5"}, "max_tokens"),
            ({"max_tokens": -1}, "max_tokens"),
            ({"max_tokens": True}, "max_tokens"),
            ({"max_tokens": 1.5}, "max_tokens"),
            ({"temperature": 1.1}, "temperature"),
            ({"temperature": float("nan")}, "temperature"),
            ({"top_p": -0.1}, "top_p"),
            ({"top_k": -1}, "top_k"),
            ({"stop_sequences": "x"}, "stop_sequences"),
            ({"stop_sequences": [1]}, "stop_sequences.0"),
            ({"stream": 1}, "stream"),
            ({"model": 5}, "model"),
            ({"system": {}}, "system"),
            ({"system": [IMAGE]}, "system.0.type"),
            ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens"),
            ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "thinking.enabled.budget_tokens"),
            ({"thinking": {"type": "hard"}}, "thinking"),
            ({"output_config": {"effort": "huge"}}, "output_config.effort"),
            ({"output_config": {"format": {"type": "json_object"}}}, "output_config.format.type"),
            ({"tool_choice": {"type": "tool"}}, "tool_choice.tool.name"),
            ({"tools": [{"name": "", "input_schema": {"type": "object"}}]}, "tools.0.name"),
            ({"tools": [{"name": "a" * 513, "input_schema": {"type": "object"}}]}, "tools.0.name"),
            ({"tools": [{"name": "a"}]}, "tools.0.input_schema"),
            ({"tools": [{"name": "a", "input_schema": []}]}, "tools.0.input_schema"),
            ({"tools": [TOOL, TOOL]}, "tools"),
            ({"tools": [{"type": "web_search_20250305", "name": 5}]}, "tools.0.name"),
            ({"container": ""}, "container.constrained-str"),
            ({"metadata": "me"}, "metadata"),
            ({"user_profile_id": "a b"}, "user_profile_id"),
            ({"session_id": ""}, "session_id"),
            ({"messages": []}, "messages"),
            ({"messages": "hello"}, "messages"),
            ({"messages": ["hello"]}, "messages.0"),
            ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0"),
            ({"messages": [{"content": "x"}]}, "messages.0"),
            ({"messages": [{"role": "user"}]}, "messages.0.content"),
            ({"messages": [user("")]}, "messages.0"),
            ({"messages": [user("a"), assistant("b"), user(" ")]}, "messages.2"),
            ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
            ({"messages": [user({"type": "text"})]}, "messages.0.content.0.text.text"),
            ({"messages": [user({"type": "audio"})]}, "messages.0.content.0"),
            ({"messages": [user(call())]}, "messages.0.content.0"),
            ({"messages": [user("a"), assistant(IMAGE)]}, "messages.1.content.0"),
            ({"messages": [assistant("a"), user("b")]}, "messages"),
            ({"messages": [{"role": "system", "content": "a"}]}, "messages"),
        ],
    )  # fmt: skip
    def test_the_path_of_the_field(self, fields, param):
        error = refusal(**fields)
        assert error.param == param
        assert error.message.startswith(param)

    @pytest.mark.parametrize("anything", [None, [], "x", 3, [body()]])
    def test_a_body_that_is_no_object(self, anything):
        with pytest.raises(InvalidRequest):
            to_messages(anything, CONTEXT)

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ({"type": "url", "url": "https://example.com/a.png"}, "fetch_images"),
            ({"type": "base64", "media_type": "image/png", "data": "%%%"}, "base64"),
            ({"type": "base64", "media_type": "image/png", "data": ""}, "no data"),
            ({"type": "base64", "media_type": "image/tiff", "data": PIXEL}, "image/png"),
        ],
    )
    def test_images_that_cannot_be_passed_on(self, source, words):
        error = refusal(user({"type": "image", "source": source}))
        assert error.param.startswith("messages.0.content.0.image.source")
        assert words in error.message

    def test_a_document_by_its_address(self):
        source = {"type": "url", "url": "https://example.com/a.pdf"}
        assert "not fetched" in refusal(user({"type": "document", "source": source})).message

    def test_an_unknown_model(self):
        with pytest.raises(ModelNotFound):
            translate(model="llama3")

    @pytest.mark.parametrize(("levels", "taken"), [(MAX_INPUT_DEPTH, True), (MAX_INPUT_DEPTH + 1, False)])
    def test_an_input_as_deep_as_chat_completions_takes_it(self, levels, taken):
        deep = 1
        for _ in range(levels):
            deep = {"a": deep}
        turns = [user("a"), assistant({"type": "tool_use", "id": "t1", "name": "look", "input": deep}), user(result())]
        if taken:
            assert translate(*turns)
        else:
            assert f"deeper than {MAX_INPUT_DEPTH} levels" in refusal(*turns).message

    def test_nesting_without_end(self):
        deep = {}
        for _ in range(500):
            deep = {"a": deep}
        assert "nested" in refusal(user("a"), assistant(call(x=deep)), user(result())).message
        assert (
            "nested" in refusal(tools=[{"name": "t", "input_schema": {"type": "object", "properties": deep}}]).message
        )

    def test_a_message_stays_readable_when_the_value_is_huge(self):
        assert len(refusal(user({"type": "x" * 100_000})).message) < 1000


class TestToolPairs:
    def test_a_result_for_an_unknown_call(self):
        error = refusal(user("a"), assistant(call("t1")), user(result("t1"), result("t9")))
        assert error.param == "messages.2.content.1"
        assert error.message == (
            "messages.2.content.1: unexpected `tool_use_id` found in `tool_result` blocks: t9. Each `tool_result` "
            "block must have a corresponding `tool_use` block in the previous message."
        )

    @pytest.mark.parametrize("rest", [[user("b")], [], [assistant("c")], [user("b"), assistant("c"), user(result())]])
    def test_a_call_without_a_result(self, rest):
        error = refusal(user("a"), assistant(call()), *rest)
        assert error.param == "messages.1"
        assert "`tool_use` ids were found without `tool_result` blocks immediately after: t1" in error.message

    def test_a_second_result(self):
        error = refusal(user("a"), assistant(call()), user(result()), user(result()))
        assert error.param == "messages.3.content.0"
        assert "single result" in error.message

    @pytest.mark.parametrize(
        "messages",
        [
            [user("a"), assistant(call("t1"), call("t1")), user(result())],
            [user("a"), assistant(call()), user(result()), assistant(call()), user(result())],
        ],
    )
    def test_ids_are_unique(self, messages):
        assert "unique" in refusal(*messages).message

    def test_results_may_come_in_several_messages_and_in_any_order(self):
        asked = translate(
            user("a"), assistant(call("t1")), assistant(call("t2")), user("so", result("t2")), user(result("t1"))
        ).request
        assert [block.get("tool_use_id") for block in asked.messages[2]["content"]] == ["t2", "t1", None]

    def test_a_session_may_hold_the_call(self):
        assert translate(user(result("t7")), session_id="ses_1").request.messages
        assert "unexpected" in refusal(user(result("t7"))).message
        assert "unexpected" in refusal(user("a"), assistant("b"), user(result("t7")), session_id="ses_1").message


class TestToolChoice:
    @pytest.mark.parametrize(
        ("given", "tools", "passed_on"),
        [
            ({"type": "auto"}, [TOOL], {"type": "auto"}),
            ({"type": "none"}, [TOOL], {"type": "none"}),
            ({"type": "any", "disable_parallel_tool_use": False}, [TOOL], {"type": "any"}),
            ({"type": "auto"}, [], None),
            ({"type": "none"}, [], None),
            ({"type": "any"}, [], {"type": "any"}),
        ],
    )
    def test_it_is_passed_on(self, given, tools, passed_on):
        assert translate(tools=tools, tool_choice=given).request.tool_choice == passed_on


class TestToolResults:
    def test_a_reference_to_a_tool_becomes_words(self):
        found = {"type": "tool_reference", "tool_name": "look", "cache_control": {"type": "ephemeral"}}
        got = translate(user("a"), assistant(call()), user(result(content=[found, text("x")])))
        words = "The tool look is loaded and can be called."
        assert got.request.messages[2] == user(result(content=[text(words), text("x")]))
        assert got.warnings == []

    @pytest.mark.parametrize(
        ("content", "texts"), [([text("a"), IMAGE, PDF], [text("a")]), ([IMAGE, PDF], None), ([text("a")], [text("a")])]
    )
    def test_pictures_of_an_error_stand_beside_it(self, content, texts):
        first, second = call("t1"), call("t2")
        answers = user(result("t1", content, is_error=True), result("t2"), "and?")
        got = translate(user("a"), assistant(first, second), answers)
        error = {**result("t1", texts, is_error=True)}
        if texts is None:
            del error["content"]
        media = [block for block in content if block["type"] != "text"]
        assert got.request.messages[2] == user(error, result("t2", [text("seen")]), *media, "and?")
        assert len(got.warnings) == bool(media)


@pytest.mark.parametrize(
    ("fields", "needs", "betas"),
    [
        ({"mcp_servers": [{"type": "url", "url": "u", "name": "n"}]}, ("mcp_servers",), ("mcp-client-2025-04-04",)),
        (
            {"mcp_servers": [{"type": "url"}], "betas": ["mcp-client-2025-11-20", "x"]},
            ("mcp_servers",),
            ("mcp-client-2025-11-20", "x"),
        ),
    ],
)
def test_what_only_the_api_has_is_kept_for_it(fields, needs, betas):
    got = translate(**fields)
    assert (got.request.api_only.needs, got.request.betas) == (needs, betas)
    assert got.request.api_only.fields == {name: fields[name] for name in needs}


def test_uploaded_files_are_for_the_api():
    image = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    got = translate(messages=[user(image), assistant(call()), user(result("t1", [image]))])
    assert got.request.api_only == ApiOnly(("file_id",), {})
    assert got.request.messages[0]["content"] == [image]
    assert translate(messages=[user("a")]).request.api_only is None


def test_a_max_tokens_of_0_warms_the_cache():
    got = translate(max_tokens=0, session_id="mine")
    assert (got.request.max_tokens, got.request.session_id, got.encoder.empty) == (1, None, True)
    assert "warms the cache" in got.warnings[0]


class TestWarnings:
    def test_what_is_not_passed_on_is_named(self):
        got = translate(
            billing_policy="c",
            betas=["x", "two words"],
            anything="y",
            output_config={"effort": "low", "task_budget": {"tokens": 5}},
            tools=[{**TOOL, "defer_loading": True, "eager_input_streaming": True}],
        )
        names = [
            "billing_policy",
            "anything",
            "output_config.task_budget",
            "tools.defer_loading",
        ]
        left_out = [f"{name} is not passed on and was left out" for name in names]
        assert got.warnings == [*left_out, "anthropic-beta: not passed on and left out: two words"]

    def test_it_is_named_wherever_it_stands(self):
        marked = {**text("a"), "cache_control": {"type": "ephemeral"}, "mood": "good"}
        got = translate(
            {"role": "user", "content": [marked, marked], "id": "m"},
            assistant({**call(), "turn": 5}),
            user({**result(content=[marked]), "toolset_name": "browser"}),
            system=[marked],
            thinking={"type": "adaptive", "block_binding": {"a": 1}},
            tool_choice={"type": "auto", "why": "x"},
            tools=[{**TOOL, "mood": "good"}],
        )
        paths = ["messages.content.mood", "messages.id", "messages.content.turn", "messages.content.content.mood"]
        paths += [
            "messages.content.toolset_name",
            "system.mood",
            "thinking.block_binding",
            "tool_choice.why",
            "tools.mood",
        ]
        assert got.warnings == [f"{path} is not passed on and was left out" for path in paths]

    def test_very_many_are_counted(self):
        got = translate(**{f"field_{number}": "x" for number in range(500)})
        assert len(got.warnings) == 21
        assert got.warnings[-1] == "480 further fields are not passed on and were left out"

    @pytest.mark.parametrize(
        ("betas", "passed"),
        [
            (["prompt-caching-2024-07-31", "claude-code-20250219"], ("prompt-caching-2024-07-31",)),
            (["oauth-2025-04-20", "skills-2025-10-02", " new-2027-01-01"], ("skills-2025-10-02", "new-2027-01-01")),
            ("mcp-client-2025-11-20,a-2026-01-01", ("mcp-client-2025-11-20", "a-2026-01-01")),
            ([5, "5"], ("5",)),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("field", ["betas", "anthropic_beta"])
    def test_beta_features(self, field, betas, passed):
        got = translate(**{field: betas})
        assert (got.request.betas, got.warnings) == (passed, [])

    @pytest.mark.parametrize("name", ["two words", "größe", "x" * 65, "a\nb"])
    def test_what_is_no_beta_feature(self, name):
        got = translate(betas=["skills-2025-10-02", name])
        assert got.request.betas == ("skills-2025-10-02",)
        assert got.warnings == [f"anthropic-beta: not passed on and left out: {name[:64]}"]

    @pytest.mark.parametrize("display", ["summarized", "omitted", "updates", None])
    def test_how_thinking_is_shown(self, display):
        got = translate(thinking={"type": "adaptive", "display": display})
        shown = {} if display in ("summarized", None) else {"display": display}
        assert (got.request.thinking, got.encoder.omit_thinking) == (
            {"type": "adaptive", **shown},
            display == "omitted",
        )
        assert got.warnings == []

    def test_what_only_the_messages_api_has_is_passed_on(self):
        native = {
            "container": {"id": "c", "skills": []},
            "context_management": {"edits": []},
            "inference_geo": "us",
            "metadata": {"user_id": "u"},
            "service_tier": "standard_only",
            "speed": "fast",
            "user_profile_id": "p",
        }
        got = translate(**native)
        assert (got.request.native, got.warnings) == (native, [])

    def test_what_changes_nothing_is_not_named(self):
        assert translate(mcp_servers=[], container=None, service_tier=None).warnings == []

    def test_tools_are_deferred_only_for_the_search_of_the_api(self):
        deferred = {**TOOL, "defer_loading": True}
        search = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
        assert translate(tools=[deferred, search]).request.tools == (deferred, search)
        assert translate(tools=[deferred]).request.tools == (TOOL,)

    def test_thinking_between_tools(self):
        got = translate(thinking={"type": "between_tools"})
        assert (got.request.thinking, len(got.warnings)) == ({"type": "adaptive"}, 1)


def test_a_count_needs_no_limit_and_reads_the_prompt_alone():
    counted = to_count({"messages": [user("a")], "tools": [TOOL], "system": "s", "stream": "odd"}, CONTEXT)
    assert (counted.messages, counted.tools, counted.system) == ((user("a"),), (TOOL,), ("s",))
    assert (counted.model, counted.max_tokens) == ("default", None)
    with pytest.raises(InvalidRequest, match="messages: Field required"):
        to_count({}, CONTEXT)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.text(max_size=3) | ANYTHING
TYPES = st.sampled_from(
    ["text", "image", "document", "tool_use", "tool_result", "thinking", "search_result", "base64", "content", "url"]
)
BLOCKS = st.recursive(
    st.fixed_dictionaries(
        {"type": TYPES}, optional={key: WORDS for key in ("text", "data", "id", "tool_use_id", "name")}
    ),
    lambda inner: st.fixed_dictionaries(
        {"type": TYPES},
        optional={"content": st.lists(inner, max_size=2) | WORDS, "source": inner, "input": ANYTHING, "id": WORDS},
    ),
    max_leaves=3,
)
GOOD_BLOCKS = st.sampled_from(
    [text("a"), text(""), text(" "), IMAGE, call("t1"), call("t2"), result("t1"), result("t2")]
)
MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "system"]) | WORDS,
        "content": st.lists(GOOD_BLOCKS, max_size=3) | st.lists(BLOCKS | ANYTHING, max_size=3) | WORDS,
    }
)
BODIES = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGE | ANYTHING, max_size=4) | ANYTHING, "max_tokens": st.just(5) | ANYTHING},
    optional={
        key: ANYTHING
        for key in (
            "model",
            "system",
            "tools",
            "tool_choice",
            "thinking",
            "output_config",
            "stream",
            "session_id",
            "more",
        )
    },
)


@given(BODIES | ANYTHING)
def test_any_body_is_understood_or_refused_with_a_declared_error(anything):
    for entrance in (to_messages, to_count):
        with contextlib.suppress(RequestError):
            entrance(anything, CONTEXT)


@given(st.lists(MESSAGE, min_size=1, max_size=5))
def test_turns_alternate_from_user_on_and_hold_something(messages):
    try:
        turns = translate(*messages).request.messages
    except InvalidRequest:
        return
    assert [turn["role"] for turn in turns] == [("user", "assistant")[at % 2] for at in range(len(turns))]
    assert all(turn["content"] for turn in turns)
