"""Cursors, limits and pages of a list that changes between reads."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest
from server.core.records import RequestFilter
from server.store import requests
from server.store.paging import decode_cursor, encode_cursor
from tests.store.conversations import delete_requests, record

ALL = RequestFilter()


@given(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text()))
def test_a_cursor_gives_back_its_position(position):
    assert decode_cursor(encode_cursor(position)) == position


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_anything_else_is_refused(cursor):
    with pytest.raises(InvalidRequest) as caught:
        decode_cursor(cursor)
    assert caught.value.param == "cursor"


@pytest.mark.parametrize("held", [b"[]", b"[1]", b'["a", 1]', b"{}", b"null", b'[1, "a", 2]', b"[null, null]", b"[1,"])
def test_a_cursor_of_another_shape_is_refused(held):
    with pytest.raises(InvalidRequest):
        decode_cursor(base64.urlsafe_b64encode(held).decode())


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_limit_out_of_range_is_refused(connection, limit):
    with pytest.raises(InvalidRequest) as caught:
        requests.list_records(connection, ALL, cursor=None, limit=limit)
    assert caught.value.param == "limit"


def pages(connection, limit, between=lambda: None, wanted=ALL):
    cursor = None
    while True:
        page = requests.list_records(connection, wanted, cursor=cursor, limit=limit)
        yield [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return
        between()


def fill(connection, count):
    # Rows with the same time are sorted by id.
    requests.write_records(connection, [record(f"r{at:04}", started_at=1000.0 + at // 3) for at in range(count)])


@pytest.mark.parametrize("limit", [1, 7, 10, 20, 21, 200])
def test_the_pages_make_up_the_list(connection, limit):
    fill(connection, 20)
    found = list(pages(connection, limit))
    assert [id for page in found for id in page] == [f"r{at:04}" for at in reversed(range(20))]
    assert all(len(page) == limit for page in found[:-1])
    assert found[-1]


def test_added_rows_shift_nothing(connection):
    fill(connection, 50)
    new = iter(range(1000))

    def more():
        number = next(new)
        requests.write_records(connection, [record(f"new{number}", started_at=5000.0 + number)])

    found = [id for page in pages(connection, 10, more) for id in page]
    assert found == [f"r{at:04}" for at in reversed(range(50))]


def test_deleted_rows_shift_nothing(connection):
    fill(connection, 50)
    gone = iter(range(49, -1, -1))

    def less():
        delete_requests(connection, requests.where_filter(RequestFilter(since=1000.0 + next(gone) // 3)))

    found = [id for page in pages(connection, 10, less) for id in page]
    assert found == [f"r{at:04}" for at in reversed(range(50))]


def test_an_empty_list_has_one_empty_page(connection):
    assert list(pages(connection, 10)) == [[]]
