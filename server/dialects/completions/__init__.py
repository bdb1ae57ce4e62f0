"""OpenAI's completions, which editors use: `POST /v1/completions`.

Protocol: https://platform.openai.com/docs/api-reference/completions (schemas CreateCompletionRequest and
CreateCompletionResponse of openai/openai-openapi).

    body ─▶ request.py ─┬▶ body.py    validation
                        └▶ fill_in/   a prompt -> a question to a chat model; cuts its answer
    stream events ─▶ encoder.py ─▶ chunks, or the completion
"""

from server.dialects.completions.encoder import CompletionEncoder
from server.dialects.completions.request import to_messages

__all__ = ["CompletionEncoder", "to_messages"]
