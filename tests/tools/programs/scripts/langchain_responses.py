"""`langchain_responses.py URL KEY MODEL WORDS`: LangChain over the Responses API, streamed, with a tool."""

import sys
from pathlib import Path

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def read_file(path: str) -> str:
    """Read a text file."""
    return Path(path).read_text(encoding="utf-8")


def main(url: str, key: str, model: str, words: str) -> None:
    chat = ChatOpenAI(base_url=url, api_key=key, model=model, use_responses_api=True, max_retries=0)
    messages = [HumanMessage(words)]
    while True:
        answer = None
        for chunk in chat.bind_tools([read_file]).stream(messages):
            answer = chunk if answer is None else answer + chunk
        messages.append(answer)
        if not answer.tool_calls:
            break
        messages += [ToolMessage(read_file.invoke(call["args"]), tool_call_id=call["id"]) for call in answer.tool_calls]
    print(answer.text)
    print(answer.usage_metadata["total_tokens"], "tokens")


main(*sys.argv[1:])
