"""Bodies of `/api/generate` that complete a text at a cursor, rather than ask something."""

from server.dialects.completions.request import Completion
from server.dialects.fill_in import drop_markers, make_question, read_prompt
from server.dialects.ollama.body import GenerateBody
from server.dialects.ollama.options import Options
from server.dialects.openai.parameters import read_stop_sequences


def read_completion(body: GenerateBody) -> Completion | None:
    """The completion that a body asks for; None for an ordinary question.

    A text after the cursor is in `suffix`, or in the prompt between a code model's markers, with `raw` or, from twinny,
    without. With `raw` a prompt without markers is continued, since no template makes a question of it.
    """
    if body.get("images") or body.get("format"):
        return None
    options: Options = body.get("options") or Options()
    stops = read_stop_sequences(options.get("stop"))
    prompt = read_prompt(body.get("prompt") or "", body.get("suffix"), stops)
    if prompt.suffix is None and not (prompt.is_instruction or body.get("raw")):
        return None
    return Completion(prompt, make_question(prompt), drop_markers(stops))
