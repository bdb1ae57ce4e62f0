"""The Anthropic API with the user's key, used if Claude Code cannot serve.

https://docs.anthropic.com/en/api/messages. The key is stored by this program (`server.secrets.anthropic_key`). A key
in the environment belongs to Claude Code and is never used here.
"""

from server.backends.anthropic_api.backend import AnthropicApiBackend

__all__ = ["AnthropicApiBackend"]
