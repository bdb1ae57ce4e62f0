"""README.md is right: what it shows works against the real CLI, and what it lists is what there is."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.config.settings import ENV_PREFIX, Settings
from server.core.errors import DragomanError
from server.core.messages import EFFORTS
from server.models.aliases import ModelNames, resolve_model
from tests.cli.processes import ROOT, serving
from tests.environment import simulated_account
from tests.simulator import Simulator

README = (ROOT / "README.md").read_text(encoding="utf-8")
KEY = "dgm-the-key-of-this-test"
BY_SYSTEM = ("data_dir", "config_dir")


def marked_blocks(language: str) -> list[Any]:
    """The code blocks after a comment `<!-- tested: WORDS -->`, with the words that they have to print."""
    found = re.findall(rf"<!-- tested: ([^\n]*) -->\n```{language}\n(.*?)```", README, re.DOTALL)
    return [pytest.param(code, said, id=f"{language}-{number}") for number, (said, code) in enumerate(found)]


NAMES = ModelNames({}, (), "default")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table after `heading`, row by row, without its head."""
    lines = README[README.index(heading) :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


@pytest.fixture(scope="module")
def server_url(cli_path: Path) -> Iterator[str]:
    """A server with the real CLI and the simulator behind it, as `serve` starts it."""
    with Simulator() as simulator:
        account = simulated_account(simulator.url)
        with serving(DRAGOMAN_API_KEY=KEY, DRAGOMAN_CLAUDE_PATH=str(cli_path), **account) as server:
            yield server.url


def test_the_readme_shows_something() -> None:
    assert len(marked_blocks("python")) >= 5
    assert len(marked_blocks("sh")) >= 2
    assert len(re.findall("```python", README)) == len(marked_blocks("python")), "each is marked"


@pytest.mark.parametrize(("code", "said"), marked_blocks("python"))
def test_a_snippet_runs(server_url: str, code: str, said: str) -> None:
    code = code.replace("http://127.0.0.1:8000", server_url).replace("YOUR-KEY", KEY)
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert said in result.stdout


@pytest.mark.parametrize(("command", "said"), marked_blocks("sh"))
def test_a_curl_line_is_answered(server_url: str, command: str, said: str) -> None:
    """Emulate curl with these options; curl itself is not installed everywhere."""
    words = shlex.split(command.replace("http://127.0.0.1:8000", server_url).replace("YOUR-KEY", KEY))
    assert words.pop(0) == "curl"
    options = {words[at]: words[at + 1] for at, word in enumerate(words) if word in ("-H", "-d")}
    name, _, value = options["-H"].partition(": ")
    # curl's own type for -d.
    headers = {name: value, "content-type": "application/x-www-form-urlencoded"}
    method = "POST" if "-d" in options else "GET"
    answer = httpx2.request(method, words[0], headers=headers, content=options.get("-d"), timeout=60)
    assert answer.status_code == 200, answer.text
    assert said in answer.text
    json.loads(answer.text)


def written(name: str) -> str:
    """A setting's default as the table writes it."""
    if name in BY_SYSTEM:
        return "by system"
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    if default is None:
        return "not set"
    return f"`{json.dumps(default)}`"


def test_the_table_of_settings_is_complete() -> None:
    listed = [[cell.strip("`") for cell in row[:2]] + [row[2]] for row in table("<!-- settings -->")]
    expected = [[name, f"{ENV_PREFIX}{name.upper()}", written(name)] for name in Settings.model_fields]
    assert listed == expected, "README.md, Settings: one row for each field, in their order"
    assert all(len(row) == 4 and row[3] for row in table("<!-- settings -->"))


def test_the_aliases_are_what_the_table_says() -> None:
    rows = [row for row in table("## Models and aliases") if row[1].startswith("`")]
    listed = {name: row[1].strip("`") for row in rows for name in re.findall(r"`([^`]+)`", row[0])}
    assert len(listed) > 15
    assert listed == {name: resolve_model(name, NAMES).model for name in listed}


def test_names_ask_for_what_the_table_says() -> None:
    rows = table("<!-- in a name -->")
    effort, thinking, large, by_api, chain = (
        [resolve_model(name, NAMES).choices for name in re.findall(r"`([^`]+)`", row[0])] for row in rows
    )
    assert [choices[0].effort for choices in effort] == ["high", "low"]
    words = re.findall(r"`(\w+)`", rows[0][1])
    assert [resolve_model(f"opus:{word}", NAMES).choices[0].effort for word in words] == ["low", *EFFORTS]
    assert [(choices[0].thinking or {}).get("type") for choices in thinking] == ["disabled", *["adaptive"] * 3]
    assert all(choices[0].model.endswith("[1m]") for choices in large)
    assert [choice.by_api for choices in by_api for choice in choices] == [True]
    assert [(choice.model, choice.by_api) for choice in chain[0]] == [
        ("opus", False), ("sonnet", False), ("haiku", True)
    ]  # fmt: skip


def test_the_error_codes_exist() -> None:
    codes = {match[1] for row in table("## Troubleshooting") if (match := re.fullmatch(r"`(\w+)`", row[1]))}
    assert len(codes) > 8
    assert codes <= known_codes(DragomanError)


def known_codes(error: type[DragomanError]) -> set[str | None]:
    """The codes of an error and of those below it."""
    return {error.code}.union(*(known_codes(kind) for kind in error.__subclasses__()))


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_within_the_project_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    anchors = {re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in headings(text)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif "://" not in target:
            assert (ROOT / target.partition("#")[0]).exists(), target


def headings(text: str) -> list[str]:
    """The headings of a Markdown text."""
    return re.findall(r"^#+ .*$", text, re.MULTILINE)
