import json
import os
import shlex
import sys

from tests.tools.demo import curl_command, follow, started

STAND_IN = """
import sys, threading
print("starting")
print("listening on http://127.0.0.1:4321")
print("API key: none is needed", flush=True)
if sys.argv[1:]:
    raise SystemExit(int(sys.argv[1]))
threading.Event().wait()
"""


def test_what_the_server_says_is_passed_on_with_a_line_to_try(capsys):
    with started([sys.executable, "-c", STAND_IN, "3"], os.environ) as child:
        assert follow(child) == 3
    said = capsys.readouterr().out
    assert said.startswith("starting\nlistening on http://127.0.0.1:4321\nAPI key: none is needed\n\n")
    assert said.count(curl_command("http://127.0.0.1:4321")) == 1
    assert " http://127.0.0.1:4321/v1," in said


def test_the_server_is_ended_when_the_demo_is():
    with started([sys.executable, "-c", STAND_IN], os.environ) as child:
        assert child.stdout.readline() == "starting\n"
        assert child.poll() is None
    assert child.returncode not in (None, 0)


def test_the_line_to_try_is_one_that_a_shell_understands():
    words = shlex.split(curl_command("http://127.0.0.1:8000", windows=False))
    assert words[:3] == ["curl", "-N", "http://127.0.0.1:8000/v1/chat/completions"]
    body = json.loads(words[words.index("-d") + 1])
    assert body["messages"] == [{"role": "user", "content": "Hello"}]


def test_the_line_to_try_on_windows_escapes_the_quotes_of_the_body():
    line = curl_command("http://127.0.0.1:8000", windows=True)
    assert "'" not in line
    assert line.endswith(r'[{\"role\": \"user\", \"content\": \"Hello\"}]}"')
