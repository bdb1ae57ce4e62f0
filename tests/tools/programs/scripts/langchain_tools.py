"""LangChain: a chat model with a tool, by chat completions, Responses (also with state) or Ollama's API."""

import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool

url, key, model, mode, words = sys.argv[1:]


@tool
def read_file(path: str) -> str:
    """Read a text file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


if mode == "ollama":
    from langchain_ollama import ChatOllama

    chat = ChatOllama(base_url=url, model=model, client_kwargs={"headers": {"authorization": f"Bearer {key}"}})
else:
    from langchain_openai import ChatOpenAI

    options = {"chat": {}, "responses": {"use_responses_api": True}, "state": {"use_previous_response_id": True}}
    chat = ChatOpenAI(base_url=f"{url}/v1", api_key=key, model=model, **options[mode])

bound, messages = chat.bind_tools([read_file]), [HumanMessage(words)]
for _ in range(4):
    whole = None
    for chunk in bound.stream(messages):
        whole = chunk if whole is None else whole + chunk
    messages.append(whole)
    if not whole.tool_calls:
        break
    messages += [ToolMessage(read_file.invoke(call["args"]), tool_call_id=call["id"]) for call in whole.tool_calls]
print(messages[-1].text)
