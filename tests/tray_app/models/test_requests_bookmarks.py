"""Bookmarks: page boundaries between the loaded rows and the newest request."""

from tray_app.models.requests.bookmarks import MAX_BOOKMARKS, Bookmarks


def test_pages_are_removed_in_order() -> None:
    bookmarks = Bookmarks(2)
    bookmarks.add_dropped_page((20.0, "b"))
    bookmarks.add_dropped_page((10.0, "a"))
    for number in range(5):
        bookmarks.record_arrival((30.0 + number, "c"))
    passed = []
    while bookmarks.next_page_end is not None:
        passed.append(bookmarks.next_page_end[0])
        bookmarks.remove_first()
    assert passed == [10.0, 20.0, 31.0, 33.0]


def test_bookmarks_are_bounded_and_stay_in_order() -> None:
    bookmarks = Bookmarks(1)
    for number in range(50 * MAX_BOOKMARKS):
        bookmarks.record_arrival((float(number), "x"))
        assert len(bookmarks) <= MAX_BOOKMARKS
    places = []
    while bookmarks.next_page_end is not None:
        places.append(bookmarks.next_page_end)
        bookmarks.remove_first()
    assert places == sorted(places)
    assert len(places) > MAX_BOOKMARKS // 4
