"""`python -m tests.tools.demo [--port N]`: the server on a simulated Messages API; no account, no network."""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.environment import made_environment, simulated_account
from tests.simulator import Simulator

PURPOSE = "The server on a simulated Messages API: no account, no network."
WHAT_TO_TRY = """
Nobody thinks here: the answers are echoes of a simulated API. Try it in another terminal:

    {curl}

OpenAI's clients take the base URL {url}/v1, Anthropic's {url}, and any API key.
Ctrl-C ends it.
"""


def curl_command(url: str, windows: bool = sys.platform == "win32") -> str:
    """A line to paste into a terminal, that streams an answer from the server at `url`."""
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    words = ["curl", "-N", f"{url}/v1/chat/completions", "-H", "content-type: application/json"]
    words += ["-d", json.dumps(body)]
    return subprocess.list2cmdline(words) if windows else shlex.join(words)


def server_command(home: Path, port: str) -> list[str]:
    """Build the server's command line: no key required, data below `home`."""
    places = ["--data-dir", str(home / "data"), "--config-dir", str(home / "config")]
    return [sys.executable, "-u", "-m", "server", "serve", "--no-auth", "--port", port, *places]


def stop(child: "subprocess.Popen[str]") -> None:
    """End a child: by a polite signal, and by force when it has not gone after ten seconds."""
    if child.poll() is None:
        child.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def started(command: Sequence[str], env: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A child whose standard output can be read, ended at the end of the block.

    It has a process group of its own: Ctrl-C reaches us alone, and the server ends before the simulator.
    """
    group = {"creationflags": 0x200} if sys.platform == "win32" else {"process_group": 0}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=env, text=True, **pipes, **group) as child:
        try:
            yield child
        finally:
            stop(child)


def follow(child: "subprocess.Popen[str]") -> int:
    """Pass on what the server says until it ends; when it has said where it listens, what to try. Its exit code."""
    url = ""
    for line in child.stdout:
        print(line, end="", flush=True)
        if url:  # the line after it says which key is needed, and is the last
            print(WHAT_TO_TRY.format(url=url, curl=curl_command(url)), flush=True)
        _, _, address = line.partition("listening on ")
        url = address.strip()
    return child.wait()


def main(arguments: Sequence[str]) -> int:
    """Run the demo until the server ends or the developer ends it."""
    parser = argparse.ArgumentParser(prog="dev.py demo", description=PURPOSE)
    parser.add_argument("--port", default="0", help="the server's port; 0, the default, is any free one")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="dragoman-demo-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        with Simulator() as simulator:
            env = made_environment(home, os.environ) | simulated_account(simulator.url)
            env["DRAGOMAN_KEY_STORAGE"] = "memory"  # no key is required, so none is stored
            with started(server_command(home, options.port), env) as child:
                return follow(child)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
