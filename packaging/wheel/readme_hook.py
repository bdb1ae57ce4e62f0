"""Metadata hook of the wheel and the sdist: the README as PyPI shows it."""

import re
import sys
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

sys.path.insert(0, str(Path(__file__).parents[1]))  # hatchling loads this file alone

from project import fill_address, read_version

RELATIVE_LINK = re.compile(r"(?P<before>\]\(|(?:src|srcset|href)=\")(?!https?://|#|mailto:)(?P<path>[^)\"\s]+)")
PICTURES = {".png", ".svg"}


def absolute_links(text: str, repository: str, tag: str) -> str:
    """Make the relative links and pictures of a page absolute: PyPI shows it without the files beside it."""

    def replace(found: re.Match[str]) -> str:
        view = "raw" if Path(found["path"]).suffix in PICTURES else "blob"
        return f"{found['before']}{repository}/{view}/{tag}/{found['path']}"

    return RELATIVE_LINK.sub(replace, text)


class ReadmeHook(MetadataHookInterface):
    """Fills the dynamic field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the README with absolute links to the repository at the version's tag."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        tag = f"v{read_version(Path(self.root))}"
        repository = metadata["urls"]["Repository"]
        text = fill_address(absolute_links(text, repository, tag), repository)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
