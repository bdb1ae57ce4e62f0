"""LM Studio's endpoints as the registry lists them."""

from dataclasses import replace

from server.dialects.chat_completions.dialect import CHAT_COMPLETIONS
from server.dialects.completions.dialect import COMPLETIONS
from server.dialects.dialect import Dialect
from server.dialects.lm_studio.request import with_statistics

V0 = "/api/v0"
CHAT_PATH = f"{V0}/chat/completions"


def _at_lm_studio(openai: Dialect, path: str) -> Dialect:
    """One of OpenAI's endpoints as LM Studio serves it."""
    return replace(
        openai,
        name=f"LM Studio {openai.name}",
        title=f"LM Studio's {openai.title.rpartition(' ')[2]}",
        provider="LM Studio",
        path=path,
        base_path=V0,
        to_messages=with_statistics(openai.to_messages),
        further_paths=(),
        keyless_paths=(path, f"{V0}/models", "/api/v1/models"),
        is_variant=True,
    )


LM_STUDIO_CHAT = _at_lm_studio(CHAT_COMPLETIONS, CHAT_PATH)
LM_STUDIO_COMPLETIONS = _at_lm_studio(COMPLETIONS, f"{V0}/completions")
