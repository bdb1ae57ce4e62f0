"""What OpenAI's dialects share: errors, fields, parameters, tool choice, rate limit headers, files inside a body."""
