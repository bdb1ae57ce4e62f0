"""The Claude Code CLI as a backend: one warm process for each live conversation, parked spares for new ones.

wire.py          sans-io: lines in, typed messages out; requests in, lines out
process.py       one `claude` process: start, read, write, the ladder by which it is stopped
parent_death.py  how it dies with this program, on each system
channel.py       the conversation on that wire: control requests and their answers, held tool calls, turns
conversation.py  a channel bound to a model, a system prompt and tools, and the transcript that it holds
question.py      pure: a request as it is held against the conversations that live
replay.py        pure: a request's history as the lines that put it into a fresh process
parameters.py    pure: a request's parameters as the CLI's flag settings
tools.py         pure: the client's tools as an in-process MCP server
failures.py      pure: what the CLI says of an error, as one of the program's errors
pool.py          spares, live conversations, and who has to go when there is no room
queue.py         who waits for a conversation; starter.py starts processes and loses none
backend.py       the `Backend`: picks a conversation, retries once, hands on the events
environment.py   pure: the command line and the environment of a process
user_settings.py reads which account the user's own Claude Code settings name
leftovers.py     removes what killed processes leave in Claude Code's folders
locate.py        finds the CLI; watch.py notices from outside that it, or its login, has changed
probe.py         asks it for its version, models and account
"""
