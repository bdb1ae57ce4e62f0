"""The project's facts for all recipes, read from pyproject.toml and the source: each is written once, there."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
UNDECIDED = ".example"
"""Top-level domain reserved by RFC 2606: an address with it is a placeholder."""
ADDRESS_PLACEHOLDER = "URL-OF-THIS-REPOSITORY"
"""Stands in the README for the repository's address, which the first release fills in."""
VERSION_LINE = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
"""The line of server/__init__.py that sets the version."""


@dataclass(frozen=True, slots=True)
class Project:
    """The facts that packages state about the program."""

    name: str
    version: str
    summary: str
    license: str
    repository: str
    authors: str
    keywords: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name as users read it."""
        return self.name.capitalize()

    @property
    def app_id(self) -> str:
        """Reverse-DNS id, as AppStream, Flatpak and macOS want it: the repository's host and owner, then the name."""
        parts = urlsplit(self.repository)
        host = (parts.hostname or "").removeprefix("www.")
        owners = [] if host.endswith(UNDECIDED) else [part for part in parts.path.split("/")[1:-1] if part]
        if host in ("github.com", "gitlab.com", "codeberg.org"):  # their users' pages, which the users control
            host = host.replace("github.com", "github.io").replace("gitlab.com", "gitlab.io")
            host = host.replace("codeberg.org", "codeberg.page")
        labels = [*reversed(host.split(".")), *owners, self.name]
        return ".".join(label.lower().replace("-", "_") for label in labels)

    @property
    def has_home(self) -> bool:
        """Whether the repository's address is decided."""
        return is_decided(self.repository)

    @property
    def tag(self) -> str:
        """The version's tag in the repository."""
        return f"v{self.version}"


def is_decided(address: str) -> bool:
    """Whether an address is more than a placeholder."""
    return not (urlsplit(address).hostname or "").endswith(UNDECIDED)


def fill_address(text: str, repository: str) -> str:
    """Put the repository's address where a text has its placeholder, once the address is decided."""
    return text.replace(ADDRESS_PLACEHOLDER, repository.rstrip("/")) if is_decided(repository) else text


def read_project(root: Path = ROOT) -> Project:
    """Read the facts of the checkout at `root`. Raises KeyError or ValueError if one is missing."""
    facts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Project(
        name=facts["name"],
        version=read_version(root),
        summary=facts["description"],
        license=facts["license"],
        repository=facts["urls"]["Repository"].rstrip("/"),
        authors=", ".join(author["name"] for author in facts["authors"]),
        keywords=tuple(facts["keywords"]),
    )


def read_version(root: Path = ROOT) -> str:
    """Read the program's version. Raises ValueError if the source does not set it."""
    source = (root / "server" / "__init__.py").read_text(encoding="utf-8")
    found = VERSION_LINE.search(source)
    if found is None:
        raise ValueError("server/__init__.py does not set __version__")
    return found[1]
