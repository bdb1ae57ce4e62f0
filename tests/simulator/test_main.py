"""The simulator as a program of its own, as the demo and the benchmarks start it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2

BODY = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}


def test_start_by_command() -> None:
    command = [sys.executable, "-m", "tests.simulator", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        greeting = process.stdout.readline()
        url = greeting.removeprefix("simulator listening on ").strip()
        answer = httpx2.post(
            f"{url}/v1/messages", json=BODY, headers={"x-api-key": "sk-ant-made-up"}, timeout=60
        ).json()
        process.send_signal(signal.SIGTERM)
    assert answer["content"] == [{"type": "text", "text": "You said: Hi"}]
