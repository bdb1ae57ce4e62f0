"""Claude Code as the window sees it: signing in."""
