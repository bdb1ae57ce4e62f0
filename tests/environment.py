"""Environment of tests, demo and benchmarks: no accounts, a temporary home."""

from collections.abc import Mapping
from pathlib import Path

# Variables that name somebody's accounts or settings, or send requests somewhere else.
PRIVATE_PREFIXES = ("ANTHROPIC_", "AWS_", "AZURE_", "CLAUDE", "GOOGLE_", "OPENAI_", "VERTEX_")
DESKTOP_KEYRING = "DBUS_SESSION_BUS_ADDRESS"


def is_private(name: str) -> bool:
    """Whether a variable of this name could lead to a real account, keyring or proxy."""
    upper = name.upper()
    return upper.startswith(PRIVATE_PREFIXES) or upper.endswith("_PROXY") or upper == DESKTOP_KEYRING


def home_variables(home: Path) -> dict[str, str]:
    """The variables that make programs keep a user's things below `home`. The directories are made."""
    places = {
        "HOME": home,
        "USERPROFILE": home,
        "APPDATA": home / "AppData" / "Roaming",
        "LOCALAPPDATA": home / "AppData" / "Local",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_RUNTIME_DIR": home / "run",
        "CLAUDE_CONFIG_DIR": home / ".claude",
    }
    for place in places.values():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: str(place) for name, place in places.items()}


def made_environment(home: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """`inherited` without what is private, and with `home` as the home and a keyring that refuses."""
    kept = {name: value for name, value in inherited.items() if not is_private(name)}
    kept.update(home_variables(home))
    return kept | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def simulated_account(url: str) -> dict[str, str]:
    """The variables that make the CLI work for the Messages API at `url`, and be silent towards others."""
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-made-up",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
