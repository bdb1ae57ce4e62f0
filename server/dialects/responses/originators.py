"""Clients that have to be answered in their own way, recognised by the header `originator`."""


def is_codex(originator: str | None) -> bool:
    """Whether the client is one of the Codex family: `codex_exec`, `codex_vscode`, `Codex Desktop`, ..."""
    return (originator or "").lower().startswith("codex")
