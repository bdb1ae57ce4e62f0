"""Completion of a text at a cursor by a chat model, shared by the dialects that have it.

    prompt, suffix, stops ─▶ prompt.py `read_prompt` ─▶ Prompt (templates.py: the markers of code models)
    Prompt ─▶ question.py `make_question` ─▶ system prompt, the user's turn, stop sequences
    the answer's text ─▶ answer.py `AnswerCutter` ─▶ the missing characters alone

`server.core.text_filters` says how a cutter is fed; a `Call` carries it to the generation.
"""

from server.dialects.fill_in.answer import AnswerCutter
from server.dialects.fill_in.prompt import Prompt, drop_markers, read_prompt
from server.dialects.fill_in.question import Question, make_question

__all__ = ["AnswerCutter", "Prompt", "Question", "drop_markers", "make_question", "read_prompt"]
