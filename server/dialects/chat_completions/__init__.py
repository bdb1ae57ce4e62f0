"""OpenAI's chat completions: `POST /v1/chat/completions`.

Protocol: https://platform.openai.com/docs/api-reference/chat (schemas CreateChatCompletionRequest,
CreateChatCompletionResponse and CreateChatCompletionStreamResponse of openai/openai-openapi).

    body ─▶ request.py ─┬▶ body.py       validation; content.py: content parts, media.py: files
                        ├▶ turns.py      messages -> system prompt and user/assistant turns
                        ├▶ tools.py      tools, functions, tool_choice
                        └▶ parameters.py parameters that are passed on, or left out with a warning
    stream events ─▶ encoder.py ─▶ chunks, or the completion
"""

from server.dialects.chat_completions.encoder import ChatCompletionEncoder
from server.dialects.chat_completions.request import to_messages

__all__ = ["ChatCompletionEncoder", "to_messages"]
