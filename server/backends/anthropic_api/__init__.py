"""The Anthropic Messages API with a key of the person's own, for when Claude Code cannot serve.

https://docs.anthropic.com/en/api/messages. The key is a secret that the person entrusts to this program
(`server.secrets.anthropic_key`); one in the environment is Claude Code's affair and is never used here.
"""

from server.backends.anthropic_api.backend import AnthropicApiBackend

__all__ = ["AnthropicApiBackend"]
