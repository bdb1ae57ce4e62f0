"""The way back to the newest requests."""

from tray_app.models.requests.bookmarks import MAX_BOOKMARKS, Bookmarks


def test_pages_are_passed_in_the_order_in_which_they_follow() -> None:
    bookmarks = Bookmarks(2)
    bookmarks.dropped((20.0, "b"))
    bookmarks.dropped((10.0, "a"))
    for number in range(5):
        bookmarks.arrived((30.0 + number, "c"))
    passed = []
    while bookmarks.next is not None:
        passed.append(bookmarks.next[0])
        bookmarks.passed()
    assert passed == [10.0, 20.0, 31.0, 33.0]


def test_their_number_is_bounded_and_the_nearer_ones_come_first_still() -> None:
    bookmarks = Bookmarks(1)
    for number in range(50 * MAX_BOOKMARKS):
        bookmarks.arrived((float(number), "x"))
        assert len(bookmarks) <= MAX_BOOKMARKS
    places = []
    while bookmarks.next is not None:
        places.append(bookmarks.next)
        bookmarks.passed()
    assert places == sorted(places)
    assert len(places) > MAX_BOOKMARKS // 4
