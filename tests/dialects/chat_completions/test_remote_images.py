"""Web addresses of images are found and replaced by data."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dialects.chat_completions import to_messages
from server.dialects.chat_completions.dialect import CHAT_COMPLETIONS
from tests.dialects.chat_completions.samples import CONTEXT, PNG, body, data_url, image_block, image_part, text_part

remote_images, with_images = CHAT_COMPLETIONS.remote_images, CHAT_COMPLETIONS.with_images
ONE, OTHER = "https://example.com/1.png", "HTTP://example.com/2.png"
INLINE = image_part(data_url(PNG, "image/png"))


def user(*parts):
    return {"role": "user", "content": list(parts)}


def test_every_address_once_and_in_order():
    messages = [user(image_part(OTHER), text_part(ONE), INLINE), user(image_part(ONE), image_part(OTHER))]
    assert remote_images(body(*messages)) == [OTHER, ONE]


def test_what_was_fetched_takes_the_place_of_the_address():
    asked = body({"role": "system", "content": "s"}, user(text_part("see"), image_part(ONE), INLINE, image_part(OTHER)))
    before = copy.deepcopy(asked)
    fetched = dict.fromkeys([ONE, OTHER], data_url(PNG, "image/png"))
    request = to_messages(with_images(asked, fetched), CONTEXT).request
    assert request.messages[0]["content"] == [text_part("see"), *[image_block(PNG, "image/png")] * 3]
    assert asked == before


def test_addresses_that_were_not_fetched_stay():
    asked = body(user(image_part(ONE), image_part(OTHER)))
    assert remote_images(with_images(asked, {ONE: data_url(PNG, "image/png")})) == [OTHER]


@pytest.mark.parametrize("url", [None, 1, "", "data:image/png;base64,", "ftp://example.com/a.png"])
def test_nothing_to_fetch(url):
    asked = body(user(image_part(url)))
    assert remote_images(asked) == []
    assert with_images(asked, {}) is asked


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["messages", "content", "type"]), inner),
)


@given(JSON)
def test_any_body_will_do(anything):
    assert remote_images(anything) == []
    assert with_images(anything, {ONE: "data:"}) is anything
