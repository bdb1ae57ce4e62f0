"""`open_webui_browser.py COMMAND MODEL WORDS`: start Open WebUI, send a chat as its page does, stop it."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

SECONDS = 150


def call(url: str, token: str = "", body: dict[str, Any] | None = None) -> str:
    """A request's answer as text. Raises OSError."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return str(answer.read().decode())


def wait_until_healthy(url: str) -> None:
    """Return once it answers. Raises OSError if it does not for long."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            call(f"{url}/health")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def main(command: str, model: str, words: str) -> None:
    """Print whether the model is in the list, and the stream of its answer."""
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        port = any_socket.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(["sh", "-c", f"{command} --host 127.0.0.1 --port {port}"], stdout=subprocess.DEVNULL)
    try:
        wait_until_healthy(url)
        token = json.loads(call(f"{url}/api/v1/auths/signin", body={"email": "", "password": ""}))["token"]
        offered = [one["id"] for one in json.loads(call(f"{url}/api/models", token))["data"]]
        if model not in offered:
            sys.exit(f"{model} is not in {offered}")
        messages = [{"role": "user", "content": words}]
        stream = call(f"{url}/api/chat/completions", token, {"model": model, "stream": True, "messages": messages})
        print("".join(_deltas(stream)))
    finally:
        process.terminate()
        process.wait(30)


def _deltas(stream: str) -> list[str]:
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: {")]
    return [json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines]


if __name__ == "__main__":
    main(*sys.argv[1:])
