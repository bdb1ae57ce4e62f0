"""What OpenAI's dialects share: errors, usage, fields, parameters, tool choice, rate limit headers, files in a body."""
