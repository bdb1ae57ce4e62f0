"""OpenAI's responses: `POST /v1/responses`.

Protocol: https://platform.openai.com/docs/api-reference/responses (schemas CreateResponse, Response and
ResponseStreamEvent of openai/openai-openapi).

    body ─▶ request.py ─┬▶ body.py         validation; items.py, content.py, definitions.py, choices.py: its parts
                        ├▶ turns.py        items -> system prompt and user/assistant turns; pairing.py: calls, outputs
                        ├▶ tools.py        flat tools of namespaces and items, and the way back
                        ├▶ configuration.py, parameters.py  passed on, or left out with a warning
                        └▶ echo.py         the members of the response that repeat the request
    stream events ─▶ encoder.py ─▶ events, or the response
    sealing.py: reasoning and summaries, which the client keeps for the model
"""

from server.dialects.responses.encoder import ResponseEncoder
from server.dialects.responses.request import to_messages

__all__ = ["ResponseEncoder", "to_messages"]
