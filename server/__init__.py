"""Dragoman's server: OpenAI's and Anthropic's API on one side, the Claude Code CLI on the other.

Nothing in this package knows of Qt; `tray_app` hosts it, `dragoman serve` runs it without a desktop.
"""

__version__ = "0.1.0"
