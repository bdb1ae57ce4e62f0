"""What OpenAI's dialects share: errors, rate limit headers and files inside a body."""
