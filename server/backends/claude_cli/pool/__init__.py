"""The process pool: idle spares, live conversations, and eviction when full."""
