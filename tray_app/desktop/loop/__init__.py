"""The event loop, shared by Qt and asyncio; signals, sleep and garbage collection."""
