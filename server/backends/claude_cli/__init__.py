"""The Claude Code CLI as a backend: one process per conversation, plus spares.

backend.py       the `Backend`: leases a conversation, retries once, passes events on

transport/       one process
  wire.py          sans-io: lines in, typed messages out; requests in, lines out
  process.py       start, read, write, end
  parent_death.py  lets it die with this program, on each system
  channel.py       the protocol: control requests, held tool calls, turns
  mcp_tools.py     pure: the client's tools as an in-process MCP server
  command_line.py  pure: its command line and environment
  user_settings.py the user's settings that select the account
  leftovers.py     removes the files of killed processes
  locate.py        finds the CLI, by PATH and places.py; install_hint.py says how to install it
  watch.py         detects changes of it and its login
  probe.py         queries its version, models and account

chat/            one conversation
  conversation.py  a process bound to a model, a system prompt and tools, and its transcript
  continuation.py  pure: the key by which a request finds the conversation that it continues
  replay.py        pure: the turns that replay a history on a fresh process
  parameters.py    pure: a request's parameters as the CLI's flag settings
  failures.py      pure: failed turns as the program's errors

pool/            all of them
  pool.py          idle spares, live conversations, and eviction when full
  queue.py         requests that wait for a conversation
  starter.py       starts processes and loses none
"""
