"""The versions of the programs that are run: the one place where they stand."""

from tests.tools.programs.program import Package

AI_SDK = Package("npm", ("ai@7.0.173", "@ai-sdk/openai@4.0.118", "zod@4.6.7"))
AIDER = Package("pip", ("aider-chat==0.86.2",))
CLINE = Package("npm", ("cline@3.0.65",))
CODEX = Package("npm", ("@openai/codex@0.171.0",))
CONTINUE = Package("npm", ("@continuedev/cli@1.5.47",))
LANGCHAIN = Package("pip", ("langchain-openai==1.7.4", "langchain-ollama==1.1.0"))
LLM = Package("pip", ("llm==0.36", "llm-ollama==0.19.1", "llm-anthropic==0.30"))
NODE_OPENAI = Package("npm", ("openai@7.59.0",))
NODE_ANTHROPIC = Package("npm", ("@anthropic-ai/sdk@1.14.0",))
OLLAMA_NODE = Package("npm", ("ollama@0.6.4",))
OLLAMA_PYTHON = Package("pip", ("ollama==0.6.3",))
OPENAI_AGENTS = Package("pip", ("openai-agents==0.24.0",))
OPENCODE = Package("npm", ("opencode-ai@1.18.33",))
OPEN_WEBUI = Package("pip", ("open-webui==0.12.4",))
