"""Claude Code Tray's server: OpenAI's and Anthropic's API on one side, the Claude Code CLI on the other.

Nothing in this package knows of Qt; `tray_app` hosts it, `claude-code-tray serve` runs it without a desktop.
"""

__version__ = "0.1.0"
