"""The entries of LM Studio's lists of models.

Zed's reader takes no other words than LM Studio's own for type, compatibility type and state.
"""

from typing import Any

from server.models.offered import OfferedModel

ARCHITECTURE = "claude"
FORMAT = "gguf"
QUANTIZATION = "none"
RUNTIME = {"name": "claude-code", "version": "1.0.0", "supported_formats": [FORMAT]}
"""The program that runs a model, in answers of `/api/v0`."""


def v0_entry(model: OfferedModel) -> dict[str, Any]:
    """An entry of `/api/v0/models`. Claude is always loaded."""
    window = model.window.context
    return {
        "id": model.name,
        "object": "model",
        "type": "vlm",
        "publisher": "anthropic",
        "arch": ARCHITECTURE,
        "compatibility_type": FORMAT,
        "quantization": QUANTIZATION,
        "state": "loaded",
        "max_context_length": window,
        "loaded_context_length": window,
        "capabilities": ["tool_use", "vision"],
    }


def v1_entry(model: OfferedModel) -> dict[str, Any]:
    """An entry of `/api/v1/models`, with its one instance."""
    window = model.window.context
    return {
        "type": "llm",
        "publisher": "anthropic",
        "key": model.name,
        "display_name": model.display_name,
        "architecture": ARCHITECTURE,
        "quantization": {"name": QUANTIZATION, "bits_per_weight": 0},
        "size_bytes": 0,
        "params_string": None,
        "loaded_instances": [{"id": model.name, "config": {"context_length": window}}],
        "max_context_length": window,
        "format": FORMAT,
        "capabilities": {"vision": True, "trained_for_tool_use": True},
        "description": None,
    }


def load_response(model: OfferedModel) -> dict[str, Any]:
    """The response of `/api/v1/models/load`."""
    return {"type": "llm", "instance_id": model.name, "load_time_seconds": 0.0, "status": "loaded"}


def unload_response(instance_id: str) -> dict[str, Any]:
    """The response of `/api/v1/models/unload`."""
    return {"instance_id": instance_id}


def download_response() -> dict[str, Any]:
    """The response of `/api/v1/models/download` for a model that is there."""
    return {"status": "already_downloaded"}
