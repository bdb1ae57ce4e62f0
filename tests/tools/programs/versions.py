"""The versions of the programs that are run: the one place where they stand."""

from tests.tools.programs.program import Package

AIDER = Package("pip", ("aider-chat==0.86.2",))
CLINE = Package("npm", ("cline@3.0.65",))
CODEX = Package("npm", ("@openai/codex@0.171.0",))
CONTINUE = Package("npm", ("@continuedev/cli@1.5.47",))
NODE_OPENAI = Package("npm", ("openai@7.57.0",))
NODE_ANTHROPIC = Package("npm", ("@anthropic-ai/sdk@1.12.0",))
OPENCODE = Package("npm", ("opencode-ai@1.18.33",))
OPEN_WEBUI = Package("pip", ("open-webui==0.12.4",))
