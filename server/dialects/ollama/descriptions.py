"""The entries of `/api/tags`, `/api/ps` and `/api/show`.

Types: `ListModelResponse`, `ProcessModelResponse` and `ShowResponse` of `api/types.go`. Zed's reader takes no list in
which a member is missing or null.
"""

import hashlib
from typing import Any

from server.dialects.ollama.encoder import format_time
from server.models.offered import OfferedModel

VERSION = "0.17.7"
"""The version of Ollama whose API this is. Programs refuse older ones: Copilot below 0.6.4, Codex below 0.13.4."""

CAPABILITIES = ("completion", "tools", "vision", "thinking", "insert")
ARCHITECTURE = "claude"
_FOREVER = "2318-03-11T00:00:00Z"
"""Ollama's own date for a model that is never unloaded is about this far away."""
_TEMPLATE = "{{ .System }}\n{{ .Prompt }}{{ if .Suffix }}{{ .Suffix }}{{ end }}"
"""Continue sends the text after the cursor as `suffix` only where the template has it."""


def tag_entry(model: OfferedModel, modified: float) -> dict[str, Any]:
    """An entry of `/api/tags`; `modified` is in epoch seconds."""
    return {**_identity(model), "modified_at": format_time(modified)}


def process_entry(model: OfferedModel) -> dict[str, Any]:
    """An entry of `/api/ps`. Claude is always ready and takes no memory here."""
    return {**_identity(model), "expires_at": _FOREVER, "size_vram": 0, "context_length": model.window.context}


def show_response(model: OfferedModel, modified: float) -> dict[str, Any]:
    """The response of `/api/show`; `modified` is in epoch seconds."""
    return {
        "license": "",
        "modelfile": f"# Claude Code\nFROM {model.id}\n",
        "parameters": f"num_ctx {model.window.context}\nnum_predict {model.window.output}",
        "template": _TEMPLATE,
        "details": _details(),
        "model_info": {
            "general.architecture": ARCHITECTURE,
            "general.basename": model.display_name,
            "general.name": model.id,
            f"{ARCHITECTURE}.context_length": model.window.context,
        },
        "capabilities": list(CAPABILITIES),
        "modified_at": format_time(modified),
    }


def _identity(model: OfferedModel) -> dict[str, Any]:
    digest = hashlib.sha256(model.id.encode()).hexdigest()
    return {"name": model.name, "model": model.name, "size": 0, "digest": digest, "details": _details()}


def _details() -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": ARCHITECTURE,
        "families": [ARCHITECTURE],
        "parameter_size": "",
        "quantization_level": "",
    }
