"""What OpenAI's dialects share: errors, usage, fields, parameters, tool choice, rate limits, files inside a body."""
