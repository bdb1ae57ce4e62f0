"""Every measurement in its smallest form: shown is that each gives all its rows, not how fast anything is."""

import json
import math
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.tools.bench import window_lag
from tests.tools.bench.measurements import FAILED, MEASUREMENTS, Measurement, measure
from tests.tools.bench.report import RATE, Row, Target, percentile, table
from tests.tools.bench.rounds import Size
from tests.tools.bench.scene import ROOT, set_up

SMALL = Size(rounds=1, tokens=50, together=2, requests=2, seconds=0.2, sessions=20, logged=100)

WINDOW = {"window open, chat completions", "window open, messages"}
LIVE = {"simulator direct", "CLI kept open", "server, chat completions", "server, messages", *WINDOW}
MEMORY = {who: {f"{who}, resident (RSS)", f"{who}, its own (USS)"} for who in ("server", "desktop application")}
BESIDE_CHAT = {"server, chat completions", "server, responses"}
CONTENDERS = {
    "next-turn": {"first delta, next turn": LIVE},
    "new-conversation": {"first delta, new conversation": {"CLI started for it", "server, spare parked"}},
    "many-tools": {
        "first delta, next turn with 40 tools": {"CLI kept open", "server, chat completions", "server, messages"},
        "first delta, new conversation with 40 tools": {"server, chat completions", "server, messages"},
    },
    "eight-at-once": {"first delta, 2 at once": {"CLIs started at once", "server"}},
    "long-stream": {"a stream of 50 tokens": LIVE},
    "completions": {
        "first delta, completions": {"chat, new conversation", "completion", "completion, last of a burst of 20"},
        "a stream of 50 tokens, completions": {"chat, new conversation", "completion"},
    },
    "responses": {
        "first delta, next turn, beside Responses": BESIDE_CHAT,
        "first delta, new conversation, beside Responses": BESIDE_CHAT,
        "a stream of 50 tokens, beside Responses": BESIDE_CHAT,
    },
    "window-lag": {"event loop's lag": set(window_lag.CONTENDERS)},
    "store": {
        "session lookup": {"nothing else", "during a search", "during a purge"},
        "search": {"sessions, common words", "sessions, rare word", "sessions, first letter", "requests, common word"},
    },
    "start": {"start to listening": {"server", "desktop application"}},
    "memory": {
        "memory after start": MEMORY["server"] | MEMORY["desktop application"],
        "memory after 2 requests": MEMORY["server"],
        "memory after 2 requests, all pages seen": MEMORY["desktop application"],
    },
}


@pytest.fixture
def scene(cli_path, tmp_path):
    with set_up(cli_path, tmp_path) as made:
        yield made


@pytest.mark.parametrize("name", CONTENDERS)
async def test_a_measurement_gives_all_its_rows_with_a_number_in_each(scene, name):
    rows = await MEASUREMENTS[name].measure(scene, SMALL)

    found = {}
    for row in rows:
        found.setdefault(row.what, set()).add(row.who)
        assert row.values
        assert all(math.isfinite(value) and value > 0 for value in [*row.values, *row.ratios])
    assert found == CONTENDERS[name]
    assert any(row.targets for row in rows)
    assert all(target.text in table(rows) for row in rows for target in row.targets)
    assert all(isinstance(target.met, bool) for row in rows for target in row.targets)


def test_the_command_prints_the_table_and_writes_every_value(tmp_path):
    file = tmp_path / "report.json"
    options = ["--only", "new-conversation", "--rounds", "1", "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.bench", *options], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(file.read_text())
    assert [(row["what"], len(row["values"])) for row in report["rows"]] == [("first delta, new conversation", 1)] * 2
    assert done.stdout.startswith(report["machine"])
    assert "first delta, new conversation" in done.stdout


async def test_a_measurement_that_fails_does_not_take_the_others_along(scene, monkeypatch):
    async def tokens(scene, size):
        return [Row("size", "everybody", "tokens", [size.tokens])]

    monkeypatch.setitem(MEASUREMENTS, "another", Measurement(tokens, 1))
    with socket.socket() as nobody:  # bound, but not listening: connections are refused
        nobody.bind(("127.0.0.1", 0))
        silent = replace(scene, simulator_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        rows = await measure(silent, ["long-stream", "another"], rounds=1)

    assert [(row.what, row.note) for row in rows] == [("long-stream", FAILED), ("size", "")]


def test_the_table_shows_the_slow_end_and_the_median_of_the_rounds_ratios():
    slow = Row("delay", "server", "ms", [1.0, 2.0, 300.0], ratios=[0.5, 2.0, 4.0], targets=[Target("9 ms", True)])
    rate = Row("stream", "server", RATE, [100.0, 200.0, 300.0], targets=[Target("250", False), Target("50", True)])
    lines = table([slow, rate]).splitlines()

    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:4])]
    assert cells == [
        ["what", "who", "unit", "median", "p95", "worst", "ratio", "to reach", "met"],
        ["delay", "server", "ms", "2.0", "300", "300", "2.00", "9 ms", "yes"],
        ["stream", "server", "tokens/s", "200", "100", "100", "", "250; 50", "NO; yes"],
    ]
    assert len({len(line) for line in lines[:4]}) == 1


@pytest.mark.parametrize(("share", "value"), [(0.95, 95), (0.05, 5), (1.0, 100), (0.5, 50)])
def test_a_percentile_is_one_of_the_values(share, value):
    assert percentile(range(100, 0, -1), share) == value
