"""Equal conversations have one canonical form, however written; different ones never do."""

import pytest

from server.core.transcript import canonical_messages, canonical_tools, conversation_digest, split_prefix


def user(*blocks):
    return {"role": "user", "content": [block if isinstance(block, dict) else text(block) for block in blocks]}


def assistant(*blocks):
    return {**user(*blocks), "role": "assistant"}


def text(words):
    return {"type": "text", "text": words}


def call(id="t1", name="look", **input):
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def result(content, id="t1", **more):
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aaaa"}}
OTHER_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aaab"}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([user("ab")], [user("a", "b")]),
        ([user("a"), user("b")], [user("a", "b")]),
        ([assistant("x", call())], [assistant(call(), "x")]),
        ([assistant({"type": "thinking", "thinking": "hm", "signature": "s"}, "x")], [assistant("x")]),
        ([assistant(call(a=1, b=2))], [assistant(call(b=2, a=1))]),
        ([user(result("r"))], [user(result([text("r")]))]),
        ([user(result(""))], [user(result(None))]),
        ([user({**text("a"), "cache_control": {"type": "ephemeral"}})], [user("a")]),
        ([user({**IMAGE, "cache_control": {"type": "ephemeral"}})], [user(IMAGE)]),
        ([assistant("", call())], [assistant(call())]),
    ],
)
def test_the_same(one, other):
    assert canonical_messages(one) == canonical_messages(other)
    assert conversation_digest(["s"], one) == conversation_digest(["s"], other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([user("a")], [assistant("a")]),
        ([user("a")], [user("a ")]),
        ([user("a")], [user("A")]),
        ([user("a", IMAGE, "b")], [user("a", "b", IMAGE)]),
        ([user(IMAGE)], [user(OTHER_IMAGE)]),
        ([assistant(call(id="t1"))], [assistant(call(id="t2"))]),
        ([assistant(call(a=1))], [assistant(call(a=2))]),
        ([user(result("r"))], [user(result("r", is_error=True))]),
        ([user(result("r", id="t1"))], [user(result("r", id="t2"))]),
        ([user("a"), assistant("b")], [user("a")]),
        ([user(result("r"), "more")], [user("more", result("r"))]),
    ],
)
def test_not_the_same(one, other):
    assert canonical_messages(one) != canonical_messages(other)
    assert conversation_digest(["s"], one) != conversation_digest(["s"], other)


def test_the_system_prompt_is_part_of_the_digest():
    assert conversation_digest(["a"], [user("x")]) != conversation_digest(["b"], [user("x")])
    assert conversation_digest(["a", "b"], [user("x")]) == conversation_digest(["a\n\nb"], [user("x")])


def test_tools_are_the_same_whatever_the_order_of_their_keys():
    one = {"name": "t", "description": "d", "input_schema": {"type": "object", "properties": {}}}
    other = {"input_schema": {"properties": {}, "type": "object"}, "description": "d", "name": "t"}
    assert canonical_tools([one]) == canonical_tools([other])
    assert canonical_tools([one]) != canonical_tools([{**one, "description": "e"}])


def test_split_prefix():
    messages = [user("a"), assistant("b"), user("c"), user("d")]
    assert split_prefix(messages) == (messages[:2], messages[2:])
    assert split_prefix(messages[2:]) == ((), messages[2:])
    assert split_prefix(messages[:2]) == (messages[:2], [])
    assert split_prefix([]) == ((), [])


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "x"}]}


def test_what_server_tools_did_counts_unless_the_dialect_hides_it():
    searched, plain = [user("a"), assistant("b", SEARCH, FOUND, "c")], [user("a"), assistant("bc")]
    changed = [user("a"), assistant("b", SEARCH, {**FOUND, "content": []}, "c")]
    assert len({canonical_messages(one) for one in (searched, plain, changed)}) == 3
    assert canonical_messages(searched, server_blocks=False) == canonical_messages(plain)
    assert conversation_digest(["s"], searched) == conversation_digest(["s"], plain)


def test_the_client_s_calls_are_no_server_blocks():
    own = [user("a"), assistant(call()), user(result("r"))]
    assert canonical_messages(own, server_blocks=False) == canonical_messages(own)
