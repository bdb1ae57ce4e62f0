"""OpenAI Agents SDK: an agent with a tool, or with `handoff` one that hands over to it."""

import sys

from agents import Agent, Runner, function_tool, set_default_openai_client, set_tracing_disabled
from openai import AsyncOpenAI

url, key, model, mode, words = sys.argv[1:]


@function_tool
def read_file(path: str) -> str:
    """Read a text file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


set_tracing_disabled(True)
set_default_openai_client(AsyncOpenAI(base_url=f"{url}/v1", api_key=key))
reader = Agent(name="Reader", instructions="Read files.", tools=[read_file], model=model)
first = Agent(name="Desk", instructions="Hand over.", handoffs=[reader], model=model) if mode == "handoff" else reader
print(Runner.run_sync(first, words).final_output)
