"""The page of stored conversations: the list, and the conversation beside it."""
