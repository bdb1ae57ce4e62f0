"""The programs, in the order of the Clients page."""

from tests.clients.programs.aider import AIDER
from tests.clients.programs.cline import CLINE
from tests.clients.programs.codex import CODEX
from tests.clients.programs.continue_cli import CONTINUE
from tests.clients.programs.curl import CURL
from tests.clients.programs.node import NODE
from tests.clients.programs.open_webui import OPEN_WEBUI
from tests.clients.programs.opencode import OPENCODE
from tests.clients.programs.program import Program

PROGRAMS: dict[str, Program] = {
    program.name: program for program in (CONTINUE, CLINE, AIDER, CODEX, OPENCODE, OPEN_WEBUI, *NODE, *CURL)
}
