"""Anthropic's own API: `POST /v1/messages` and `POST /v1/messages/count_tokens`.

https://docs.anthropic.com/en/api/messages. It is the core format too, so little is translated here: a body is
validated, with errors in the API's own words, and normalized.
"""

from server.dialects.messages.encoder import MessagesEncoder
from server.dialects.messages.request import to_count, to_messages

__all__ = ["MessagesEncoder", "to_count", "to_messages"]
