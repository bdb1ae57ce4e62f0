"""Backends: the Claude Code CLI, and the Anthropic API with the user's own key."""
