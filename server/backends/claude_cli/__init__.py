"""The Claude Code CLI as a backend: one warm process for each live conversation, parked spares for new ones.

backend.py       the `Backend`: picks a conversation, retries once, passes the events on

transport/       one process
  wire.py          sans-io: lines in, typed messages out; requests in, lines out
  process.py       start, read, write, and the ladder that stops it
  parent_death.py  how it dies with this program, on each system
  channel.py       the protocol: control requests and their answers, held tool calls, turns
  mcp_tools.py     pure: the client's tools as an in-process MCP server
  command_line.py  pure: its command line and environment
  user_settings.py which account the user's own Claude Code settings name
  leftovers.py     removes what killed processes leave in Claude Code's folders
  locate.py        finds the CLI; watch.py notices that it, or its login, has changed
  probe.py         queries its version, models and account

chat/            one conversation
  conversation.py  a channel bound to a model, a system prompt and tools, and the transcript that it holds
  continuation.py  pure: a request in the form that is compared with live conversations
  replay.py        pure: a request's history as the lines that put it into a fresh process
  parameters.py    pure: a request's parameters as the CLI's flag settings
  failures.py      pure: what the CLI says of an error, as one of the program's errors

pool/            all of them
  pool.py          idle spares, live conversations, and eviction when full
  queue.py         requests that wait for a conversation
  starter.py       starts processes and loses none
"""
