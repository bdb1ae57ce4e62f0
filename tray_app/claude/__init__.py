"""Claude Code for the window: signing in."""
