"""What a process was told: system prompt, tools, parameters, and the address of the API."""

import asyncio
from typing import Any

from server.backends.claude_cli.chat.continuation import ProcessBinding
from server.backends.claude_cli.chat.parameters import blocked_api_flags, flag_settings, thinking_tokens
from server.backends.claude_cli.facilities import Facilities, Facility
from server.backends.claude_cli.transport import mcp_tools as mcp
from server.backends.claude_cli.transport.channel import Channel, PendingAnswer, wait_for_answer
from server.core.messages import MessagesRequest, Tool, client_tools


class ProcessSetup:
    """The settings of one process: those in force, and their changes.

    `base_url` is the API address, see `parameters.flag_settings`.
    """

    def __init__(
        self, channel: Channel, flags: dict[str, Any], base_url: str | None, own_betas: str, facilities: Facilities
    ) -> None:
        self.base_url = base_url
        self._channel = channel
        self._own_betas = own_betas
        # One set for the whole life of the process: how it was initialised decides what it can do.
        self._has_settable_prompt = Facility.SYSTEM_PROMPT in facilities
        self._has_silent_turns = base_url is not None and Facility.DRY_TURN in facilities
        # What was last sent, not what the CLI confirmed: it reads its input in order, so later lines see these.
        self._flags = flags
        self._initialized = False
        self._system = ""
        self._tools: list[Tool] = []
        self._thinking: int | None = None
        # `_block_scheduled` allows one timer per turn; `_block` is the answer to the settings that it sent.
        self._block: PendingAnswer | None = None

    def park(self) -> PendingAnswer:
        """Send the likely flags to a new process."""
        return self._channel.send_control("apply_flag_settings", settings=self._flags)

    @property
    def is_initialized(self) -> bool:
        """Whether the process has a system prompt, if only an empty one, and tools."""
        return self._initialized

    @property
    def can_warm_up(self) -> bool:
        """Whether a silent turn, and all that undoes it, is proven to leave no trace."""
        return self._has_silent_turns and self._has_settable_prompt

    @property
    def betas(self) -> frozenset[str]:
        """The clients' betas in force, without the user's own."""
        in_force = self._flags.get("env", {}).get("ANTHROPIC_BETAS", self._own_betas)
        # `flag_settings` puts the user's own first.
        return frozenset(filter(None, in_force.removeprefix(self._own_betas).split(",")))

    def can_become(self, binding: ProcessBinding) -> bool:
        """Whether the process can get the system prompt of a binding: it cannot lose the one that it has."""
        if not self._initialized or binding.system == self._system:
            return True
        return self._has_settable_prompt and bool(binding.system.strip())

    def is_as(self, binding: ProcessBinding, tools: list[Tool]) -> bool:
        """Whether system prompt and tools are in force."""
        return self._initialized and binding.system == self._system and tools == self._tools

    def initialize(self, system: list[str], tools: list[Tool]) -> PendingAnswer:
        """Send the first system prompt and tools."""
        self._initialized = True
        self._system = "\n\n".join(system)
        self._tools = self._channel.tools = tools
        return self._channel.send_control(
            "initialize",
            systemPrompt=system,
            sdkMcpServers=[mcp.SERVER] if tools else [],
            sdkMcpServerManifests=mcp.server_manifest(tools) if tools else {},
            hooks=None,
            # With a snapshot the first system prompt would be sent for ever.
            **({"systemPromptSnapshot": False} if self._has_settable_prompt else {}),
        )

    def bind(self, request: MessagesRequest) -> list[PendingAnswer]:
        """Send what a new conversation needs that is not in force. All of it must be confirmed before the question."""
        sent: list[PendingAnswer | None] = []
        system = [text for text in request.system if text]
        tools = client_tools(request.tools)
        first = not self._initialized
        if first:
            sent.append(self.initialize(system, tools))
        sent.append(self.set_flags(request))
        if not first:
            sent += self.replace(request.model, "\n\n".join(system), tools)
        budget = thinking_tokens(request)
        if budget != self._thinking:
            self._thinking = budget
            sent.append(self._channel.send_control("set_max_thinking_tokens", max_thinking_tokens=budget))
        return [answer for answer in sent if answer is not None]

    def replace(self, model: str, system: str, tools: list[Tool]) -> list[PendingAnswer]:
        """Send another system prompt and other tools to an initialised process, whose model is `model`."""
        sent = []
        if system != self._system:
            self._system = system
            # Without the condition the CLI would ask the API whether the model exists.
            sent.append(
                self._channel.send_control(
                    "set_model", model=model, system_prompt=system, only_if_model_is_current=True
                )
            )
        if tools != self._tools:
            if self._tools:
                sent.append(self._channel.send_control("mcp_set_servers", servers={}))
            self._tools = self._channel.tools = tools
            if tools:
                servers = {mcp.SERVER: {"type": "sdk", "name": mcp.SERVER}}
                sent.append(self._channel.send_control("mcp_set_servers", servers=servers))
        return sent

    def set_flags(self, request: MessagesRequest) -> PendingAnswer | None:
        """Send the settings if they changed, because the CLI takes 20 ms for them."""
        wanted = flag_settings(request, self.base_url, self._own_betas)
        if wanted == self._flags:
            return None
        self._flags = wanted
        return self._channel.send_control("apply_flag_settings", settings=wanted)

    def block_api(self) -> PendingAnswer:
        """Cut the CLI off from the API."""
        self._block = self._channel.send_control("apply_flag_settings", settings=blocked_api_flags())
        self._block.add_done_callback(self._confirm_block)
        return self._block

    def _confirm_block(self, answer: PendingAnswer) -> None:
        # Not if it was undone meanwhile.
        if answer is self._block and not answer.cancelled() and answer.exception() is None:
            self._channel.api_blocked = True

    def unblock_api(self) -> PendingAnswer | None:
        """Restore the API address, at a time when no request waits for the 20 ms."""
        if self._block is None:
            return None
        self._block, self._channel.api_blocked = None, False
        # Without flags it was parked with none.
        settings = self._flags or {"env": {"ANTHROPIC_BASE_URL": self.base_url}}
        return self._channel.send_control("apply_flag_settings", settings=settings)


async def wait_for_all(answers: list[PendingAnswer]) -> None:
    """Wait for the answers to settings. Raises what `wait_for_answer` raises."""
    await asyncio.gather(*(wait_for_answer(answer, "a change of settings") for answer in answers))
