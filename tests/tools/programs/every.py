"""The programs, in the order of the Clients page."""

from tests.tools.programs.aider import AIDER
from tests.tools.programs.cline import CLINE
from tests.tools.programs.codex import CODEX
from tests.tools.programs.continue_cli import CONTINUE
from tests.tools.programs.curl import CURL
from tests.tools.programs.llm import LLM
from tests.tools.programs.node import NODE
from tests.tools.programs.open_webui import OPEN_WEBUI
from tests.tools.programs.opencode import OPENCODE
from tests.tools.programs.program import Program
from tests.tools.programs.scripted import SCRIPTED

PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (CONTINUE, CLINE, AIDER, CODEX, OPENCODE, OPEN_WEBUI, *NODE, *CURL, *SCRIPTED, *LLM)
}
