"""Ollama's package for Python: chat with a function as tool, streamed."""

import sys

from ollama import Client

url, key, model, _, words = sys.argv[1:]


def read_file(path: str) -> str:
    """Read a text file.

    Args:
        path: The file.
    """
    with open(path, encoding="utf-8") as file:
        return file.read()


client = Client(host=url, headers={"authorization": f"Bearer {key}"})
messages = [{"role": "user", "content": words}]
for _ in range(4):
    text, calls = "", []
    for part in client.chat(model=model, messages=messages, tools=[read_file], stream=True):
        text += part.message.content or ""
        calls += part.message.tool_calls or []
    messages.append({"role": "assistant", "content": text, "tool_calls": calls})
    if not calls:
        break
    for call in calls:
        result = read_file(**call.function.arguments)
        messages.append({"role": "tool", "content": result, "tool_name": call.function.name})
print(messages[-1]["content"])
