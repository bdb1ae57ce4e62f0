"""Filters over a text that is being written."""

from hypothesis import given
from hypothesis import strategies as st

from server.core.text_filters import FilterChain, StopWatch, overlap_length

TEXT = st.text("ab\n ", max_size=30)
STOPS = st.lists(st.text("ab\n ", min_size=1, max_size=3), max_size=4)


@given(pieces=st.lists(TEXT, max_size=6), stops=STOPS)
def test_a_text_is_cut_before_its_first_stop_wherever_deltas_end(pieces: list[str], stops: list[str]) -> None:
    watch, text = StopWatch(stops), "".join(pieces)
    passed = "".join(watch.feed(piece) for piece in pieces) + watch.finish()
    # A stop that is complete earlier counts, even if a longer one began before it.
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    if not ends:
        assert (passed, watch.stop) == (text, None)
    else:
        assert watch.stop in stops
        assert text.startswith(passed + (watch.stop or ""))
        assert not any(stop in passed for stop in stops)


@given(text=TEXT, stops=STOPS)
def test_nothing_is_held_back_that_begins_no_stop(text: str, stops: list[str]) -> None:
    watch = StopWatch(stops)
    watch.feed(text)
    assert not watch.held or any(stop.startswith(watch.held) for stop in stops)


@given(text=TEXT, start=TEXT)
def test_the_longest_overlap_is_found(text: str, start: str) -> None:
    expected = max(length for length in range(len(start) + 1) if text.endswith(start[:length]) or length == 0)
    assert overlap_length(text, start) == expected


def test_the_second_filter_gets_what_the_first_lets_through() -> None:
    chain = FilterChain(StopWatch(["END"]), StopWatch(["\n"]))
    assert chain.feed("a\nbEND") == "a"
    assert (chain.ended, chain.stop) == (True, "END")
    chain = FilterChain(StopWatch(["\nEND"]), StopWatch(["\n"]))
    assert chain.feed("a\n") == "a"
    assert (chain.finish(), chain.stop) == ("", "\n")
