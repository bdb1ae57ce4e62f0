"""`agents_sdk.py URL KEY MODEL WORDS`: OpenAI's Agents SDK as its documentation shows it, streamed, with a hand-off.

The first agent can read files itself, and hands questions for a specialist over.
"""

import asyncio
import sys
from pathlib import Path

from agents import Agent, Runner, function_tool, set_default_openai_client, set_tracing_disabled
from openai import AsyncOpenAI


@function_tool
def read_file(path: str) -> str:
    """Read a text file."""
    return Path(path).read_text(encoding="utf-8")


async def main(url: str, key: str, model: str, words: str) -> None:
    set_tracing_disabled(True)
    set_default_openai_client(AsyncOpenAI(base_url=url, api_key=key, max_retries=0))
    specialist = Agent(name="specialist", instructions="You are the specialist.", model=model)
    first = Agent(name="first", instructions="Answer briefly.", model=model, tools=[read_file], handoffs=[specialist])
    result = Runner.run_streamed(first, words)
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            print(event.data.delta, end="", flush=True)
    print(f"\n{result.last_agent.name}: {result.final_output}")


asyncio.run(main(*sys.argv[1:]))
