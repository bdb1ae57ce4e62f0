"""Changes to configuration texts that leave everything else in them as it is: comments, order, unknown keys.

`edit(text, changes)` of `jsonc`, `toml` and `yaml` gives the text with the changes, `load(text)` what it says. Each
changed text is read again: it has to say what it said before, and the changes, and nothing else.
"""

from tray_app.clients.editing.paths import Changes, Entry, Path, value_at

__all__ = ["Changes", "Entry", "Path", "value_at"]
