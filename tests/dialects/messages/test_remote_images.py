"""Web addresses of images are found and replaced by data."""

from hypothesis import given
from hypothesis import strategies as st

from server.dialects.messages.dialect import MESSAGES

remote_images, with_images = MESSAGES.remote_images, MESSAGES.with_images
ONE, OTHER = "https://example.com/one.png", "http://example.com/other.jpg"
EMBEDDED = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aaaa"}}


def image(url):
    return {"type": "image", "source": {"type": "url", "url": url}, "cache_control": {"type": "ephemeral"}}


def body(*blocks):
    inner = {"type": "tool_result", "tool_use_id": "t", "content": [image(OTHER), {"type": "text", "text": "x"}]}
    return {
        "model": "opus",
        "messages": [{"role": "user", "content": [*blocks, inner]}, {"role": "user", "content": "x"}],
    }


def test_each_address_once_in_order():
    assert remote_images(body(image(ONE), EMBEDDED, image(OTHER), image(ONE))) == [ONE, OTHER]


def test_what_was_fetched_is_put_in():
    asked = body(image(ONE))
    filled = with_images(asked, {ONE: "data:image/png;base64,aaaa"})
    assert filled["messages"][0]["content"][0] == {**EMBEDDED, "cache_control": {"type": "ephemeral"}}
    assert remote_images(filled) == [OTHER]
    assert remote_images(asked) == [ONE, OTHER]
    full = with_images(filled, {OTHER: "data:image/jpeg;base64,bbbb"})
    assert full["messages"][0]["content"][1]["content"][0]["source"]["media_type"] == "image/jpeg"


def test_a_tools_input_that_looks_like_an_image_is_left_alone():
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {"content": [image(ONE)]}}
    assert remote_images({"messages": [{"role": "assistant", "content": [call]}]}) == []


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.just(image(ONE)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["messages", "content", "type", "source", "role", "url"]), inner, max_size=3)
    ),
)


@given(ANYTHING)
def test_any_body(anything):
    assert set(remote_images(anything)) <= {ONE}
    assert remote_images(with_images(anything, {ONE: "data:image/png;base64,aaaa"})) == []
