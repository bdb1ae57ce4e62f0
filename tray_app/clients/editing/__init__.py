"""Changes of configuration texts that preserve comments, order, other keys.

`jsonc`, `toml` and `yaml` have `edit(text, changes)`, which returns the changed text, and `load(text)`, which parses
it. Each changed text is parsed again: its values must be the former ones with the changes, and nothing else.
"""

from tray_app.clients.editing.paths import Changes, Entry, Path, value_at

__all__ = ["Changes", "Entry", "Path", "value_at"]
