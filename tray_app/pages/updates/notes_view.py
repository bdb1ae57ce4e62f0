"""The notes of releases, rendered."""

from collections.abc import Iterator, Sequence

from PySide6.QtGui import QTextCursor

from tray_app.translation import tr
from tray_app.updates.releases import Release
from tray_app.widgets.markdown_browser import MarkdownBrowser, OpenLink

MAX_CHARACTERS = 24_000
"""Characters of all notes together. Laying out more could block the window, and the server, for seconds."""


class NotesView(MarkdownBrowser):
    """The notes of several releases, each under its version. Scrolls."""

    def __init__(self, open_link: OpenLink) -> None:
        super().__init__(open_link)
        self._shown: list[str] = []
        self.setAccessibleName(tr("Release notes"))

    def show_releases(self, releases: Sequence[Release]) -> None:
        """Show the notes. Equal ones keep the place in the text."""
        texts = list(_write_notes(releases))
        if texts != self._shown:
            self._shown = texts
            self.show_markdown(texts)
            self.moveCursor(QTextCursor.MoveOperation.Start)

    def redraw(self) -> None:
        """Draw the notes in the theme's colours."""
        self.apply_theme()
        self.show_markdown(self._shown)


def _write_notes(releases: Sequence[Release]) -> Iterator[str]:
    """One Markdown text for each release."""
    left = MAX_CHARACTERS
    for release in releases:
        title = f"## {release.version}" + (f" ({release.date})" if release.date else "")
        notes = release.notes.strip() or tr("This release has no notes.")
        yield f"{title}\n\n{notes[:left]}"
        left -= len(notes)
        if left <= 0:
            yield tr("The rest is on the release page.")
            return
