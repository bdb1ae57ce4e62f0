"""What OpenAI's dialects share: errors, usage, rate limit headers and files inside a body."""
