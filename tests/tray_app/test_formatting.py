"""Formatting of numbers, times, sizes and paths."""

import sys
from datetime import datetime
from pathlib import Path

import pytest

from tray_app import formatting

NOW = datetime(2026, 3, 10, 12, 0, 0).timestamp()
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (-30, "just now"),
        (0, "just now"),
        (9.9, "just now"),
        (10, "10 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (2 * MINUTE + 59, "2 min ago"),
        (59 * MINUTE + 59, "59 min ago"),
        (HOUR, "1 h ago"),
        (23 * HOUR + 59 * MINUTE, "23 h ago"),
        (DAY, "yesterday"),
        (36 * HOUR - 1, "yesterday"),
        (36 * HOUR + 1, "2 days ago"),
        (6 * DAY, "6 days ago"),
        (7 * DAY, "2026-03-03"),
        (400 * DAY, "2025-02-03"),
    ],
)
def test_a_time_is_told_by_how_long_ago_it_was(ago: float, text: str) -> None:
    assert formatting.relative_time(NOW - ago, NOW) == text


def test_the_exact_time_is_the_local_one_to_the_second() -> None:
    assert formatting.exact_time(datetime(2026, 3, 9, 7, 5, 3, 999).timestamp()) == "2026-03-09 07:05:03"


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (-1, "now"),
        (0, "now"),
        (59, "in less than a minute"),
        (60, "in 1 min"),
        (40 * MINUTE, "in 40 min"),
        (HOUR - 1, "in 1 h"),
        (3 * HOUR + 20 * MINUTE, "in 3 h 20 min"),
        (DAY, "in 24 h"),
        (2 * DAY, "in 2 days"),
        (6 * DAY + 23 * HOUR, "in 6 days"),
    ],
)
def test_a_time_to_come_is_told_by_what_is_left(left: float, text: str) -> None:
    assert formatting.time_until(NOW + left, NOW) == text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (0, "now"),
        (20, "in 1 min"),
        (59 * MINUTE, "in 59 min"),
        (3 * HOUR + 20 * MINUTE, "in 3 h"),
        (24 * HOUR - 5, "in 24 h"),
        (7 * DAY, "in 7 days"),
    ],
)
def test_a_cell_has_the_time_that_is_left_in_one_figure(left: float, text: str) -> None:
    assert formatting.rough_time_until(NOW + left, NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0, "0 ms"),
        (0.84, "840 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (3.24, "3.2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (42.4, "42 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (240, "4 min"),
        (3900, "1 h 5 min"),
        (7200, "2 h"),
    ],
)
def test_a_duration_has_the_digits_that_matter(seconds: float, text: str) -> None:
    assert formatting.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (12_345, "12.3k"),
        (99_949, "99.9k"),
        (99_951, "100k"),
        (123_456, "123k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (1_234_567, "1.2M"),
    ],
)
def test_tokens_are_rounded_to_three_figures(n: int, text: str) -> None:
    assert formatting.format_tokens(n) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0"),
        (0.00001, "<$0.0001"),
        (0.00042, "$0.0004"),
        (0.0099, "$0.0099"),
        (0.00996, "$0.010"),
        (0.042, "$0.042"),
        (0.9994, "$0.999"),
        (0.9996, "$1.00"),
        (1.236, "$1.24"),
        (1240.4, "$1,240"),
    ],
)
def test_money_has_the_digits_that_matter(usd: float, text: str) -> None:
    assert formatting.format_money(usd) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (12_300, "12.3 kB"),
        (999_999, "1.0 MB"),
        (4_200_000, "4.2 MB"),
        (3 * 10**15, "3000 TB"),
    ],
)
def test_sizes_are_in_decimal_units(count: int, text: str) -> None:
    assert formatting.format_size(count) == text


def test_what_is_not_known_is_empty_and_a_dash_in_a_cell() -> None:
    unknown = [
        formatting.relative_time(None, NOW),
        formatting.exact_time(None),
        formatting.time_until(None, NOW),
        formatting.format_duration(None),
        formatting.format_tokens(None),
        formatting.format_money(None),
        formatting.format_size(None),
    ]

    assert unknown == [""] * 7
    assert formatting.or_dash("") == "–"
    assert formatting.or_dash("4 min") == "4 min"


def test_a_place_below_home_begins_with_a_tilde() -> None:
    below = Path.home() / ".continue" / "config.yaml"
    assert formatting.format_path(below) == (str(below) if sys.platform == "win32" else "~/.continue/config.yaml")
    for elsewhere in (Path.home(), Path.home().parent / "another"):
        assert formatting.format_path(elsewhere) == str(elsewhere)
